import { describe, expect, test } from 'vitest';
import { watchLive } from '../observe/live.ts';
import type { OutcomeKind } from '../outcome/classify.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from '../time/current-clock.ts';
import { type RetryQuota, type RetryQuotaOptions, type RetryQuotaSnapshot, retryQuota, retryQuotaDefaults } from './retry-quota.ts';

/** How many retries of failures of `kind` are granted. */
function takeAll(quota: RetryQuota, kind: OutcomeKind = 'transient'): number {
  let taken = 0;
  while (quota.tryTake(kind) !== undefined) taken++;
  return taken;
}

const balanceOf = (quota: RetryQuota): number => quota.statistics().balance;

describe('a retry costs what its failure is worth', () => {
  test.each<[OutcomeKind, number]>([
    ['transient', 35],
    ['throttled', 100],
    ['overloaded', 35],
    ['permanent', 35],
    ['ok', 35],
  ])('%s: a full one pays for %d', (kind, retries) => {
    expect(takeAll(retryQuota(), kind)).toBe(retries);
  });

  test('or what it was given', () => {
    const costs = { transient: 3, throttled: 1, overloaded: 2 };
    const quota = retryQuota({ capacity: 10, costs });
    expect([quota.tryTake('transient'), quota.tryTake('throttled'), quota.tryTake('overloaded')]).toEqual([3, 1, 2]);
    expect(quota.tryTake('permanent')).toBe(3);
    expect(balanceOf(quota)).toBe(1);
  });

  test('what is left may pay for another kind', () => {
    const quota = retryQuota({ capacity: 20 });
    expect([quota.tryTake('transient'), quota.tryTake('transient'), quota.tryTake('throttled')]).toEqual([14, undefined, 5]);
  });
});

describe('a call that succeeds', () => {
  test('gives back what its last retry had cost', () => {
    const quota = retryQuota();
    quota.tryTake('transient');
    quota.tryTake('throttled');
    quota.succeeded(5);
    expect(balanceOf(quota)).toBe(486);
  });

  test('pays in 1 where it made none', () => {
    const quota = retryQuota();
    quota.tryTake('transient');
    quota.succeeded(undefined);
    expect(balanceOf(quota)).toBe(487);
    const other = retryQuota({ perSuccess: 2.5 });
    other.tryTake('transient');
    other.succeeded(undefined);
    expect(balanceOf(other)).toBe(488.5);
  });

  test('fills it to its capacity at most, and time does not', () => {
    const quota = retryQuota({ capacity: 20 });
    for (let i = 0; i < 100; i++) quota.succeeded(undefined);
    expect(balanceOf(quota)).toBe(20);
    quota.began();
    takeAll(quota);
    expect(balanceOf(quota)).toBe(6);
  });

  test('so that one failure in fourteen is paid for, for ever', () => {
    const quota = retryQuota({ capacity: 14 });
    for (let i = 0; i < 100; i++) {
      expect(quota.tryTake('transient')).toBe(14);
      for (let n = 0; n < 14; n++) quota.succeeded(undefined);
    }
  });

  test.each([0.1, 0.3, 1 / 3])('no rounding eats a retry: %d a success', (perSuccess) => {
    const quota = retryQuota({ capacity: 30, costs: { transient: 1 }, perSuccess });
    takeAll(quota);
    for (let i = 0; i < 30; i++) quota.succeeded(undefined);
    expect(takeAll(quota)).toBe(Math.round(30 * perSuccess));
    expect(balanceOf(quota)).toBeGreaterThanOrEqual(0);
  });
});

test('R3: what never began is given back', () => {
  const quota = retryQuota({ capacity: 14 });
  const payment = quota.tryTake('transient') as number;
  expect(quota.tryTake('transient')).toBeUndefined();
  quota.refund(payment);
  expect(quota.tryTake('transient')).toBe(14);
  expect(quota.statistics()).toMatchObject({ granted: 1, refused: 1 });
});

describe('statistics', () => {
  test('tell how it stands now', () => {
    const quota = retryQuota({ name: 'payments', capacity: 40, costs: { throttled: 10 }, perSuccess: 2 });
    takeAll(quota);
    const statistics = quota.statistics();
    expect(statistics).toEqual({
      name: 'payments',
      balance: 12,
      capacity: 40,
      costs: { transient: 14, throttled: 10, overloaded: 14 },
      perSuccess: 2,
      granted: 2,
      refused: 1,
    });
    expect([statistics, statistics.costs].every((part) => Object.isFrozen(part))).toBe(true);
  });

  test('are there for whoever looks', () => {
    using live = watchLive();
    const quota = retryQuota();
    expect(live.objects()).toEqual([quota]);
    expect(quota.name).toBe(retryQuotaDefaults.name);
  });
});

describe('a snapshot', () => {
  test('says what is left, and brings it back', () => {
    using clock = useClock(new VirtualClock());
    const quota = retryQuota();
    takeAll(quota);
    const snapshot = quota.snapshot();
    expect(snapshot).toEqual({ version: 1, kind: 'retry-quota', takenAtMs: clock.epochMs(), balance: 10 });
    expect(Object.isFrozen(snapshot)).toBe(true);
    const other = retryQuota();
    other.restore(JSON.parse(JSON.stringify(snapshot)) as RetryQuotaSnapshot);
    expect(balanceOf(other)).toBe(10);
  });

  test('brings back the capacity at most', () => {
    const quota = retryQuota({ capacity: 20 });
    quota.restore(retryQuota().snapshot());
    expect(balanceOf(quota)).toBe(20);
  });

  const good: RetryQuotaSnapshot = { version: 1, kind: 'retry-quota', takenAtMs: 0, balance: 5 };
  test.each([
    [{ ...good, kind: 'retry-budget' }, 'kind must be "retry-quota", got "retry-budget"'],
    [{ ...good, balance: -1 }, 'balance must be a finite number of at least 0, got -1'],
    [{ ...good, balance: undefined }, 'balance must be a finite number of at least 0, got undefined'],
    [{ ...good, takenAtMs: 'today' }, 'takenAtMs must be a date in milliseconds since 1970, got "today"'],
  ])('that is wrong is refused: %j', (snapshot, message) => {
    const quota = retryQuota();
    expect(() => quota.restore(snapshot as RetryQuotaSnapshot)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: `retryQuota.restore: ${message}` }),
    );
    expect(balanceOf(quota)).toBe(500);
  });
});

describe('F2: the options', () => {
  test.each([
    [{ capacity: 0 }, 'retryQuota: capacity must be a number above 0, got 0'],
    [{ perSuccess: -1 }, 'retryQuota: perSuccess must be a finite number of at least 0, got -1'],
    [{ costs: 14 }, 'retryQuota: costs must be an object, got 14'],
    [{ costs: { transient: 0 } }, 'retryQuota.costs: transient must be a number above 0, got 0'],
    [{ costs: { timeout: 10 } }, 'retryQuota.costs: unknown option "timeout"; there are transient, throttled, overloaded'],
    [{ capacity: 10 }, 'retryQuota.costs: transient must be at most the capacity, 10, got 14'],
    [{ costs: { throttled: 501 } }, 'retryQuota.costs: throttled must be at most the capacity, 500, got 501'],
    [{ name: '' }, 'retryQuota: name must be a text that is not empty, got ""'],
    [{ ratio: 0.2 }, 'retryQuota: unknown option "ratio"; there are capacity, costs, perSuccess, name'],
  ])('%j is refused', (options, message) => {
    expect(() => retryQuota(options as RetryQuotaOptions)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message }));
  });

  test('undefined means the default', () => {
    const costs = { transient: undefined, throttled: undefined, overloaded: undefined };
    expect(retryQuota({ capacity: undefined, costs: undefined, perSuccess: undefined, name: undefined }).statistics()).toMatchObject(
      retryQuotaDefaults,
    );
    expect(retryQuota({ costs }).statistics().costs).toEqual(retryQuotaDefaults.costs);
  });
});
