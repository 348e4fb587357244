import { after, nowMs } from '../runtime/host-time.ts';
import { originOf } from '../runtime/job.ts';
import type { JobsToCall, PlacedJob } from './jobs-to-call.ts';
import type { JobPast, ParkingLot, Turn } from './parking-lot.ts';
import { type JobContext, RunningJob } from './running-job.ts';
import type { Slots } from './slots.ts';
import { Turns } from './turns.ts';

/** What calling jobs needs. */
export interface CallJobsContext extends JobContext {
  readonly slots: Slots;
  readonly parking: ParkingLot;
  /** Whether results are written in the order of the input. */
  readonly isOrdered: boolean;
  /** What runs is ended. */
  readonly stopped: AbortSignal;
}

/**
 * Calls the jobs, as many at a time as there are slots, and writes one line for each that comes to an end. A job keeps its slot until its line is
 * durable, so that a kill loses the results of no more calls than that; a job whose origin is down has none and is parked instead. Resolves when
 * all jobs have ended, or what ran has been drained; the first error that is not a job's own, such as an `OutputError`, ends all the others
 * and is thrown.
 */
export async function callJobs(jobs: JobsToCall, context: CallJobsContext): Promise<void> {
  await new Dispatcher(jobs, context).run();
}

class Dispatcher {
  readonly #jobs: JobsToCall;
  readonly #context: CallJobsContext;
  readonly #unread: AsyncGenerator<PlacedJob, void, undefined>;
  readonly #turns: Turns | undefined;
  readonly #running = new Set<RunningJob>();
  readonly #failures: unknown[] = [];
  readonly #change = new Change();
  #isAllRead = false;

  constructor(jobs: JobsToCall, context: CallJobsContext) {
    this.#jobs = jobs;
    this.#context = context;
    this.#unread = jobs.inOrder();
    this.#turns = context.isOrdered ? new Turns() : undefined;
  }

  async run(): Promise<void> {
    const { draining, stopped, parking } = this.#context;
    parking.whenChanged(this.#notify);
    draining.addEventListener('abort', this.#drain);
    stopped.addEventListener('abort', this.#stop);
    try {
      await this.#dispatch();
    } catch (error) {
      this.#fail(error);
    }
    while (this.#running.size > 0) await this.#change.comes(Number.POSITIVE_INFINITY);
    draining.removeEventListener('abort', this.#drain);
    stopped.removeEventListener('abort', this.#stop);
    await this.#unread.return();
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  get #isOver(): boolean {
    return this.#failures.length > 0 || this.#context.draining.aborted;
  }

  /** Ends when there is nothing more to begin. */
  async #dispatch(): Promise<void> {
    const { parking, statistics } = this.#context;
    while (!this.#isOver) {
      if (await this.#step()) continue;
      if (this.#isAllRead && this.#running.size === 0 && statistics.parked === 0) return;
      await this.#change.comes(parking.nextAskMs - nowMs());
    }
  }

  /** Lets one job begin, go on or wait; false if there is none for which there is a place now. */
  async #step(): Promise<boolean> {
    const turn = this.#context.parking.next();
    if (turn !== undefined) await this.#give(turn);
    else if (this.#isAllRead || !this.#context.slots.areFree) return false;
    else await this.#readOne();
    return true;
  }

  async #give(turn: Turn): Promise<void> {
    if (turn.kind === 'go on') {
      turn.resume();
      return;
    }
    const { kind, place, past } = turn;
    const job = await this.#jobs.at(place);
    this.#begin({ job, place }, past, (running) => (kind === 'begin' ? running.run() : running.giveUp()));
  }

  /** In order, no job can be passed by: its result has to come before. */
  async #readOne(): Promise<void> {
    const { value } = await this.#unread.next();
    if (value === undefined) {
      this.#isAllRead = true;
      return;
    }
    const { parking } = this.#context;
    const origin = originOf(value.job);
    const mayBegin = origin === undefined || this.#turns !== undefined || parking.admits(origin);
    if (mayBegin) this.#begin(value, undefined, (running) => running.run());
    else parking.park(value.place, origin);
  }

  #begin({ job, place }: PlacedJob, past: JobPast | undefined, run: (running: RunningJob) => Promise<JobPast | undefined>): void {
    if (this.#isOver) return;
    const { slots, parking } = this.#context;
    const running = new RunningJob(job, this.#context, past, this.#turns?.take());
    slots.take();
    this.#running.add(running);
    void run(running)
      .then((toPark) => {
        if (toPark !== undefined) parking.park(place, originOf(job) ?? '', toPark);
      })
      .catch(this.#fail)
      .finally(() => {
        slots.giveBack();
        this.#running.delete(running);
        this.#notify();
      });
  }

  readonly #notify = (): void => this.#change.has();

  readonly #fail = (error: unknown): void => {
    this.#failures.push(error);
    for (const job of this.#running) job.end(error);
  };

  readonly #drain = (): void => {
    for (const job of this.#running) job.drain();
    this.#notify();
  };

  readonly #stop = (): void => {
    for (const job of this.#running) job.end(this.#context.stopped.reason);
  };
}

/** That something has changed, told to one who waits for it. */
class Change {
  #isUntold = false;
  #tell: () => void = () => {};

  has(): void {
    this.#isUntold = true;
    this.#tell();
  }

  /** Resolves with the first change since the last time, or after `waitMs`. */
  async comes(waitMs: number): Promise<void> {
    if (!this.#isUntold) {
      await new Promise<void>((resolve) => {
        const cancel = waitMs === Number.POSITIVE_INFINITY ? () => {} : after(Math.max(0, waitMs), resolve);
        this.#tell = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#isUntold = false;
  }
}
