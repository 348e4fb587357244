import type { Job } from '../runtime/job.ts';
import { type JobContext, RunningJob } from './running-job.ts';

/** What calling jobs needs. */
export interface CallJobsContext extends JobContext {
  /** Jobs at the same time. */
  readonly concurrency: number;
  /** What runs is ended. */
  readonly stopped: AbortSignal;
}

/**
 * Calls the jobs, `concurrency` at a time, and writes one line for each that comes to an end. A job keeps its slot until its line is durable,
 * so that a kill loses the results of no more than `concurrency` calls. Resolves when all jobs have ended, or what ran has been drained; the
 * first error that is not a job's own, such as an `OutputError`, ends all the others and is thrown.
 */
export async function callJobs(jobs: AsyncGenerator<Job, void, undefined>, context: CallJobsContext): Promise<void> {
  const { draining, stopped, concurrency, statistics } = context;
  const slots = Math.min(concurrency, statistics.remaining);
  const running = new Set<RunningJob>();
  const failures: unknown[] = [];
  const endAll = (reason: unknown): void => {
    for (const job of running) job.end(reason);
  };
  const isOver = (): boolean => failures.length > 0 || draining.aborted;

  const work = async (): Promise<void> => {
    while (!isOver()) {
      const { value: job } = await jobs.next();
      if (job === undefined || isOver()) return;
      const current = new RunningJob(job, context);
      running.add(current);
      await current.run().finally(() => running.delete(current));
    }
  };
  const fail = (error: unknown): void => {
    failures.push(error);
    endAll(error);
  };
  const drain = (): void => {
    for (const job of running) job.drain();
  };
  const stop = (): void => endAll(stopped.reason);

  draining.addEventListener('abort', drain);
  stopped.addEventListener('abort', stop);
  await Promise.all(Array.from({ length: slots }, () => work().catch(fail)));
  draining.removeEventListener('abort', drain);
  stopped.removeEventListener('abort', stop);
  await jobs.return();
  if (failures.length > 0) throw failures[0];
}
