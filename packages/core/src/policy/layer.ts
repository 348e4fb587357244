import type { Outcome } from '../outcome/classify.ts';
import type { PacedQueue } from '../sync/paced-queue.ts';
import type { Parking } from '../sync/wait-queue.ts';
import type { ExecuteOptions, Operation, PolicyDescription } from './policy.ts';

declare const verdict: unique symbol;

/** What a layer decided. Opaque: made only by a {@link Step}, so that none can be forged with the wrong payload. */
export type Verdict = number & { readonly [verdict]: true };

/** Of `enter`: go on inwards. */
export const PROCEED: Verdict = 0 as Verdict;
/** Of `succeed` and `fail`: let the outcome travel outwards. */
export const DONE: Verdict = 0 as Verdict;

/** How an operation that a layer had consulted ended. */
export type Answer = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

/**
 * What a layer sees of one call, and the verdicts it can give. Valid only during a hook.
 */
export interface Step {
  /** What this layer remembers of this call; undefined at every entry. */
  ticket: unknown;
  /** Name of the operation. */
  readonly operation: string;
  readonly options: ExecuteOptions;
  nowMs(): number;
  epochMs(): number;
  /** Until the nearest of the call's limits that are running; Infinity without one. */
  timeLeftMs(): number;
  /** At or above 0, below 1. */
  random(): number;
  classifyError(error: unknown): Outcome;
  classifyValue(value: unknown): Outcome;
  /** Whether output of one of the call's attempts has left: then nothing is tried again or replaced (law R4). */
  readonly hasOutput: boolean;
  /** Has this layer's `started` told whenever the operation starts, from this entry on. */
  whenStarted(): void;
  /** How far the call has come, for messages: `'attempt 3 of 5, waited 1.2s for a permit'`, or `''`. */
  progress(): string;
  /** Whether anybody listens to this layer's events. Ask before building one. */
  readonly isObserved: boolean;
  /** Publishes an event of this layer about this call. */
  publish(type: string, fields: Readonly<Record<string, unknown>>): void;

  /** Proceed; everything inside ends after `ms`. */
  limit(ms: number): Verdict;
  /** Proceed at `atMs`. Where that cannot fit what remains: abandoned at once, then failed with `refusal()` (law T4). */
  waitUntil(atMs: number, refusal: () => unknown): Verdict;
  /** Proceed when a permit is granted in `queue`: a queue, or a place in one that knows where the call belongs. */
  park(queue: Parking): Verdict;
  /**
   * Wait in `queue`; this layer's `due` is asked when it is the call's turn. Where the wait, which is to end at `expectedMs`, cannot fit what remains:
   * abandoned at once, then failed with `refusal()` (law T4).
   */
  queueIn(queue: PacedQueue, expectedMs: number, refusal: () => unknown): Verdict;
  /** Fail with `error`; nothing is owed afterwards. */
  reject(error: unknown): Verdict;
  /** Succeed with `value` in place of the outcome. */
  replace(value: unknown): Verdict;
  /** Run `operation` under the layers outside this one; its outcome takes the place of this one's. */
  run(operation: Operation<unknown>): Verdict;
  /** Enter the inner layers once more after `delayMs`. Where that cannot fit, or output is committed: abandoned, and the outcome stands. */
  again(delayMs: number): Verdict;
  /** Run `operation`, then ask this layer's `consulted` with its answer. The only asynchronous verdict. */
  consult(operation: Operation<unknown>): Verdict;
}

/**
 * A decider: synchronous, owning no promise, timer or listener. State shared by all calls lives in its fields, what it remembers of one
 * call in `step.ticket`. One layer may stand in many compositions.
 *
 * Every `enter` that returned PROCEED or a wait ends in exactly one of: `succeed` or `fail` with DONE, reject, replace or run; `expire`;
 * `abandon`. Every `enter` that proceeded, at once or after its wait, is followed by exactly one `release`. After reject or replace
 * from `enter` nothing is owed.
 */
export interface Layer {
  /** The kind of policy: its folder, and its event channel `keelson:<kind>`. */
  readonly kind: string;
  readonly name: string;
  /** Whether it may run code of the caller's, or the operation, after a failure; the async context is then carried to there (law P3). */
  readonly runsCallerCode?: boolean | undefined;
  /** Set by a layer that says `again`: how often it may start the operation. */
  readonly maxAttempts?: number | undefined;
  /** What a wait of this layer is for, in messages: `'a permit'`. */
  readonly waitsFor?: string | undefined;
  /** How many releases are still owed because abandoned work goes on beneath frames that are over. Kept by the engine (law P1). */
  lingering?: number;
  /** PROCEED, or a verdict of `limit`, `waitUntil`, `park`, `queueIn`, `reject`, `replace`, `consult`. */
  enter?(step: Step): Verdict;
  /** DONE, or a verdict of `again`, `replace`, `run`, `consult`. Never called for a cancellation. */
  succeed?(step: Step, value: unknown): Verdict;
  /** DONE, or a verdict of `again`, `replace`, `run`, `reject` (with another error), `consult`. Never called for a cancellation. */
  fail?(step: Step, error: unknown): Verdict;
  /** The operation is about to start, for each attempt anew. Only where this layer has asked for it by `whenStarted`. Runs no code of the caller's. */
  started?(step: Step): void;
  /** It is the turn of a call that waits in a paced queue: PROCEED, `queueIn` (not yet: it stays the first), or another verdict of `enter`. */
  due?(step: Step): Verdict;
  /** The consulted operation has answered: a verdict as of the hook that consulted. */
  consulted?(step: Step, answer: Answer): Verdict;
  /** Ended from outside: neutral, no verdict. `waiting`: inside a wait that this layer asked for. */
  abandon?(step: Step, waiting: boolean): void;
  /** The limit this layer set ran out; builds the error. Asked after the end of the entry, too, where what the attempt holds outlives the limit. */
  expire?(step: Step): unknown;
  /** All work beneath this frame, abandoned or held work included, has really ended. Permits go back here and nowhere else. */
  release?(ticket: unknown): void;
  /** An attempt reports what the call really cost; `ticket` is undefined where it is not the one that the layer remembers (any more). */
  charge?(options: ExecuteOptions, costs: Readonly<Record<string, number>>, nowMs: number, ticket: unknown): void;
  /** Whether nothing would be lost with this layer: it is not in use and remembers nothing. A layer without this hook has no state. */
  isIdle?(nowMs: number): boolean;
  describe(): PolicyDescription;
}
