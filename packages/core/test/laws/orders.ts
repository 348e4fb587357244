import { type Bulkhead, bulkhead } from '../../src/bulkhead/bulkhead.ts';
import { circuitBreaker } from '../../src/circuit-breaker/circuit-breaker.ts';
import { fallback } from '../../src/fallback/fallback.ts';
import { keyed } from '../../src/keyed/keyed.ts';
import { compose } from '../../src/policy/compose.ts';
import type { Call, Policy } from '../../src/policy/policy.ts';
import { policyFrom } from '../../src/policy/policy-from.ts';
import { rateLimit } from '../../src/rate-limiter/rate-limiter.ts';
import { type Retry, retry } from '../../src/retry/retry.ts';
import { type Timeout, timeout } from '../../src/timeout/timeout.ts';

type AnyPolicy = Policy<unknown, unknown>;

/** A composition whose only permit can be watched. */
export interface Stack {
  readonly policy: AnyPolicy;
  /** One permit, ten places in the queue. */
  readonly bulkhead: Bulkhead;
}

/** One order of composition. */
export interface Order {
  readonly name: string;
  make(): Stack;
}

/** Three attempts, 100 ms apart. */
export const threeAttempts = (): Retry => retry({ maxAttempts: 3, baseDelay: 100, backoff: 'constant', jitter: 'none' });
const attemptTimeout = (): Timeout => timeout('1s');
const wholeTimeout = (): Timeout => timeout('9s');
const calmBreaker = (): AnyPolicy => circuitBreaker({ failureThreshold: 1000 });
const wideLimit = (): AnyPolicy => rateLimit({ limit: 1000, period: '1s', burst: 1000 });

/** Somebody else's policy that does as it should, with promises of its own. */
export const stranger = (): AnyPolicy =>
  policyFrom('stranger', async (operation, options) => {
    await Promise.resolve();
    return await operation(options.parent as Call);
  });

const order = (name: string, compositionAround: (permits: Bulkhead) => AnyPolicy): Order => ({
  name,
  make: () => {
    const permits = bulkhead({ maxConcurrency: 1, maxQueue: 10 });
    return { policy: compositionAround(permits), bulkhead: permits };
  },
});

/** The orders in which the laws are tested: what may stand around what, each at least once. */
export const ORDERS: readonly Order[] = [
  order('retry > breaker > bulkhead > timeout', (permits) => compose(threeAttempts(), calmBreaker(), permits, attemptTimeout())),
  order('breaker > retry > bulkhead > timeout', (permits) => compose(calmBreaker(), threeAttempts(), permits, attemptTimeout())),
  order('bulkhead > retry > timeout', (permits) => compose(permits, threeAttempts(), attemptTimeout())),
  order('timeout > bulkhead > retry', (permits) => compose(wholeTimeout(), permits, threeAttempts())),
  order('timeout > retry > timeout > bulkhead', (permits) => compose(wholeTimeout(), threeAttempts(), attemptTimeout(), permits)),
  order('retry > timeout > retry > bulkhead > timeout', (permits) =>
    compose(threeAttempts(), timeout('5s'), threeAttempts(), permits, attemptTimeout()),
  ),
  order('compose(timeout, compose(retry, compose(bulkhead, timeout)))', (permits) =>
    compose(wholeTimeout(), compose(threeAttempts(), compose(permits, attemptTimeout()))),
  ),
  order('retry > stranger > bulkhead > timeout', (permits) => compose(threeAttempts(), stranger(), permits, attemptTimeout())),
  order('bulkhead > stranger > retry > timeout', (permits) => compose(permits, stranger(), threeAttempts(), attemptTimeout())),
  order('keyed(bulkhead) > retry > timeout', (permits) =>
    compose(
      keyed('host', () => permits),
      threeAttempts(),
      attemptTimeout(),
    ),
  ),
  order('the standard stack', (permits) =>
    compose(
      fallback('unused', { handles: () => false }),
      wholeTimeout(),
      threeAttempts(),
      calmBreaker(),
      wideLimit(),
      permits,
      attemptTimeout(),
    ),
  ),
];

/** The options every call needs for all orders. */
export const HOST = { keys: { host: 'a.example' } } as const;
