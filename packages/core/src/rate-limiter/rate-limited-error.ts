import { KeelsonError, type KeelsonErrorDetails } from '../errors/keelson-error.ts';

/** What a {@link RateLimitedError} is made of. */
export interface RateLimitedErrorDetails extends KeelsonErrorDetails {
  /** When there would be tokens, from now. */
  readonly retryAfterMs: number;
}

/**
 * A rate limiter refused a call: its queue is full, or the wait would not fit the call's deadline; `retryAfterMs` says when there would be tokens. The
 * operation was not started. It has no stack trace, which would be most of what a refusal costs.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { RateLimitedError, rateLimit } from 'keelson';
 *
 * const limiter = rateLimit({ limit: 1, period: '1h', maxQueue: 0 });
 * await limiter.acquire();
 * const error = await limiter.acquire().catch((e: unknown) => e);
 * assert(error instanceof RateLimitedError);
 * assert(error.retryAfterMs > 3_500_000);
 */
export class RateLimitedError extends KeelsonError {
  declare readonly retryAfterMs: number;

  constructor(message: string, details: RateLimitedErrorDetails) {
    super('ERR_RATE_LIMITED', message, details);
  }
}

Object.defineProperty(RateLimitedError.prototype, 'name', { value: 'RateLimitedError', writable: true, configurable: true });
