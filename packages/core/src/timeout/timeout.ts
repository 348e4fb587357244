import { checkOptions, text } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import type { TimeoutError } from '../errors/timeout-error.ts';
import { LayerPolicy } from '../policy/layer-policy.ts';
import { type Duration, durationMs, toMs } from '../time/duration.ts';
import { TimeoutLayer } from './timeout-layer.ts';

/** What a {@link timeout} is made of. */
export interface TimeoutOptions {
  /** How long everything inside may take. `Infinity`: as long as it likes, and no timer is kept. */
  readonly timeout: Duration;
  /** For errors and events. Default `'timeout'`. */
  readonly name?: string | undefined;
}

/**
 * The defaults of {@link timeout}.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { timeout, timeoutDefaults } from 'keelson';
 *
 * assert.equal(timeout('1s').name, timeoutDefaults.name);
 */
export const timeoutDefaults: { readonly name: string } = Object.freeze({ name: 'timeout' });

const LIMIT = durationMs({ allowInfinity: true });
const CHECKS = { timeout: LIMIT, name: text };

/** The milliseconds of a limit that has to be given. */
export function limitMs(owner: string, limit: unknown): number {
  if (!LIMIT.accepts(limit)) throw optionError(owner, 'timeout', limit, LIMIT.expected);
  return toMs(limit as Duration);
}

/**
 * Ends what is inside it when its time has passed: what {@link timeout} makes.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { Timeout } from 'keelson';
 *
 * const policy = new Timeout({ timeout: '2s', name: 'attempt' });
 * assert.deepEqual(policy.describe(), { name: 'attempt', kind: 'timeout', options: { timeoutMs: 2000 }, place: 2 });
 */
export class Timeout extends LayerPolicy<never, TimeoutError> {
  constructor(options: TimeoutOptions) {
    checkOptions<TimeoutOptions>('timeout', options, CHECKS);
    super(new TimeoutLayer(options.name ?? timeoutDefaults.name, limitMs('timeout', options.timeout)));
  }
}

/**
 * Makes a policy that ends a call which takes longer than `limit`, with a {@link TimeoutError}.
 *
 * Outside `retry` it bounds the whole, waits between attempts included; inside `retry` it bounds one attempt, and each attempt gets the
 * whole of it. Of several limits, a caller's deadline among them, the least wins (law T4). A call that waits (for a permit, a token, its
 * next attempt) is ended like one that runs.
 *
 * When the time has passed the call rejects at once, and `call.signal` is aborted with the same {@link TimeoutError}. An operation that
 * ignores its signal goes on: its result is dropped, and permits outside stay taken until it ends (law P1). A caller's cancellation comes
 * through as the caller's reason, never as a timeout (law C1).
 *
 * `limit` is a duration above 0 (a number is in milliseconds), or `{ timeout, name }`; `Infinity` sets no limit and keeps no timer. 0, a
 * negative duration, NaN and an unknown option throw ERR_OPTION at once.
 *
 * Retries take the {@link TimeoutError} for a failure that may pass, and breakers count it; only a breaker outside the timeout can see it.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { TimeoutError, timeout } from 'keelson';
 *
 * const policy = timeout('10ms');
 * assert.equal(await policy.execute(async () => 'quick'), 'quick');
 *
 * const error = await policy.execute((call) => new Promise(() => call.signal), { name: 'loadUser' }).catch((e: unknown) => e);
 * assert(error instanceof TimeoutError);
 * assert.equal(error.message, 'loadUser timed out after 10ms');
 */
export function timeout(limit: Duration | TimeoutOptions): Timeout {
  return new Timeout(typeof limit === 'object' ? limit : { timeout: limit });
}
