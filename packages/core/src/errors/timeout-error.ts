import { KeelsonError, type KeelsonErrorDetails } from './keelson-error.ts';

/** What a {@link TimeoutError} is made of. */
export interface TimeoutErrorDetails extends KeelsonErrorDetails {
  /** The limit that ran out, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * A limit of time ran out: a `timeout` policy's, a call's own `timeout` or `deadline`, or a scope's.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { TimeoutError, timeout } from 'keelson';
 *
 * const error = await timeout('10ms').execute(() => new Promise(() => {})).catch((e: unknown) => e);
 * assert(error instanceof TimeoutError);
 * assert.equal(error.timeoutMs, 10);
 */
export class TimeoutError extends KeelsonError {
  declare readonly timeoutMs: number;

  constructor(message: string, details: TimeoutErrorDetails) {
    super('ERR_TIMEOUT', message, details);
    this.timeoutMs = details.timeoutMs;
  }
}

Object.defineProperty(TimeoutError.prototype, 'name', { value: 'TimeoutError', writable: true, configurable: true });
