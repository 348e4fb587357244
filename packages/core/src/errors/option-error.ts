import { inert } from './inert.ts';
import { KeelsonError } from './keelson-error.ts';

const MAX_SHOWN = 60;

/** A value as an error message shows it: short, on one line, and with every control character made visible (law F3). */
export function showValue(value: unknown): string {
  if (typeof value === 'string') {
    return inert(JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value));
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/**
 * A wrong option, found when the thing was made (law F2): `retry: maxAttempts must be a whole number of at least 1, got 0`.
 * `expected` completes the sentence after "must be".
 */
export function optionError(owner: string, option: string, value: unknown, expected: string): KeelsonError {
  return new KeelsonError('ERR_OPTION', `${owner}: ${option} must be ${expected}, got ${showValue(value)}`, { policy: owner });
}
