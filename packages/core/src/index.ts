export {
  Bulkhead,
  type BulkheadChanges,
  type BulkheadOptions,
  type BulkheadStatistics,
  bulkhead,
  bulkheadDefaults,
} from './bulkhead/bulkhead.ts';
export { BulkheadFullError } from './bulkhead/bulkhead-layer.ts';
export {
  CircuitBreaker,
  type CircuitBreakerStatistics,
  circuitBreaker,
  type Isolation,
} from './circuit-breaker/circuit-breaker.ts';
export {
  type CircuitBreakerOptions,
  type CircuitWindow,
  circuitBreakerDefaults,
} from './circuit-breaker/circuit-breaker-options.ts';
export { CircuitOpenError, type CircuitStateName } from './circuit-breaker/circuit-open-error.ts';
export type { CircuitBreakerSnapshot } from './circuit-breaker/circuit-snapshot.ts';
export { type CancelKind, CancelledError } from './errors/cancelled-error.ts';
export { ClosedError } from './errors/closed-error.ts';
export { ERROR_CODES, type ErrorCode } from './errors/error-codes.ts';
export { type AttemptRecord, attemptsOf, suppressedOf } from './errors/history.ts';
export { isKeelsonError, KeelsonError, type KeelsonErrorDetails } from './errors/keelson-error.ts';
export { TimeoutError, type TimeoutErrorDetails } from './errors/timeout-error.ts';
export { Fallback, type FallbackOptions, type FallbackValue, fallback, fallbackDefaults, type NotAPromise } from './fallback/fallback.ts';
export type { FallbackOperation } from './fallback/fallback-layer.ts';
export { Keyed, type KeyedOptions, type KeyedStatistics, keyed, keyedDefaults } from './keyed/keyed.ts';
export { type KeelsonEvent, listen } from './observe/events.ts';
export { enlist, type Live, type LiveView, watchLive } from './observe/live.ts';
export { type CalleeQuota, type Classify, classify, OUTCOME, type Outcome, type OutcomeKind, type Settled } from './outcome/classify.ts';
export type { DrainOptions } from './policy/admission.ts';
export type { BackoffFunction, BackoffInfo, BackoffOptions, BackoffShape, Jitter } from './policy/backoff.ts';
export { type ComposeOptions, compose, type RejectedWith, type ReplacedBy } from './policy/compose.ts';
export type { ErrorClass, Handles } from './policy/handles.ts';
export type { Attempt, Call, ExecuteOptions, Operation, outcomes, Policy, PolicyDescription } from './policy/policy.ts';
export { type Execute, policyFrom } from './policy/policy-from.ts';
export type { Priority } from './policy/priority.ts';
export {
  RetryBudget,
  type RetryBudgetOptions,
  type RetryBudgetSnapshot,
  type RetryBudgetStatistics,
  retryBudget,
  retryBudgetDefaults,
} from './policy/retry-budget.ts';
export {
  type RetryCosts,
  RetryQuota,
  type RetryQuotaOptions,
  type RetryQuotaSnapshot,
  type RetryQuotaStatistics,
  retryQuota,
  retryQuotaDefaults,
} from './policy/retry-quota.ts';
export type { RetrySlot } from './policy/retry-window.ts';
export { useRandom } from './random/current-random.ts';
export type { Random } from './random/random.ts';
export { seededRandom } from './random/seeded-random.ts';
export { RateLimitedError, type RateLimitedErrorDetails } from './rate-limiter/rate-limited-error.ts';
export {
  RateLimiter,
  type RateLimiterStatistics,
  type Reservation,
  type ReserveOptions,
  rateLimit,
} from './rate-limiter/rate-limiter.ts';
export { type RateLimitChanges, type RateLimitOptions, rateLimitDefaults } from './rate-limiter/rate-limiter-options.ts';
export type { RateLimiterSnapshot, TakenTokens } from './rate-limiter/rate-limiter-snapshot.ts';
export type { BeforeRetry, BeforeRetryInfo } from './retry/before-retry.ts';
export { Retry, type RetryOptions, retry, retryDefaults } from './retry/retry.ts';
export type { GaveUpReason } from './retry/retry-layer.ts';
export { withRetry } from './retry/with-retry.ts';
export { ctx } from './scope/ctx.ts';
export type { Context, Scope, ScopeBody, ScopeOptions, ScopeStatistics, SpawnOptions } from './scope/scope.ts';
export type { Task, TaskContext, TaskStatus } from './scope/task.ts';
export { type AcquireOptions, type Permit, Semaphore, type SemaphoreOptions, type SemaphoreStatistics } from './sync/semaphore.ts';
export type { Clock, ScheduledTimer } from './time/clock.ts';
export { useClock } from './time/current-clock.ts';
export { Deadline } from './time/deadline.ts';
export { type Duration, duration } from './time/duration.ts';
export { Timeout, type TimeoutOptions, timeout, timeoutDefaults } from './timeout/timeout.ts';
export { type WithTimeoutOptions, withTimeout } from './timeout/with-timeout.ts';
