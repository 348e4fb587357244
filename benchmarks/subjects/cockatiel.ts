import {
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  type RetryPolicy,
  retry,
  type TimeoutPolicy,
  TimeoutStrategy,
  timeout,
} from 'cockatiel';
import type { Settings } from '../harness/case.ts';

export const cockatielRetry = ({ maxAttempts, baseDelayMs }: Settings): RetryPolicy =>
  retry(handleAll, { maxAttempts: maxAttempts - 1, backoff: new ExponentialBackoff({ initialDelay: baseDelayMs }) });

export const cockatielBreaker = ({ failureThreshold, recoveryMs }: Settings): CircuitBreakerPolicy =>
  circuitBreaker(handleAll, { halfOpenAfter: recoveryMs, breaker: new ConsecutiveBreaker(failureThreshold) });

/** As its readme shows it: aborts its signal on every success, too. */
export const cockatielTimeout = ({ timeoutMs }: Settings): TimeoutPolicy => timeout(timeoutMs, TimeoutStrategy.Aggressive);

/** Its cheapest form: the signal is aborted only at the timeout, and the work has to obey it. */
export const tunedCockatielTimeout = ({ timeoutMs }: Settings): TimeoutPolicy =>
  timeout(timeoutMs, { strategy: TimeoutStrategy.Cooperative, abortOnReturn: false });
