import { describe, expect, test } from 'vitest';
import type { RetryAllowance } from '../policy/retry-allowance.ts';
import { ALLOWANCES } from '../policy/retry-allowances.test-support.ts';
import { retryBudget } from '../policy/retry-budget.ts';
import { retryQuota } from '../policy/retry-quota.ts';
import type { RetryRules } from './retry-layer.ts';
import { reset, says, Tried } from './tried.test-support.ts';

describe.each(ALLOWANCES)('R3: the %s', (_name, granting) => {
  const paying = (budget: RetryAllowance, rules: Partial<RetryRules> = {}): Tried => new Tried({ budget, maxAttempts: 9, ...rules });

  test('pays when the backoff begins, and refuses when it is empty', () => {
    const budget = granting(2);
    const calls = [paying(budget), paying(budget), paying(budget)];
    expect(calls.map((call) => call.fails(reset()))).toEqual([{ again: 200 }, { again: 200 }, 'pass']);
    expect(calls.map((call) => call.step.events)).toEqual([[], [], [expect.objectContaining({ reason: 'budget' })]]);
  });

  test('gets back what was paid for a wait that was interrupted, not for an attempt', () => {
    const budget = granting(5);
    const interrupted = paying(budget);
    interrupted.fails(reset());
    interrupted.isAbandoned(true);
    expect(budget.statistics().balance).toBe(5);
    const running = paying(budget);
    running.fails(reset());
    running.isAbandoned(false);
    expect(budget.statistics().balance).toBe(4);
  });

  test('gets nothing back for a wait that cost nothing, nor for a call that never failed', () => {
    const budget = granting(5);
    const asked = paying(budget);
    asked.fails(reset());
    asked.fails(says({ kind: 'throttled', retryAfterMs: 10 }));
    asked.isAbandoned(true);
    paying(budget).isAbandoned(true);
    expect(budget.statistics().balance).toBe(4);
  });

  test('is not asked for what would not be tried anyway', () => {
    const budget = granting(1);
    paying(budget, { maxAttempts: 1 }).fails(reset());
    paying(budget).fails(says({ kind: 'permanent' }));
    new Tried({ budget }, { timeLeftMs: 1 }).fails(reset());
    expect(budget.statistics()).toMatchObject({ balance: 1, refused: 0 });
  });
});

describe('what the budget is told', () => {
  test('that a call begins: once, and at the time of the call', () => {
    const budget = retryBudget({ ratio: 0.5, minPerSecond: 0, ttl: '10s' });
    const tried = (nowMs: number): Tried => new Tried({ budget, maxAttempts: 9 }, { nowMs });
    const call = tried(0);
    expect(call.fails(reset())).toBe('pass');
    expect(tried(9000).fails(reset())).toEqual({ again: 200 });
    expect(tried(10_000).fails(reset())).toBe('pass'); // the first is forgotten, the retry is not
    expect(tried(10_000).fails(reset())).toBe('pass');
    expect(tried(10_000).fails(reset())).toEqual({ again: 200 });
  });

  test('when a retry begins, by the time of the call', () => {
    const budget = retryBudget({ ratio: 0, minPerSecond: 1, ttl: '1s' });
    const call = new Tried({ budget, maxAttempts: 9 });
    expect(call.fails(reset())).toEqual({ again: 200 });
    call.step.given.nowMs = 1000;
    expect(call.fails(reset())).toEqual({ again: 400 });
  });

  test.each([
    ['transient', 486],
    ['throttled', 495],
    ['overloaded', 486],
  ] as const)('how it failed: %s', (kind, balance) => {
    const budget = retryQuota();
    new Tried({ budget }).fails(says({ kind }));
    expect(budget.statistics().balance).toBe(balance);
  });

  test('that a call has succeeded, and what its last retry had cost', () => {
    const budget = retryQuota();
    const call = new Tried({ budget, maxAttempts: 9, handlesResult: (value) => value === 'pending' });
    call.fails(reset());
    call.returns('pending');
    call.fails(says({ kind: 'throttled' }));
    expect(budget.statistics().balance).toBe(500 - 14 - 14 - 5);
    expect(call.returns('done')).toBe('pass');
    expect(budget.statistics().balance).toBe(500 - 14 - 14);
    new Tried({ budget }).returns('done');
    expect(budget.statistics().balance).toBe(500 - 14 - 14 + 1);
  });

  test('that it has, where its last retry had cost nothing', () => {
    const budget = retryQuota();
    const call = new Tried({ budget, maxAttempts: 9 });
    call.fails(reset());
    call.fails(says({ kind: 'throttled', retryAfterMs: 10 }));
    call.returns('done');
    expect(budget.statistics().balance).toBe(500 - 14 + 1);
  });
});
