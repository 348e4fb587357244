/**
 * Every code a {@link KeelsonError} can carry; each belongs to one kind of failure and is never re-used.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { ERROR_CODES } from 'keelson';
 *
 * assert(ERROR_CODES.includes('ERR_TIMEOUT'));
 */
export const ERROR_CODES = [
  'ERR_TIMEOUT',
  'ERR_CANCELLED',
  'ERR_CIRCUIT_OPEN',
  'ERR_BULKHEAD_FULL',
  'ERR_RATE_LIMITED',
  'ERR_SCOPE_CLOSED',
  'ERR_NO_SCOPE',
  'ERR_CLOSED',
  'ERR_OPTION',
  'ERR_UNSUPPORTED',
] as const;

/** The code of a {@link KeelsonError}. */
export type ErrorCode = (typeof ERROR_CODES)[number];
