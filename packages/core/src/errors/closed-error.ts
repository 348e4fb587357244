import { KeelsonError, type KeelsonErrorDetails } from './keelson-error.ts';

/**
 * Something was closed by its owner, and gives nothing out any more.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { bulkhead, ClosedError } from 'keelson';
 *
 * const policy = bulkhead({ maxConcurrency: 1 });
 * policy.close();
 * const error = await policy.execute(() => 'never').catch((e: unknown) => e);
 * assert(error instanceof ClosedError);
 */
export class ClosedError extends KeelsonError {
  constructor(message: string, details?: KeelsonErrorDetails) {
    super('ERR_CLOSED', message, details);
  }
}

Object.defineProperty(ClosedError.prototype, 'name', { value: 'ClosedError', writable: true, configurable: true });
