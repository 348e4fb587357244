import { CancelledError } from '../errors/cancelled-error.ts';
import type { Call } from '../policy/policy.ts';
import type { Duration } from '../time/duration.ts';

/** How far a {@link Task} has come. */
export type TaskStatus = 'running' | 'done' | 'failed' | 'cancelled';

/** What a spawned function runs under. It can be the `parent` of a policy's call. */
export interface TaskContext extends Call {
  /** Resolves when `duration` has passed; rejects at once, with the reason, when the task is cancelled, with ERR_SCOPE_CLOSED when it is over. */
  sleep(duration: Duration): Promise<void>;
}

/** What a handle has to know of its task. */
interface Running {
  readonly name: string;
  readonly status: TaskStatus;
  cancel(reason: unknown): void;
}

/**
 * The handle of a spawned function: awaits like a promise.
 *
 * A task whose failure nobody awaits makes no unhandled rejection; it surfaces through its scope (law S6).
 */
export class Task<T> implements PromiseLike<T> {
  /** The same outcome as a native promise, for hot loops. */
  readonly promise: Promise<T>;
  readonly #task: Running;

  constructor(task: Running, promise: Promise<T>) {
    this.#task = task;
    this.promise = promise;
  }

  get name(): string {
    return this.#task.name;
  }

  /** `'cancelled'`: it rejected with the reason it was cancelled with, or never began; `'failed'`: with an error of its own. */
  get status(): TaskStatus {
    return this.#task.status;
  }

  /** Asks the task to end: its signal aborts with `reason`. The scope still waits for it. Idempotent; the first reason wins. */
  cancel(reason: unknown = new CancelledError('explicit', `task ${this.name} was cancelled`)): void {
    this.#task.cancel(reason);
  }

  // biome-ignore lint/suspicious/noThenProperty: a task is awaited like a promise; a subclass of Promise costs three to eleven times an await
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.promise.then(onFulfilled, onRejected);
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.promise.catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.promise.finally(onFinally);
  }
}
