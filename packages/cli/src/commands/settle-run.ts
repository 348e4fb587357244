import type { RunSettings } from '../operations/run-settings.ts';
import { LineFault } from '../runtime/columns.ts';
import { execJobs } from '../runtime/exec-job.ts';
import { checkHeader, httpJobs } from '../runtime/http-job.ts';
import type { MakeJob } from '../runtime/job.ts';
import { type PolicyDocument, type PolicyWishes, wishesOf } from '../runtime/policy-document.ts';
import { settlePolicy } from '../runtime/policy-settings.ts';
import { UsageError } from '../runtime/usage-error.ts';
import { parseDuration, parseSize } from '../runtime/values.ts';
import { flagName } from './flag.ts';
import { type RunFlagValues, runDefaults } from './run-flags.ts';

/** Flags that say something about requests, which a command is not. */
const OF_REQUESTS = ['method', 'url', 'header', 'headerEnv', 'body', 'breaker', 'ratePerOrigin'] as const;

/** Puts together what a command line, its policy file and the environment say. Throws a {@link UsageError} for what does not fit. */
export async function settleRun(input: string, flags: RunFlagValues, environment: NodeJS.ProcessEnv): Promise<RunSettings> {
  if (input === '-') throw new UsageError('the input must be a file, since it is read twice');
  if (flags.out === undefined) throw new UsageError('--out FILE is missing');
  if (flags.retryFailed && flags.resume === undefined) throw new UsageError('--retry-failed needs --resume');
  const environmentHeaders = (flags.headerEnv ?? []).map(([name, variable]) => [name.toLowerCase(), variable] as const);
  const file = flags.policy === undefined ? {} : await readPolicy(flags.policy);
  return {
    input,
    out: flags.out,
    resume: flags.resume ?? 'no',
    retriesFailed: flags.retryFailed === true,
    skipsBadLines: flags.onBadLine === 'skip',
    makesCommands: flags.exec !== undefined,
    makeJob: jobMaker(flags),
    environmentHeaders,
    secretHeaders: Object.fromEntries(environmentHeaders.map(([name, variable]) => [name, secretIn(environment, name, variable)])),
    bodies: {
      maxBytes: flags.maxBody ?? parseSize(runDefaults.maxBody),
      hash: flags.hash !== undefined,
      save: flags.save === undefined ? undefined : { folder: flags.save, maxBytes: flags.maxBody ?? Number.POSITIVE_INFINITY },
    },
    policy: settlePolicy(wishesOfFlags(flags), wishesOf(file)),
    drainMs: flags.drain ?? parseDuration(runDefaults.drain),
  };
}

/** Few runs have a policy file, and what reads one is slow to load. */
async function readPolicy(path: string): Promise<PolicyDocument> {
  const { readPolicyFile } = await import('../runtime/policy-file.ts');
  return await readPolicyFile(path);
}

function jobMaker(flags: RunFlagValues): MakeJob {
  const { exec, url, method, header, body } = flags;
  if (exec === undefined) return httpJobs({ url, method, headers: header ?? [], body });
  const alien = OF_REQUESTS.find((key) => flags[key] !== undefined);
  if (alien !== undefined) throw new UsageError(`${flagName(alien)} has no meaning with --exec`);
  return execJobs(exec);
}

/** Says which header and which variable, never the value (law F3). */
function secretIn(environment: NodeJS.ProcessEnv, name: string, variable: string): string {
  const value = environment[variable];
  if (value === undefined || value === '') throw new UsageError(`--header-env ${name}: the variable ${variable} is not set`);
  try {
    return checkHeader(name, value);
  } catch (error) {
    throw error instanceof LineFault ? new UsageError(`--header-env ${name}=${variable}: ${error.message}`) : error;
  }
}

function wishesOfFlags(flags: RunFlagValues): PolicyWishes {
  return {
    concurrency: flags.concurrency,
    rate: flags.rate,
    ratePerOrigin: flags.ratePerOrigin,
    timeoutMs: flags.timeout,
    totalTimeoutMs: flags.totalTimeout,
    giveUpAfterMs: flags.giveUpAfter,
    maxAttempts: flags.maxAttempts,
    baseDelayMs: flags.baseDelay,
    maxDelayMs: flags.maxDelay,
    breaker: flags.breaker,
  };
}
