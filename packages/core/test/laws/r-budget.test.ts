import { describe, expect, test, vi } from 'vitest';
import { bulkhead } from '../../src/bulkhead/bulkhead.ts';
import { circuitBreaker } from '../../src/circuit-breaker/circuit-breaker.ts';
import { OUTCOME } from '../../src/outcome/classify.ts';
import { compose } from '../../src/policy/compose.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { ALLOWANCES } from '../../src/policy/retry-allowances.test-support.ts';
import { retryBudget } from '../../src/policy/retry-budget.ts';
import { retryQuota } from '../../src/policy/retry-quota.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { retry } from '../../src/retry/retry.ts';
import { obedient } from '../support/work.ts';
import { stranger } from './orders.ts';

const time = onVirtualTime();
const fail = (): never => {
  throw new Error('down');
};

describe.each(ALLOWANCES)('R3 a %s', (_name, granting) => {
  const options = { maxAttempts: 3, baseDelay: 1000, jitter: 'none' } as const;
  const one = (): ReturnType<typeof granting> => granting(1);

  test('counts the retries that wait, and gates new attempts only', async () => {
    const budget = one();
    const policy = retry({ ...options, budget });
    const ran = vi.fn(fail);
    const first = ending(policy.execute(ran));
    await time.clock.settle();
    expect(budget.statistics()).toMatchObject({ balance: 0, granted: 1 });
    expect(await ending(policy.execute(ran))).toMatchObject({ error: { message: 'down' } });
    expect(ran).toHaveBeenCalledTimes(2); // a first attempt costs nothing
    await time.clock.advance('1m');
    await first;
    expect(ran).toHaveBeenCalledTimes(3);
  });

  test.each([
    ['its caller', (policy: Policy<unknown, unknown>, signal: AbortSignal) => policy.execute(fail, { signal })],
    ['its own limit', (policy: Policy<unknown, unknown>) => policy.execute(fail, { timeout: 500 })],
    [
      'the caller, around a bulkhead',
      (policy: Policy<unknown, unknown>, signal: AbortSignal) => compose(bulkhead({ maxConcurrency: 1 }), policy).execute(fail, { signal }),
    ],
    [
      'the caller, within a breaker',
      (policy: Policy<unknown, unknown>, signal: AbortSignal) => compose(policy, circuitBreaker()).execute(fail, { signal }),
    ],
    [
      'the caller, around a stranger',
      (policy: Policy<unknown, unknown>, signal: AbortSignal) => compose(stranger(), policy, stranger()).execute(fail, { signal }),
    ],
  ] as const)('takes back what was paid for a retry that %s ended before it began', async (_name, execute) => {
    const budget = one();
    const controller = new AbortController();
    const result = ending(execute(retry({ ...options, budget }), controller.signal));
    await time.clock.advance(100);
    controller.abort('gone');
    await result;
    expect(budget.statistics()).toMatchObject({ balance: 1, granted: 0 });
    await time.clock.advance('1m');
  });

  test('takes it back where user code ended the call while it was decided', async () => {
    const budget = one();
    const controller = new AbortController();
    const handles = (): boolean => {
      controller.abort('gone');
      return true;
    };
    expect(await ending(retry({ ...options, budget, handles }).execute(fail, { signal: controller.signal }))).toEqual({ error: 'gone' });
    expect(budget.statistics()).toMatchObject({ balance: 1, granted: 0 });
  });

  test('keeps what was paid once the attempt has begun', async () => {
    const budget = one();
    const controller = new AbortController();
    let starts = 0;
    const result = ending(
      retry({ ...options, budget }).execute((call) => (starts++ === 0 ? fail() : obedient(5000, 1)(call)), { signal: controller.signal }),
    );
    await time.clock.advance(1500);
    controller.abort('gone');
    expect(await result).toEqual({ error: 'gone' });
    expect(budget.statistics()).toMatchObject({ balance: 0, granted: 1 });
  });
});

test('R3 a budget grants no more than its share of the calls of its time to live', async () => {
  const budget = retryBudget({ ratio: 0.25, minPerSecond: 0, ttl: '10s' });
  const policy = retry({ maxAttempts: 2, baseDelay: 1, budget });
  const ran = vi.fn(fail);
  const startsOf = async (calls: number): Promise<number> => {
    ran.mockClear();
    const results = Array.from({ length: calls }, () => ending(policy.execute(ran)));
    await time.clock.advance('1s');
    await Promise.all(results);
    return ran.mock.calls.length;
  };
  expect(await startsOf(8)).toBe(10);
  expect(await startsOf(2)).toBe(2);
  await time.clock.advance('10s');
  expect(await startsOf(3)).toBe(3); // all is forgotten, and three calls pay for three quarters
});

test('R3 a quota is used up by failures, by what they are, and filled by calls that succeed', async () => {
  const budget = retryQuota({ capacity: 20 });
  const throttled = (): never => {
    throw Object.assign(new Error('slow down'), { [OUTCOME]: { kind: 'throttled' } });
  };
  const policy = retry({ maxAttempts: 9, baseDelay: 1, budget });
  const startsOf = async (operation: () => unknown): Promise<number> => {
    const ran = vi.fn(operation);
    const result = ending(policy.execute(ran));
    await time.clock.advance('1m');
    await result;
    return ran.mock.calls.length;
  };
  expect(await startsOf(fail)).toBe(2); // 14 of 20
  expect(await startsOf(throttled)).toBe(2); // 5 of 6
  expect(await startsOf(throttled)).toBe(1);
  for (let i = 0; i < 4; i++) await startsOf(() => 'ok');
  let starts = 0;
  expect(await startsOf(() => (starts++ === 0 ? throttled() : 'ok'))).toBe(2);
  expect(budget.statistics().balance).toBe(5); // it has given back what its retry had cost
});
