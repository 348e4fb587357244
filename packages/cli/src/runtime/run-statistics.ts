import { newHistogram } from './host-time.ts';

const MICROSECONDS = 1000;

/** What a run has done so far. Only its own operations write to it; progress and summary read. */
export class RunStatistics {
  /** Jobs of the input. */
  jobs = 0;
  /** Of these, with a result from an earlier run. */
  doneBefore = 0;
  failedBefore = 0;
  /** Of these, with a result from this run. */
  done = 0;
  failed = 0;
  /** Lines of the input that are no job, and were let pass. */
  skippedLines = 0;
  /** Results of earlier runs whose jobs are not in the input. */
  withoutJob = 0;
  calls = 0;
  retries = 0;
  /** Calls that run now. */
  calling = 0;
  /** Jobs that wait now, amid their attempts, because their origin's breaker is open. */
  waitingForOrigin = 0;
  /** Jobs that have not begun and wait for the same. */
  parked = 0;
  /** What has failed, in this run or before, by code. */
  readonly failures: Map<string, number> = new Map();
  readonly #latencies = newHistogram();

  /** Jobs of this run that have no result yet. */
  get remaining(): number {
    return this.jobs - this.doneBefore - this.failedBefore - this.done - this.failed;
  }

  /** A job's attempt of that number begins. */
  startCall(attempt: number): void {
    this.calls++;
    this.calling++;
    if (attempt > 1) this.retries++;
  }

  endCall(durationMs: number): void {
    this.calling--;
    this.#latencies.record(Math.max(1, Math.round(durationMs * MICROSECONDS)));
  }

  /** A job's result is durable: a success, or a failure with its code. */
  finish(failureCode: string | undefined): void {
    if (failureCode === undefined) this.done++;
    else {
      this.failed++;
      this.#count(failureCode);
    }
  }

  /** A job has such a result from an earlier run, which stands. */
  finishedBefore(failureCode: string | undefined): void {
    if (failureCode === undefined) this.doneBefore++;
    else {
      this.failedBefore++;
      this.#count(failureCode);
    }
  }

  #count(failureCode: string): void {
    this.failures.set(failureCode, (this.failures.get(failureCode) ?? 0) + 1);
  }

  /** The latency that this share of the calls kept within, from 0 to 100; 0 before the first. */
  latencyMs(percentile: number): number {
    return this.#latencies.count === 0 ? 0 : this.#latencies.percentile(percentile) / MICROSECONDS;
  }
}
