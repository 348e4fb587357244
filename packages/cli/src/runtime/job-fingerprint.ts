import { fingerprint } from './fingerprint.ts';
import type { Job } from './job.ts';

/** Names of headers with the environment variables that hold their values. */
export type EnvironmentHeaders = readonly (readonly [name: string, variable: string])[];

/**
 * The fingerprint of what a job asks for: equal for two jobs that make the same call, whatever their ids. Of a header from the environment
 * the variable counts and not its value, so that a new token makes no new job.
 */
export function jobFingerprint(job: Job, environmentHeaders: EnvironmentHeaders): Uint32Array {
  if (job.kind === 'exec') return fingerprint(JSON.stringify([job.kind, job.argv]));
  if (job.kind === 'function') return fingerprint(JSON.stringify([job.kind, sorted(job.columns)]));
  return fingerprint(JSON.stringify([job.kind, job.method, job.url, sorted(job.headers), environmentHeaders, job.body ?? null]));
}

function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}
