import type { Call } from 'keelson';

/** One job of the input, as a {@link JobFunction} gets it. */
export interface LineJob {
  /** What the results call it: its own, else the number of its line. */
  readonly id: string;
  /** Which attempt at the job this is, from 1. */
  readonly attempt: number;
  /**
   * All that the line says, by name: the fields of its JSON, the columns of its CSV, or only `url`; and always `id`. A CSV says only texts.
   */
  readonly columns: Readonly<Record<string, unknown>>;
}

/**
 * Makes the call of one job: what `keelson run --with FILE` calls, the default export of FILE.
 *
 * It runs under the policies of the run: one call of it is one attempt. What it resolves to becomes the body of the job's result: a text or bytes
 * as they are, nothing for `undefined`, anything else as JSON. What it throws fails the attempt, which is tried again, unless the error says by
 * `OUTCOME` that it is permanent. `call.signal` aborts when the attempt is over for the run (out of time, stopped): hand it on to whatever is
 * called, since work that goes on then is not waited for, and no longer counts as one of `--concurrency`. A retry may come while it goes on.
 */
export type JobFunction = (job: LineJob, call: Call) => unknown;
