import type { InputFormat } from '../runtime/input.ts';
import { policyDefaults } from '../runtime/policy-document.ts';
import {
  parseCount,
  parseDuration,
  parseDurationOrNone,
  parseHeader,
  parseHeaderVariable,
  parseRate,
  parseSize,
  parseText,
  parseWord,
  type Rate,
} from '../runtime/values.ts';
import { type FlagsOf, many, one, toggle } from './flag.ts';

/** What a command line of `keelson run` said. */
export interface RunFlagValues {
  readonly out?: string;
  readonly resume?: 'same' | 'changed';
  readonly retryFailed?: true;
  readonly ordered?: true;
  readonly save?: string;
  readonly maxBody?: number;
  readonly hash?: 'sha256';
  readonly method?: string;
  readonly url?: string;
  readonly header?: readonly (readonly [name: string, template: string])[];
  readonly headerEnv?: readonly (readonly [name: string, variable: string])[];
  readonly body?: string;
  readonly exec?: string;
  readonly with?: string;
  readonly format?: InputFormat;
  readonly onBadLine?: 'fail' | 'skip';
  readonly concurrency?: number;
  readonly rate?: Rate;
  readonly ratePerOrigin?: Rate;
  readonly timeout?: number;
  readonly totalTimeout?: number;
  readonly maxAttempts?: number;
  readonly baseDelay?: number;
  readonly maxDelay?: number;
  readonly breaker?: 'on' | 'off';
  readonly giveUpAfter?: number;
  readonly policy?: string;
  readonly drain?: number;
  readonly json?: true;
  readonly quiet?: true;
}

/** The defaults that are no policy. */
export const runDefaults: { readonly drain: string; readonly maxBody: string } = Object.freeze({ drain: '10s', maxBody: '1mb' });

const RESULTS = 'Results';
const JOBS = 'Jobs';
const POLICY = 'Policy';
const SCREEN = 'Screen';

/** The flags of `keelson run`, in the order of its help. */
export const RUN_FLAGS: FlagsOf<RunFlagValues> = {
  out: one(parseText, {
    placeholder: 'FILE',
    group: RESULTS,
    help: 'where results go, one line a job; also the journal of the run (required)',
  }),
  resume: one(parseWord('same', 'changed'), {
    placeholder: 'changed',
    bare: 'same',
    group: RESULTS,
    help: 'continue FILE: leave out the jobs that have a result; "=changed" calls those again whose line has changed',
  }),
  retryFailed: toggle({ group: RESULTS, help: 'with --resume: call the jobs again that have failed' }),
  ordered: toggle({ group: RESULTS, help: 'write results in the order of the input; an origin that is down then holds up all others' }),
  save: one(parseText, { placeholder: 'DIR', group: RESULTS, help: 'save the body of each success as a file in DIR, named by its id' }),
  maxBody: one(parseSize, {
    placeholder: 'SIZE',
    default: `${runDefaults.maxBody}; no limit with --save`,
    group: RESULTS,
    help: 'keep at most so much of a body; 0 keeps none',
  }),
  hash: one(parseWord('sha256'), { placeholder: 'sha256', group: RESULTS, help: 'add the hash of each body' }),

  format: one(parseWord('lines', 'csv'), {
    placeholder: 'lines|csv',
    default: 'csv for names that end in .csv or .csv.gz, else lines',
    group: JOBS,
    help: 'what INPUT holds: URLs and JSON Lines, or CSV with a header',
  }),
  method: one(parseText, { placeholder: 'M', default: 'GET, with a body POST', group: JOBS, help: 'method of the jobs that name none' }),
  url: one(parseText, { placeholder: 'TEMPLATE', group: JOBS, help: "every job's URL, made of the columns of its line" }),
  header: many(parseHeader, {
    placeholder: "'k: v'",
    isPrivate: true,
    group: JOBS,
    help: 'header of the jobs that have none of that name, a template; repeatable',
  }),
  headerEnv: many(parseHeaderVariable, {
    placeholder: 'k=VAR',
    isPrivate: true,
    group: JOBS,
    help: 'header whose value is secret and stands in a variable of the environment; repeatable',
  }),
  body: one((text) => text, { placeholder: 'TEMPLATE', group: JOBS, help: "every job's body, JSON made of the columns of its line" }),
  exec: one(parseText, {
    placeholder: "'cmd {url}'",
    group: JOBS,
    help: 'run a command for each job, without a shell, instead of a request',
  }),
  with: one(parseText, {
    placeholder: 'FILE',
    group: JOBS,
    help: 'call the default export of this module, JavaScript or TypeScript, for each job, instead of a request',
  }),
  onBadLine: one(parseWord('fail', 'skip'), {
    placeholder: 'fail|skip',
    default: 'fail',
    group: JOBS,
    help: 'what to do about a line that is no job: call nothing, or leave it out',
  }),

  concurrency: one(parseCount, {
    placeholder: 'N',
    default: String(policyDefaults.concurrency),
    group: POLICY,
    help: 'jobs at the same time',
  }),
  rate: one(parseRate, { placeholder: 'N/TIME', default: 'no limit', group: POLICY, help: 'calls in a time: 100/s, 20/m, 5/10s' }),
  ratePerOrigin: one(parseRate, { placeholder: 'N/TIME', default: 'no limit', group: POLICY, help: 'calls in a time to one origin' }),
  timeout: one(parseDuration, {
    placeholder: 'TIME',
    default: policyDefaults.timeout,
    group: POLICY,
    help: 'time for one attempt, body included: 250ms, 5s, 2m, 1h',
  }),
  totalTimeout: one(parseDuration, {
    placeholder: 'TIME',
    default: 'no limit',
    group: POLICY,
    help: 'time for a job, all attempts and waits included',
  }),
  maxAttempts: one(parseCount, {
    placeholder: 'N',
    default: `${policyDefaults.retry.maxAttempts}; POST and PATCH 1`,
    group: POLICY,
    help: 'calls for one job, the first included; if given, POST and PATCH are repeated, too',
  }),
  baseDelay: one(parseDuration, {
    placeholder: 'TIME',
    default: policyDefaults.retry.baseDelay,
    group: POLICY,
    help: 'longest wait before the second attempt; doubles with each',
  }),
  maxDelay: one(parseDuration, {
    placeholder: 'TIME',
    default: policyDefaults.retry.maxDelay,
    group: POLICY,
    help: 'longest wait before any attempt, unless the server asks for a longer one',
  }),
  breaker: one(parseWord('on', 'off'), {
    placeholder: 'on|off',
    default: 'on',
    group: POLICY,
    help: 'stop calling an origin that fails again and again, and try it from time to time',
  }),
  giveUpAfter: one(parseDuration, {
    placeholder: 'TIME',
    default: policyDefaults.giveUpAfter,
    group: POLICY,
    help: 'how long a job waits for an origin whose breaker stays open, or that asks it to wait',
  }),
  policy: one(parseText, { placeholder: 'FILE', group: POLICY, help: 'read the policy from a YAML file; a flag wins over it' }),
  drain: one(parseDurationOrNone, {
    placeholder: 'TIME',
    default: runDefaults.drain,
    group: POLICY,
    help: 'how long running calls may go on after Ctrl-C or SIGTERM; 0, or a second signal, stops at once',
  }),

  json: toggle({ group: SCREEN, help: 'print the summary as JSON' }),
  quiet: toggle({ group: SCREEN, help: 'show no progress, no notes and no summary table' }),
};
