import { CancelToken } from '../cancel/cancel-token.ts';
import type { ContextNode } from '../context/context-node.ts';
import { KeelsonError } from '../errors/keelson-error.ts';
import type { Random } from '../random/random.ts';
import type { Clock } from '../time/clock.ts';
import { type Duration, toMs } from '../time/duration.ts';
import type { SpawnOptions } from './scope.ts';
import { sleepUnder } from './sleep.ts';
import type { Task, TaskContext } from './task.ts';

/** What a lifetime inherits, or is given in its place. */
export interface Surroundings {
  readonly parent: ContextNode | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly deadlineMs: number;
}

const nothing = (): void => {};

/**
 * What scopes and tasks have in common: a place in the tree, a token of their own, and an account of what was started in them.
 *
 * It closes when its own code has ended, a scope also all that was started in it; from then on nothing can be started through it (law S5).
 */
export abstract class Lifetime implements ContextNode {
  readonly parent: ContextNode | undefined;
  readonly name: string;
  readonly token: CancelToken = new CancelToken();
  readonly clock: Clock;
  readonly random: Random;
  readonly deadlineMs: number;
  /** Above every sleep: they end when the lifetime closes, which cancels nothing else (law C7). */
  #sleeps: CancelToken | null = null;
  #open = 0;
  #isClosed = false;

  constructor(name: string, { parent, clock, random, deadlineMs }: Surroundings) {
    this.parent = parent;
    this.name = name;
    this.clock = clock;
    this.random = random;
    this.deadlineMs = deadlineMs;
  }

  abstract spawn<T>(fn: (task: TaskContext) => T | PromiseLike<T>, options?: SpawnOptions): Task<T>;

  /** What was started in it has ended; more may be started as long as it is not closed. */
  protected abstract emptied(): void;

  get path(): string {
    return this.parent === undefined ? this.name : `${this.parent.path}/${this.name}`;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How much that was started in it still runs. */
  protected get open(): number {
    return this.#open;
  }

  get signal(): AbortSignal {
    return this.token.signal;
  }

  remainingMs(): number {
    if (this.token.isCancelled) return 0;
    return Math.max(0, this.deadlineMs - this.clock.nowMs());
  }

  throwIfCancelled(): void {
    this.token.throwIfCancelled();
  }

  sleep(duration: Duration): Promise<void> {
    try {
      const ms = toMs(duration, 'sleep');
      this.throwIfClosed('sleep');
      if (this.#sleeps === null) {
        this.#sleeps = new CancelToken();
        if (this.token.isCancelled) this.#sleeps.cancel(this.token.reason);
        else this.token.link(this.#sleeps);
      }
      return sleepUnder(this.clock, this.#sleeps, ms);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** What outlives this lifetime belongs to the one around it. */
  keepOpen(what: string): () => void {
    if (this.#isClosed) return this.parent?.keepOpen(what) ?? nothing;
    this.#open++;
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      if (--this.#open === 0) this.emptied();
    };
  }

  throwIfClosed(what: string): void {
    if (this.#isClosed) throw this.#closedError(what);
  }

  protected close(): void {
    this.#isClosed = true;
    if (this.#sleeps?.hasLinks === true) this.#sleeps.cancel(this.#closedError('a sleep was going on'));
  }

  #closedError(what: string): KeelsonError {
    const { path } = this;
    return new KeelsonError('ERR_SCOPE_CLOSED', `${what} in ${path}, which is over; await what it does before it ends`, {
      operation: path,
    });
  }
}
