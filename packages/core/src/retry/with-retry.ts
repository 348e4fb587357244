import type { ExecuteOptions, Operation } from '../policy/policy.ts';
import { type RetryOptions, retry } from './retry.ts';

/**
 * Runs `operation` now, and again when it fails in a way that may pass: {@link retry} for a single call.
 *
 * Resolves and rejects as the policy does; a wrong option rejects with ERR_OPTION. `options` are the policy's, `call` is what is said about
 * this one call: its name, signal, deadline.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { withRetry } from 'keelson';
 *
 * let calls = 0;
 * const connect = async (): Promise<string> => {
 *   if (++calls < 3) throw new Error('refused');
 *   return 'connected';
 * };
 * assert.equal(await withRetry(connect, { maxAttempts: 5, baseDelay: '5ms' }, { timeout: '10s' }), 'connected');
 */
export async function withRetry<T>(operation: Operation<T>, options?: RetryOptions, call?: ExecuteOptions): Promise<T> {
  return await retry(options).execute(operation, call);
}
