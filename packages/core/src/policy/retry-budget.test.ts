import { describe, expect, test } from 'vitest';
import { watchLive } from '../observe/live.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from '../time/current-clock.ts';
import { type RetryBudget, type RetryBudgetOptions, type RetryBudgetSnapshot, retryBudget, retryBudgetDefaults } from './retry-budget.ts';

/** How many retries `budget` grants at `nowMs`. */
function takeAll(budget: RetryBudget, nowMs = 0): number {
  let taken = 0;
  while (budget.tryTake('transient', nowMs) !== undefined) taken++;
  return taken;
}

const call = (budget: RetryBudget, times: number, nowMs = 0): void => {
  for (let i = 0; i < times; i++) budget.began(nowMs);
};

test('grants its minimum from the start', () => {
  expect(takeAll(retryBudget())).toBe(10);
  expect(takeAll(retryBudget({ minPerSecond: 3, ttl: '2s' }), 1e9)).toBe(6);
  expect(takeAll(retryBudget({ minPerSecond: 0 }))).toBe(0);
});

test('each call pays its part, whatever becomes of it', () => {
  const budget = retryBudget({ ratio: 0.5, minPerSecond: 0 });
  call(budget, 1);
  expect(takeAll(budget)).toBe(0);
  call(budget, 1);
  expect(takeAll(budget)).toBe(1);
  budget.succeeded();
  expect(takeAll(budget)).toBe(0);
});

test.each([0.1, 0.2, 0.3, 0.7, 1 / 3])('%d of a retry a call: no rounding eats a retry', (ratio) => {
  const budget = retryBudget({ ratio, minPerSecond: 0 });
  let taken = 0;
  for (let i = 0; i < 300; i++) {
    call(budget, 1);
    taken += takeAll(budget);
  }
  expect(taken).toBe(Math.round(300 * ratio));
});

test('all kinds of failures cost the same', () => {
  const budget = retryBudget({ minPerSecond: 0.2 });
  expect(budget.tryTake('throttled', 0)).toBeDefined();
  expect(budget.tryTake('overloaded', 0)).toBeDefined();
  expect(budget.tryTake('transient', 0)).toBeUndefined();
});

describe('forgets what is older than its ttl, in steps of a tenth', () => {
  test('retries', () => {
    const budget = retryBudget({ ratio: 0, minPerSecond: 1, ttl: '2s' });
    expect(takeAll(budget, 150)).toBe(2);
    expect(takeAll(budget, 1999)).toBe(0);
    expect(takeAll(budget, 2000)).toBe(2);
  });

  test('calls', () => {
    const budget = retryBudget({ ratio: 1, minPerSecond: 0, ttl: '2s' });
    call(budget, 3, 199);
    call(budget, 1, 200);
    expect(budget.tryTake('transient', 1999)).toBeDefined(); // 4 - 1
    expect(takeAll(budget, 2000)).toBe(0); // 1 - 1
    expect(takeAll(budget, 2200)).toBe(0);
  });

  test('calls before the retries they paid for: nothing is left then, not less', () => {
    const budget = retryBudget({ ratio: 1, minPerSecond: 0, ttl: '2s' });
    call(budget, 2, 0);
    expect(takeAll(budget, 1900)).toBe(2);
    call(budget, 1, 2100);
    expect(takeAll(budget, 2100)).toBe(0); // the two still count
    expect(takeAll(budget, 3800)).toBe(1);
  });
});

describe('R3: what never began is given back', () => {
  test('to where it was taken', () => {
    const budget = retryBudget({ ratio: 0, minPerSecond: 1, ttl: '1s' });
    const payment = budget.tryTake('transient', 0) as number;
    expect(budget.tryTake('transient', 500)).toBeUndefined();
    budget.refund(payment);
    expect(budget.tryTake('transient', 500)).toBeDefined();
  });

  test('not a second time, where time has done so already', () => {
    const budget = retryBudget({ ratio: 0, minPerSecond: 1, ttl: '1s' });
    const payment = budget.tryTake('transient', 0) as number;
    expect(budget.tryTake('transient', 1000)).toBeDefined();
    budget.refund(payment);
    expect(budget.tryTake('transient', 1000)).toBeUndefined();
  });
});

test('a clock that lies behind the last one grants nothing, and moves nothing', () => {
  const budget = retryBudget({ ratio: 0, minPerSecond: 1, ttl: '1s' });
  expect(takeAll(budget, 50_000)).toBe(1);
  expect(takeAll(budget, 0)).toBe(0);
  expect(takeAll(budget, 50_999)).toBe(0);
  expect(takeAll(budget, 51_000)).toBe(1);
});

describe('statistics', () => {
  test('tell how it stands now, and change nothing', async () => {
    using clock = useClock(new VirtualClock());
    const budget = retryBudget({ name: 'payments', ratio: 0.5, minPerSecond: 0.5, ttl: '4s' });
    call(budget, 3, clock.nowMs());
    const payment = budget.tryTake('transient', clock.nowMs()) as number;
    expect(takeAll(budget, clock.nowMs())).toBe(2);
    await clock.advance('1s');
    const rules = { name: 'payments', ratio: 0.5, minPerSecond: 0.5, ttlMs: 4000 };
    const expected = { ...rules, balance: 0.5, calls: 3, retries: 3, granted: 3, refused: 1 };
    expect(budget.statistics()).toEqual(expected);
    expect(budget.statistics()).toEqual(expected);
    expect(Object.isFrozen(budget.statistics())).toBe(true);
    budget.refund(payment);
    expect(budget.statistics()).toMatchObject({ balance: 1.5, retries: 2, granted: 2 });
    await clock.advance('3s');
    expect(budget.statistics()).toEqual({ ...rules, balance: 2, calls: 0, retries: 0, granted: 2, refused: 1 });
  });

  test('are there for whoever looks', () => {
    using live = watchLive();
    const budget = retryBudget();
    expect(live.objects()).toEqual([budget]);
    expect(budget.name).toBe(retryBudgetDefaults.name);
  });
});

describe('a snapshot', () => {
  const options = { ratio: 0.5, minPerSecond: 0.1, ttl: '10s' } as const;

  /** A budget of which five calls and two retries count, the first of them for a second less. */
  async function used(clock: VirtualClock): Promise<RetryBudget> {
    const budget = retryBudget(options);
    call(budget, 4, clock.nowMs());
    budget.tryTake('transient', clock.nowMs());
    await clock.advance('1s');
    call(budget, 1, clock.nowMs());
    budget.tryTake('transient', clock.nowMs());
    return budget;
  }

  test('says what counts, and for how long it still does', async () => {
    using clock = useClock(new VirtualClock());
    const budget = await used(clock);
    await clock.advance(250);
    const snapshot = budget.snapshot();
    expect(snapshot).toEqual({
      version: 1,
      kind: 'retry-budget',
      takenAtMs: clock.epochMs(),
      slots: [
        { calls: 4, retries: 1, remainingMs: 8750 },
        { calls: 1, retries: 1, remainingMs: 9750 },
      ],
    });
    expect([snapshot, snapshot.slots, ...snapshot.slots].every((part) => Object.isFrozen(part))).toBe(true);
    await clock.advance('9s');
    expect(budget.snapshot().slots).toEqual([{ calls: 1, retries: 1, remainingMs: 750 }]);
  });

  test('restored in another process, goes on from there', async () => {
    let snapshot: RetryBudgetSnapshot;
    let takenAtMs: number;
    {
      using clock = useClock(new VirtualClock());
      const json = JSON.stringify((await used(clock)).snapshot());
      takenAtMs = clock.epochMs();
      snapshot = JSON.parse(json) as RetryBudgetSnapshot;
    }
    using clock = useClock(new VirtualClock({ epochMs: takenAtMs + 3000 }));
    const budget = retryBudget(options);
    takeAll(budget, clock.nowMs());
    budget.restore(snapshot);
    expect(budget.statistics()).toMatchObject({ calls: 5, retries: 2, balance: 1.5 });
    await clock.advance(5999);
    expect(budget.statistics()).toMatchObject({ calls: 5, retries: 2 });
    await clock.advance(1);
    expect(budget.statistics()).toMatchObject({ calls: 1, retries: 1 });
    await clock.advance('1s');
    expect(budget.statistics()).toMatchObject({ calls: 0, retries: 0, balance: 1 });
  });

  test('is worth nothing once its time is over', async () => {
    using clock = useClock(new VirtualClock());
    const snapshot = (await used(clock)).snapshot();
    await clock.advance('10s');
    const budget = retryBudget(options);
    budget.restore(snapshot);
    expect(budget.statistics()).toMatchObject({ calls: 0, retries: 0 });
  });

  test('counts for no longer than the ttl, whatever it says', async () => {
    using clock = useClock(new VirtualClock());
    const budget = retryBudget({ ...options, ttl: '1s' });
    const slots = [
      { calls: 1, retries: 0, remainingMs: 1e9 },
      { calls: 2, retries: 1, remainingMs: 500 },
    ];
    budget.restore({ version: 1, kind: 'retry-budget', takenAtMs: clock.epochMs(), slots });
    expect(budget.statistics()).toMatchObject({ calls: 3, retries: 1 });
    await clock.advance(500);
    expect(budget.statistics()).toMatchObject({ calls: 1, retries: 0 });
    await clock.advance(500);
    expect(budget.statistics()).toMatchObject({ calls: 0, retries: 0 });
  });

  test('leaves nothing to give back of what was taken before', () => {
    const budget = retryBudget(options);
    const payment = budget.tryTake('transient', 0) as number;
    budget.restore(retryBudget(options).snapshot());
    budget.refund(payment);
    expect(budget.statistics()).toMatchObject({ retries: 0, balance: 1 });
  });

  const good: RetryBudgetSnapshot = { version: 1, kind: 'retry-budget', takenAtMs: 0, slots: [] };
  const slots = 'slots must be an array of { calls, retries, remainingMs }, numbers of at least 0, got';
  test.each([
    [{ ...good, kind: 'retry-quota' }, 'kind must be "retry-budget", got "retry-quota"'],
    [{ ...good, version: 2 }, 'version must be 1, got 2'],
    [{ ...good, slots: undefined }, `${slots} undefined`],
    [{ ...good, slots: {} }, `${slots} an object`],
    [{ ...good, slots: [null] }, `${slots} an array`],
    [{ ...good, slots: [{ calls: -1, retries: 0, remainingMs: 0 }] }, `${slots} an array`],
    [{ ...good, slots: [{ calls: 0, retries: 0.5, remainingMs: 0 }] }, `${slots} an array`],
    [{ ...good, slots: [{ calls: 0, retries: 0, remainingMs: null }] }, `${slots} an array`],
  ])('that is wrong is refused: %j', (snapshot, message) => {
    const budget = retryBudget({ minPerSecond: 0.1 });
    takeAll(budget, 0);
    expect(() => budget.restore(snapshot as RetryBudgetSnapshot)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: `retryBudget.restore: ${message}` }),
    );
    expect(takeAll(budget, 0)).toBe(0);
  });
});

describe('F2: the options', () => {
  test.each([
    [{ ratio: -0.1 }, 'ratio must be a number from 0 to 1, got -0.1'],
    [{ ratio: 2 }, 'ratio must be a number from 0 to 1, got 2'],
    [{ minPerSecond: -1 }, 'minPerSecond must be a finite number of at least 0, got -1'],
    [{ minPerSecond: Number.POSITIVE_INFINITY }, 'minPerSecond must be a finite number of at least 0, got Infinity'],
    [{ ttl: 0 }, "ttl must be a finite duration above 0 (milliseconds, or '250ms', '5s', '2m', '1h'), got 0"],
    [{ name: '' }, 'name must be a text that is not empty, got ""'],
    [{ capacity: 10 }, 'unknown option "capacity"; there are ratio, minPerSecond, ttl, name'],
  ])('%j is refused', (options, message) => {
    expect(() => retryBudget(options as RetryBudgetOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: `retryBudget: ${message}` }),
    );
  });

  test('undefined means the default', () => {
    const budget = retryBudget({ ratio: undefined, minPerSecond: undefined, ttl: undefined, name: undefined });
    const { ttl: _, ...defaults } = retryBudgetDefaults;
    expect(budget.statistics()).toMatchObject({ ...defaults, ttlMs: 10_000 });
  });
});
