import type { Random } from '../random/random.ts';
import type { Clock } from '../time/clock.ts';
import type { Deadline } from '../time/deadline.ts';
import type { Duration } from '../time/duration.ts';
import type { Task, TaskContext } from './task.ts';

/** What a scope may be given. */
export interface ScopeOptions {
  /** Cancels the scope when it has passed. The least of all enclosing limits wins. Default: none. */
  readonly timeout?: Duration | undefined;
  /** The same as a point in time. */
  readonly deadline?: Deadline | undefined;
  /** Cancels the scope with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Where time comes from inside. Default: as outside. */
  readonly clock?: Clock | undefined;
  /** Where chance comes from inside. Default: as outside. */
  readonly random?: Random | undefined;
}

/** What a task may be given. */
export interface SpawnOptions {
  /** For errors, events and the task tree; the function's own name if left out. */
  readonly name?: string | undefined;
}

/** What {@link Context.scope} runs. */
export type ScopeBody<T> = (scope: Scope) => T | PromiseLike<T>;

/** What code that has an owner has at hand: `ctx` is the one of wherever the calling code runs, a {@link Scope} is one of its own. */
export interface Context {
  /**
   * Runs `body` in a scope of its own: it resolves to what the body returns, once everything that was started inside has ended.
   *
   * The first failure of the body or of a child decides: everything else inside is cancelled and waited for, later errors are found by
   * `suppressedOf`. A scope that is cancelled, by its timeout, its signal or the scope around it, rejects with that reason, the same object,
   * after its body and children have ended; it resolves all the same if none of them was cut short or failed. A wrong option rejects with
   * ERR_OPTION; where the calling code's own task is over, it rejects with ERR_SCOPE_CLOSED.
   */
  scope<T>(name: string, body: ScopeBody<T>): Promise<T>;
  scope<T>(name: string, options: ScopeOptions | undefined, body: ScopeBody<T>): Promise<T>;
  /** Aborted when the scope or task is cancelled, by whomever; not when it ends well. Made on first read. Never aborts outside of any. */
  readonly signal: AbortSignal;
  /** Milliseconds until the nearest enclosing deadline; Infinity without one, 0 once cancelled. */
  remainingMs(): number;
  /** Throws the reason if the scope or task is cancelled. */
  throwIfCancelled(): void;
  /**
   * Resolves when `duration` has passed; rejects at once, with the reason, when the scope or task is cancelled (law C6), and with
   * ERR_SCOPE_CLOSED when it ends. That it rejects while nobody waits for it is no unhandled rejection.
   */
  sleep(duration: Duration): Promise<void>;
  /**
   * Starts `fn`, at once, as a child of the scope, which does not end before it. If it fails, the scope is cancelled and rejects with its
   * error; if the scope is cancelled already, `fn` is not called. Throws ERR_SCOPE_CLOSED once the scope or the calling task is over,
   * ERR_NO_SCOPE outside of any.
   */
  spawn<T>(fn: (task: TaskContext) => T | PromiseLike<T>, options?: SpawnOptions): Task<T>;
}

/** A scope, looked at. */
export interface ScopeStatistics {
  readonly name: string;
  readonly path: string;
  readonly isClosed: boolean;
  readonly isCancelled: boolean;
  /** Tasks, nested scopes, calls of policies and their abandoned work that it still has to wait for. */
  readonly inFlight: number;
}

/**
 * A lifetime: everything started in it has ended before it ends. Made by `ctx.scope`.
 *
 * It has all that `ctx` has, and means itself wherever the calling code runs: `scope.sleep` in a task hears of the scope's end, `ctx.sleep` of
 * the task's own as well.
 */
export interface Scope extends Context {
  readonly name: string;
  /** The names from the outermost scope down: `'app/import'`. */
  readonly path: string;
  /** Cancels the scope and all that was started in it. Idempotent; the first reason wins. The scope still waits for all of it to end. */
  cancel(reason?: unknown): void;
  statistics(): ScopeStatistics;
}
