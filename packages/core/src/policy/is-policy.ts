import type { Policy } from './policy.ts';

/** Whether `value` is a policy, ours or anybody's: told by what it has, since another copy of the package has classes of its own. */
export function isPolicy(value: unknown): value is Policy<unknown, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const { name, execute, describe } = value as Partial<Policy<unknown, unknown>>;
  return typeof name === 'string' && typeof execute === 'function' && typeof describe === 'function';
}
