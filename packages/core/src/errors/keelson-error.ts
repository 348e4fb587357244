import type { ErrorCode } from './error-codes.ts';

const BRAND: unique symbol = Symbol.for('keelson.error');

/** What a {@link KeelsonError} is made of. */
export interface KeelsonErrorDetails {
  /** Name of the policy that refused or ended the call. */
  readonly policy?: string | undefined;
  /** Name of the operation. */
  readonly operation?: string | undefined;
  /** In how many milliseconds another try may succeed, where that is known. */
  readonly retryAfterMs?: number | undefined;
  /** What led to this error. */
  readonly cause?: unknown;
}

/**
 * Every failure that Keelson itself decides: a refusal, a timeout, a cancellation, a wrong option. An operation's own error is never
 * wrapped in one.
 *
 * Decide by `code` and the fields, never by the message. `isKeelsonError` recognises one from another copy of the package, too.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { isKeelsonError, withTimeout } from 'keelson';
 *
 * const error = await withTimeout(() => new Promise(() => {}), '10ms').catch((e: unknown) => e);
 * assert(isKeelsonError(error, 'ERR_TIMEOUT'));
 * assert.equal(error.code, 'ERR_TIMEOUT');
 */
export class KeelsonError extends Error {
  declare readonly code: ErrorCode;
  declare readonly policy: string | undefined;
  declare readonly operation: string | undefined;
  declare readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: KeelsonErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.policy = details.policy;
    this.operation = details.operation;
    this.retryAfterMs = details.retryAfterMs;
  }
}

Object.defineProperty(KeelsonError.prototype, 'name', { value: 'KeelsonError', writable: true, configurable: true });
Object.defineProperty(KeelsonError.prototype, BRAND, { value: true });

/**
 * Tells whether `error` is a {@link KeelsonError}, of this copy of the package or of another, and has one of `codes` (any, if none is named).
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { isKeelsonError, KeelsonError } from 'keelson';
 *
 * const error = new KeelsonError('ERR_TIMEOUT', 'too slow');
 * assert(isKeelsonError(error));
 * assert(isKeelsonError(error, 'ERR_TIMEOUT', 'ERR_CANCELLED'));
 * assert(!isKeelsonError(new Error('other')));
 */
export function isKeelsonError(error: unknown, ...codes: readonly ErrorCode[]): error is KeelsonError {
  if (typeof error !== 'object' || error === null || (error as { [BRAND]?: unknown })[BRAND] !== true) return false;
  return codes.length === 0 || codes.includes((error as KeelsonError).code);
}
