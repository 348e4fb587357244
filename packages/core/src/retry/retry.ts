import { type Check, type Checks, checkOptions, func, oneOf, text, wholeNumber } from '../errors/check-options.ts';
import { Backoff, type BackoffOptions, backoffChecks, backoffDefaults, checkBackoff } from '../policy/backoff.ts';
import { type Handles, handlesCheck } from '../policy/handles.ts';
import { LayerPolicy } from '../policy/layer-policy.ts';
import { RetryBudget } from '../policy/retry-budget.ts';
import { RetryQuota } from '../policy/retry-quota.ts';
import type { BeforeRetry } from './before-retry.ts';
import { RetryLayer } from './retry-layer.ts';

/** What a {@link retry} is made of. */
export interface RetryOptions extends BackoffOptions {
  /** How often the operation is called at most, the first call included. Default 3; 1 for no retry. */
  readonly maxAttempts?: number | undefined;
  /**
   * Which errors are tried again. Default: by their kind, see {@link classify}: what is transient, throttled or overloaded. It does not
   * bear on cancellations, which never are, nor on refusals of other policies in this process, which are where they say when (law R2).
   */
  readonly handles?: Handles | undefined;
  /** Which values are tried again, besides those whose kind says so. */
  readonly handlesResult?: ((value: unknown) => boolean) | undefined;
  /** Bounds the retries of all that share it: a {@link retryBudget} or a {@link retryQuota}. Default: none. */
  readonly budget?: RetryBudget | RetryQuota | undefined;
  /**
   * Called after a failed attempt that will be followed by another, and waited for: to refresh a token, to choose another server. Its time is part
   * of the wait. It is given the failure and a call of its own; what it throws ends the call.
   */
  readonly beforeRetry?: BeforeRetry | undefined;
  /**
   * What to do about a failure on which a retry inside has given up: `'bounded'` passes it on, `'multiply'` tries again, so that three
   * attempts around three make nine (law R7). Default `'bounded'`.
   */
  readonly nested?: 'bounded' | 'multiply' | undefined;
  /** For events. Default `'retry'`. */
  readonly name?: string | undefined;
}

/**
 * The defaults of {@link RetryOptions}.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { retry, retryDefaults } from 'keelson';
 *
 * const patient = retry({ maxAttempts: 2 * retryDefaults.maxAttempts });
 * assert.equal(patient.describe().options['maxAttempts'], 6);
 */
export const retryDefaults: Readonly<typeof backoffDefaults & { maxAttempts: number; nested: 'bounded' | 'multiply'; name: string }> =
  Object.freeze({ ...backoffDefaults, maxAttempts: 3, nested: 'bounded', name: 'retry' });

const budgetCheck: Check = {
  expected: 'a RetryBudget or a RetryQuota',
  accepts: (value) => value instanceof RetryBudget || value instanceof RetryQuota,
};

const CHECKS: Checks<RetryOptions> = {
  maxAttempts: wholeNumber({ min: 1 }),
  ...backoffChecks,
  handles: handlesCheck,
  handlesResult: func,
  budget: budgetCheck,
  beforeRetry: func,
  nested: oneOf('bounded', 'multiply'),
  name: text,
};

/**
 * Calls an operation again when it fails: what {@link retry} makes.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { Retry } from 'keelson';
 *
 * const { options, place } = new Retry({ maxAttempts: 5, jitter: 'equal' }).describe();
 * assert.equal(options['maxAttempts'], 5);
 * assert.equal(options['maxDelayMs'], 30_000);
 * assert.equal(place, 3);
 */
export class Retry extends LayerPolicy<never, never> {
  constructor(options: RetryOptions = {}) {
    checkOptions<RetryOptions>('retry', options, CHECKS);
    checkBackoff('retry', options);
    super(
      new RetryLayer({
        name: options.name ?? retryDefaults.name,
        maxAttempts: options.maxAttempts ?? retryDefaults.maxAttempts,
        backoff: new Backoff('retry', options),
        handles: options.handles,
        handlesResult: options.handlesResult,
        budget: options.budget,
        beforeRetry: options.beforeRetry,
        nested: options.nested ?? retryDefaults.nested,
      }),
    );
  }
}

/**
 * Makes a policy that calls an operation again when it fails in a way that may pass.
 *
 * What may pass is told by kind ({@link classify}), of values as well as errors: an error that says nothing of itself is tried again, one
 * that is permanent is not; `handles` and `handlesResult` say otherwise. When the attempts are used up the call ends as its last attempt
 * did: with the very error, whose earlier attempts `attemptsOf` tells, or with the value.
 *
 * Between attempts it waits: `baseDelay`, then twice as long each time up to `maxDelay`, and of that a random part (full jitter; Brooker,
 * AWS 2015). Where the callee or an open circuit breaker says when to come back (`retryAfterMs`), that is waited for instead, and up to a
 * fifth longer. A wait that does not fit the deadline is not begun: the call fails at once with the error it has (laws R2, T4). All options
 * are checked when the policy is made, and wrong ones throw ERR_OPTION; a duration is as for {@link timeout}, or a number of milliseconds.
 *
 * `beforeRetry` is called as soon as a retry has been decided, in the async context of the caller. It may be asynchronous; the wait goes on
 * meanwhile, and the next attempt begins when both are over. It ends with the call: `call.signal` aborts when the caller cancels or a limit around
 * the retry runs out. What it throws takes the place of the failure, which `suppressedOf` tells; `attemptsOf` has the attempts before.
 *
 * Not tried again: what the caller has cancelled, whose wait ends at once (law C2); work that has committed output (law R4); calls with
 * `idempotent: false` (law R5); a failure on which a retry inside has given up (law R7).
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { attemptsOf, retry } from 'keelson';
 *
 * const policy = retry({ maxAttempts: 3, baseDelay: '5ms' });
 * let calls = 0;
 * const value = await policy.execute((call) => {
 *   calls++;
 *   if (call.attempt < 3) throw new Error('not yet');
 *   return 'at last';
 * });
 * assert.equal(value, 'at last');
 * assert.equal(calls, 3);
 *
 * const error = await policy.execute(() => Promise.reject(new Error('down'))).catch((e: unknown) => e);
 * assert.equal(attemptsOf(error).length, 2);
 */
export function retry(options?: RetryOptions): Retry {
  return new Retry(options);
}
