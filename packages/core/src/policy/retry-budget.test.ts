import { describe, expect, test } from 'vitest';
import { watchLive } from '../observe/live.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from '../time/current-clock.ts';
import { type RetryBudget, type RetryBudgetOptions, retryBudget, retryBudgetDefaults } from './retry-budget.ts';

/** How many retries `budget` grants at `nowMs`. */
function takeAll(budget: RetryBudget, nowMs = 0): number {
  let taken = 0;
  while (budget.tryTake(nowMs)) taken++;
  return taken;
}

test('begins full', () => {
  expect(takeAll(retryBudget())).toBe(10);
  expect(takeAll(retryBudget({ capacity: 3 }), 1e9)).toBe(3);
});

test('each success pays in its part', () => {
  const budget = retryBudget({ ratio: 0.5, minPerSecond: 0 });
  takeAll(budget);
  budget.deposit();
  expect(takeAll(budget)).toBe(0);
  budget.deposit();
  expect(takeAll(budget)).toBe(1);
});

test.each([0.1, 0.2, 0.3, 0.7, 1 / 3])('%d of a retry a success: no rounding eats a retry', (ratio) => {
  const budget = retryBudget({ ratio, minPerSecond: 0, capacity: 1000 });
  takeAll(budget);
  const successes = 300;
  for (let i = 0; i < successes; i++) budget.deposit();
  expect(takeAll(budget)).toBe(Math.round(successes * ratio));
});

test('nor does rounding put it below 0', () => {
  const budget = retryBudget({ ratio: 0.1, minPerSecond: 0 });
  takeAll(budget);
  for (let i = 0; i < 10; i++) budget.deposit(); // 0.9999999999999999
  expect(budget.tryTake(0)).toBe(true);
  expect(budget.statistics().balance).toBe(0);
});

test('a second passes in its minimum', () => {
  const budget = retryBudget({ ratio: 0, minPerSecond: 2 });
  takeAll(budget, 1000);
  expect(takeAll(budget, 1499)).toBe(0);
  expect(takeAll(budget, 1500)).toBe(1);
  expect(takeAll(budget, 3000)).toBe(3);
});

test('nothing is saved up beyond the capacity', () => {
  const budget = retryBudget({ capacity: 3, minPerSecond: 1000 });
  for (let i = 0; i < 100; i++) budget.deposit();
  budget.tryTake(0);
  budget.refund();
  budget.refund();
  expect(takeAll(budget, 1e9)).toBe(3);
});

test('R3: what never began is given back', () => {
  const budget = retryBudget({ capacity: 1, minPerSecond: 0 });
  expect(budget.tryTake(0)).toBe(true);
  expect(budget.tryTake(0)).toBe(false);
  budget.refund();
  expect(budget.tryTake(0)).toBe(true);
});

test('a clock that lies behind grants nothing, and counts from there', () => {
  const budget = retryBudget({ capacity: 1, minPerSecond: 1 });
  takeAll(budget, 50_000);
  expect(budget.tryTake(0)).toBe(false);
  expect(budget.tryTake(999)).toBe(false);
  expect(budget.tryTake(1000)).toBe(true);
});

describe('statistics', () => {
  test('tell how it stands now, and change nothing', async () => {
    using clock = useClock(new VirtualClock());
    const budget = retryBudget({ name: 'payments', capacity: 4, ratio: 0.1, minPerSecond: 0.5 });
    takeAll(budget, clock.nowMs());
    await clock.advance('3s');
    const expected = { name: 'payments', balance: 1.5, capacity: 4, ratio: 0.1, minPerSecond: 0.5, granted: 4, refused: 1 };
    expect(budget.statistics()).toEqual(expected);
    expect(budget.statistics()).toEqual(expected);
    expect(Object.isFrozen(budget.statistics())).toBe(true);
    budget.refund();
    expect(budget.statistics().granted).toBe(3);
  });

  test('are there for whoever looks', () => {
    using live = watchLive();
    const budget = retryBudget();
    expect(live.objects()).toEqual([budget]);
    expect(budget.name).toBe(retryBudgetDefaults.name);
  });
});

describe('F2: the options', () => {
  test.each([
    [{ ratio: -0.1 }, 'ratio must be a number from 0 to 1, got -0.1'],
    [{ ratio: 2 }, 'ratio must be a number from 0 to 1, got 2'],
    [{ minPerSecond: -1 }, 'minPerSecond must be a finite number of at least 0, got -1'],
    [{ minPerSecond: Number.POSITIVE_INFINITY }, 'minPerSecond must be a finite number of at least 0, got Infinity'],
    [{ capacity: 0 }, 'capacity must be a whole number of at least 1, got 0'],
    [{ capacity: 1.5 }, 'capacity must be a whole number of at least 1, got 1.5'],
    [{ name: '' }, 'name must be a text that is not empty, got ""'],
    [{ ttl: '10s' }, 'unknown option "ttl"; there are ratio, minPerSecond, capacity, name'],
  ])('%j is refused', (options, message) => {
    expect(() => retryBudget(options as RetryBudgetOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: `retryBudget: ${message}` }),
    );
  });

  test('undefined means the default', () => {
    const budget = retryBudget({ ratio: undefined, minPerSecond: undefined, capacity: undefined, name: undefined });
    expect(budget.statistics()).toMatchObject(retryBudgetDefaults);
  });
});
