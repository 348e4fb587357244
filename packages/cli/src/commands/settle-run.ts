import type { RunSettings } from '../operations/run-settings.ts';
import { LineFault } from '../runtime/columns.ts';
import { execJobs } from '../runtime/exec-job.ts';
import { functionJobs } from '../runtime/function-job.ts';
import { checkHeader, httpJobs } from '../runtime/http-job.ts';
import { formatOf } from '../runtime/input.ts';
import { type PolicyDocument, type PolicyWishes, wishesOf } from '../runtime/policy-document.ts';
import { settlePolicy } from '../runtime/policy-settings.ts';
import { UsageError } from '../runtime/usage-error.ts';
import { parseDuration, parseSize } from '../runtime/values.ts';
import { flagName } from './flag.ts';
import { type RunFlagValues, runDefaults } from './run-flags.ts';

/** Flags that say something about requests. */
const OF_REQUESTS = ['method', 'url', 'header', 'headerEnv', 'body'] as const;
/** Flags that say something about origins, which a command does not have. */
const OF_ORIGINS = ['breaker', 'ratePerOrigin'] as const;

/** Puts together what a command line, its policy file and the environment say. Throws a {@link UsageError} for what does not fit. */
export async function settleRun(input: string, flags: RunFlagValues, environment: NodeJS.ProcessEnv): Promise<RunSettings> {
  if (flags.out === undefined) throw new UsageError('--out FILE is missing');
  if (flags.retryFailed && flags.resume === undefined) throw new UsageError('--retry-failed needs --resume');
  const environmentHeaders = (flags.headerEnv ?? []).map(([name, variable]) => [name.toLowerCase(), variable] as const);
  const file = flags.policy === undefined ? {} : await readPolicy(flags.policy);
  const { kind, makeJob, jobFunction } = await settleJobs(flags);
  return {
    input,
    format: flags.format ?? formatOf(input),
    out: flags.out,
    resume: flags.resume ?? 'no',
    retriesFailed: flags.retryFailed === true,
    skipsBadLines: flags.onBadLine === 'skip',
    kind,
    makeJob,
    jobFunction,
    isOrdered: flags.ordered === true,
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

/** What the jobs are, which one of three flags says at most. */
async function settleJobs(flags: RunFlagValues): Promise<Pick<RunSettings, 'kind' | 'makeJob' | 'jobFunction'>> {
  const { exec, with: path, url, method, header, body } = flags;
  const jobFunction = undefined;
  if (exec !== undefined) {
    refuse(flags, [...OF_REQUESTS, ...OF_ORIGINS, 'with'], '--exec');
    return { kind: 'exec', makeJob: execJobs(exec), jobFunction };
  }
  if (path !== undefined) {
    refuse(flags, OF_REQUESTS, '--with');
    const { loadFunction } = await import('../runtime/load-function.ts');
    return { kind: 'function', makeJob: functionJobs(path), jobFunction: await loadFunction(path) };
  }
  return { kind: 'http', makeJob: httpJobs({ url, method, headers: header ?? [], body }), jobFunction };
}

function refuse(flags: RunFlagValues, aliens: readonly (keyof RunFlagValues)[], owner: string): void {
  const alien = aliens.find((key) => flags[key] !== undefined);
  if (alien !== undefined) throw new UsageError(`${flagName(alien)} has no meaning with ${owner}`);
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
