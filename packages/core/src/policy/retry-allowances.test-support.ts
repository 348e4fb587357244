import { type RetryBudget, retryBudget } from './retry-budget.ts';
import { type RetryQuota, retryQuota } from './retry-quota.ts';

/** Grants so many retries within a quarter of an hour, whatever calls do. */
const budgetOf = (retries: number): RetryBudget => retryBudget({ ratio: 0, minPerSecond: retries / 1000, ttl: '1000s' });

/** Grants so many retries, whatever calls do; a retry that makes its call succeed comes back. */
export const quotaOf = (retries: number): RetryQuota =>
  retryQuota({ capacity: retries, costs: { transient: 1, throttled: 1, overloaded: 1 }, perSuccess: 0 });

/** Both, for tests of what they have in common. */
export const ALLOWANCES = [
  ['budget', budgetOf],
  ['quota', quotaOf],
] as const;
