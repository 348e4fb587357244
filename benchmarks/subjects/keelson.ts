import {
  type Bulkhead,
  bulkhead,
  type CircuitBreaker,
  circuitBreaker,
  fallback,
  type Policy,
  type RateLimiter,
  type Retry,
  rateLimit,
  retry,
  type Timeout,
  timeout,
} from 'keelson';
import type { Settings } from '../harness/case.ts';

/** How much longer the limit of the whole is than that of an attempt. */
export const WHOLE = 30;

export const ourRetry = ({ maxAttempts, baseDelayMs }: Settings): Retry => retry({ maxAttempts, baseDelay: baseDelayMs });
export const ourBreaker = ({ failureThreshold, recoveryMs }: Settings): CircuitBreaker =>
  circuitBreaker({ failureThreshold, recoveryTimeout: recoveryMs });
export const ourTimeout = ({ timeoutMs }: Settings): Timeout => timeout(timeoutMs);
export const ourBulkhead = ({ maxConcurrency }: Settings): Bulkhead => bulkhead({ maxConcurrency, maxQueue: Number.POSITIVE_INFINITY });
export const ourRateLimit = ({ limit, periodMs }: Settings): RateLimiter => rateLimit({ limit, period: periodMs, burst: limit });

/** The standard order, outermost first. */
export const standardParts = (settings: Settings): readonly Policy<number>[] => [
  fallback(0, { handles: () => false }),
  timeout(settings.timeoutMs * WHOLE),
  ourRetry(settings),
  ourBreaker(settings),
  ourRateLimit(settings),
  ourBulkhead(settings),
  ourTimeout(settings),
];
