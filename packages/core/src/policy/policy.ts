import type { KeelsonError } from '../errors/keelson-error.ts';
import type { Deadline } from '../time/deadline.ts';
import type { Duration } from '../time/duration.ts';
import type { Priority } from './priority.ts';

/** What one attempt of an operation runs under. One object an attempt; nothing behind it is made until it is read. */
export interface Call {
  /** Name of the operation, for errors, events and spans. */
  readonly name: string;
  /** Aborted when the attempt is over for its owner: cancelled, timed out or lost. Never aborted by success (law C7). Made on first read. */
  readonly signal: AbortSignal;
  /** 1-based, in the innermost retry. */
  readonly attempt: number;
  /** The attempt's place among nested calls: `'2.1'` is the first attempt of a call made inside a second attempt. */
  readonly path: string;
  /** Milliseconds until the nearest limit; `Infinity` without one, 0 once the attempt was abandoned. */
  remainingMs(): number;
  /** Throws the reason if the attempt is over for its owner. */
  throwIfCancelled(): void;
  /** Says that output has left: from here on no retry, hedge or replacement is made for this call (law R4). */
  commit(): void;
  /**
   * Says that something the operation returned is still in use: a body, a cursor, a socket. Permits, signal and deadline stay as they are
   * until `done` settles, either way (law C8). Throws ERR_OPTION for what is no promise.
   */
  hold(done: PromiseLike<unknown>): void;
  /** Corrects the estimate a rate limiter took for this call: what it really cost, by name of the cost. Throws ERR_OPTION for anything else. */
  charge(costs: Readonly<Record<string, number>>): void;
}

/** What a policy wraps: a function of the {@link Call} it runs under, which may be called again. */
export type Operation<T> = (call: Call) => T | PromiseLike<T>;

/** What a caller may say about one call. */
export interface ExecuteOptions {
  /** Name of the operation; the function's own name if left out. */
  readonly name?: string | undefined;
  /** The call inside which this one is made: its cancellation, deadline and permits cover this one, too. */
  readonly parent?: Call | undefined;
  /** Cancels the call with `signal.reason` (law C1). */
  readonly signal?: AbortSignal | undefined;
  /** Bounds the whole call, queueing and retries included. 0 has passed already, so that what is left of another limit can be handed on. */
  readonly timeout?: Duration | undefined;
  /** Bounds the whole call by a point in time. */
  readonly deadline?: Deadline | undefined;
  /** Who goes first where calls wait for one another, and who goes last where some have to go. Default `'normal'`. */
  readonly priority?: Priority | undefined;
  /** What `keyed` policies choose by, and fair queues tell callers apart by: `{ host: 'a.example' }`. */
  readonly keys?: Readonly<Record<string, string>> | undefined;
  /** Tokens the call takes from rate limiters, in all or by name of the cost; 1 by default. */
  readonly cost?: number | Readonly<Record<string, number>> | undefined;
  /** `false`: may have effects that must not happen twice, and is not retried. */
  readonly idempotent?: boolean | undefined;
}

/** How a call ended, as data: what {@link Policy.attempt} resolves to. */
export type Attempt<T, E = KeelsonError> =
  | { readonly ok: true; readonly value: T }
  /** A policy refused or ended the call. */
  | { readonly ok: false; readonly by: 'policy'; readonly error: E }
  /** The operation failed; or its caller ended it: cancelled it, gave it a timeout or deadline that passed, or options that are wrong. */
  | { readonly ok: false; readonly by: 'operation' | 'caller'; readonly error: unknown };

/** A policy as plain data, for tests, dashboards and `explain()`. */
export interface PolicyDescription {
  readonly name: string;
  readonly kind: string;
  /** Every option with the value in force. Durations are in milliseconds and end in `Ms`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Rank in the standard order, outermost first, from 1; absent where the order says nothing. */
  readonly place?: number | undefined;
  /** The parts of a composition, outermost first. */
  readonly children?: readonly PolicyDescription[] | undefined;
}

/** Names the type-level slot in which a policy says what it may resolve to and reject with. There is no such property at run time. */
export declare const outcomes: unique symbol;

/**
 * The one contract of the library: something that runs an operation under a rule.
 *
 * `R` is what it may put in place of the operation's value, `E` what it rejects with of its own; the operation's own errors and the
 * caller's reason come through as they are. Built-in policies, compositions and foreign policies made by `policyFrom` all have it.
 */
export interface Policy<out R = never, out E = KeelsonError> {
  readonly [outcomes]?: { readonly replacedBy: R; readonly rejectedWith: E };
  readonly name: string;
  /** Runs `operation` under this policy. Rejects with the operation's error, the caller's reason, or a `KeelsonError` of a policy. */
  execute<T>(operation: Operation<T>, options?: ExecuteOptions): Promise<T | R>;
  /** Like `execute`, but never rejects: says how the call ended, and by whose doing. */
  attempt<T>(operation: Operation<T>, options?: ExecuteOptions): Promise<Attempt<T | R, E>>;
  /** The function `fn`, which takes the call first, as one that runs under this policy. */
  wrap<This, A extends unknown[], T>(
    fn: (this: This, call: Call, ...args: A) => T | PromiseLike<T>,
    options?: ExecuteOptions | ((...args: A) => ExecuteOptions),
  ): (this: This, ...args: A) => Promise<T | R>;
  describe(): PolicyDescription;
}
