import type { CircuitBreaker } from '../../src/circuit-breaker/circuit-breaker.ts';
import { fallback } from '../../src/fallback/fallback.ts';
import { compose } from '../../src/policy/compose.ts';
import type { Policy } from '../../src/policy/policy.ts';
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
