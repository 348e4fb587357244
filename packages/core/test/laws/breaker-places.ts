import { expect } from 'vitest';
import { type CircuitBreaker, circuitBreaker } from '../../src/circuit-breaker/circuit-breaker.ts';
import type { CircuitBreakerOptions } from '../../src/circuit-breaker/circuit-breaker-options.ts';
import { fallback } from '../../src/fallback/fallback.ts';
import { compose } from '../../src/policy/compose.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { ending } from '../../src/policy/virtual-time.test-support.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { timeout } from '../../src/timeout/timeout.ts';
import { stranger, threeAttempts } from './orders.ts';

type AnyPolicy = Policy<unknown, unknown>;

/** Where a breaker may stand; the outermost of `around` is the whole. */
export const PLACES: readonly (readonly [string, (breaker: CircuitBreaker) => AnyPolicy])[] = [
  ['alone', (breaker) => breaker],
  ['inside a retry', (breaker) => compose(threeAttempts(), breaker)],
  ['around a retry', (breaker) => compose(breaker, threeAttempts())],
  ['between strangers', (breaker) => compose(stranger(), breaker, stranger())],
  [
    'in a nested composition',
    (breaker) => compose(timeout('1h'), compose(fallback(0, { handles: () => false }), compose(breaker, timeout('1h')))),
  ],
];

/** A breaker that one failure has opened, at whose next call it is half-open. */
export async function halfOpen(clock: VirtualClock, options: CircuitBreakerOptions = {}): Promise<CircuitBreaker> {
  const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1s', ...options });
  await ending(breaker.execute(() => Promise.reject(new Error('down')), { idempotent: false }));
  expect(breaker.state).toBe('open');
  await clock.advance('1s');
  return breaker;
}
