import { describe, expect, test } from 'vitest';
import { Consecutive, CountWindow, TimeWindow, type TripStrategy } from './trip-strategy.ts';

const MEMORY_MS = 60_000;
const RATE = { failureRate: 0.5, minimumCalls: 4, slow: undefined };
const SLOW_RATE = { failureRate: 0.5, minimumCalls: 4, slow: { rate: 0.75, text: '2s' } };

/** What is noted, one outcome each 10 ms: `x` is a failure, `.` a success. Says after which of them it tripped, from 1; 0 for never. */
const note = (strategy: TripStrategy, outcomes: string, fromMs = 0): number => {
  let nowMs = fromMs;
  let tripped = 0;
  [...outcomes].forEach((outcome, index) => {
    if (outcome === '.') strategy.succeeded({ nowMs: () => nowMs });
    else if (strategy.failed(nowMs) && tripped === 0) tripped = index + 1;
    nowMs += 10;
  });
  return tripped;
};

describe('consecutive', () => {
  test.each([
    ['xx', 0],
    ['xxx', 3],
    ['xx.xx.xx', 0],
    ['..xxx', 5],
  ])('%s trips a threshold of 3 at %i', (outcomes, at) => {
    expect(note(new Consecutive(3, MEMORY_MS), outcomes)).toBe(at);
  });

  test('counts the failures in a row, and knows itself clean without one', () => {
    const strategy = new Consecutive(3, MEMORY_MS);
    expect(strategy.isClean(0)).toBe(true);
    note(strategy, 'xx');
    expect(strategy.counts(10)).toEqual({ calls: 2, failures: 2, slowCalls: 0 });
    expect(strategy.isClean(10)).toBe(false);
    strategy.succeeded();
    expect(strategy.isClean(10)).toBe(true);
    note(strategy, 'xx');
    strategy.reset();
    expect(strategy.counts(10)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
  });

  test('B5: forgets when no failure has come for as long as it remembers', () => {
    const strategy = new Consecutive(3, 1000);
    expect(strategy.failed(0)).toBe(false);
    expect(strategy.failed(1000)).toBe(false);
    expect(strategy.isClean(2000)).toBe(false);
    expect(strategy.isClean(2001)).toBe(true);
    expect(strategy.failed(2001)).toBe(false);
    expect(strategy.counts(2001)).toEqual({ calls: 1, failures: 1, slowCalls: 0 });
    expect(strategy.failed(2002)).toBe(false);
    expect(strategy.failed(3002)).toBe(true);
  });

  test('reads no clock for a success', () => {
    const strategy: TripStrategy = new Consecutive(3, MEMORY_MS);
    strategy.succeeded({ nowMs: () => expect.unreachable() });
  });

  test('says what it trips on', () => {
    expect(new Consecutive(5, MEMORY_MS).rule).toBe('5 failures in a row');
    expect(new Consecutive(1, MEMORY_MS).rule).toBe('one failure');
  });
});

describe('a window of calls', () => {
  test.each([
    ['xxx', 0], // not enough calls
    ['xxxx', 4],
    ['..xx', 4],
    ['...x', 0],
    ['....xxx', 7], // 3 of the last 6
    ['xx......xxx', 11], // the first two are out
    ['xx....', 0], // only a failure trips
    ['x.x.x.', 5],
  ])('%s trips half of the last 6, of at least 4, at %i', (outcomes, at) => {
    expect(note(new CountWindow(6, RATE, MEMORY_MS), outcomes)).toBe(at);
  });

  test('counts the last calls only', () => {
    const strategy = new CountWindow(6, { failureRate: 1, minimumCalls: 6, slow: undefined }, MEMORY_MS);
    note(strategy, 'xxx.');
    expect(strategy.counts(40)).toEqual({ calls: 4, failures: 3, slowCalls: 0 });
    note(strategy, '...x', 40);
    expect(strategy.counts(80)).toEqual({ calls: 6, failures: 2, slowCalls: 0 });
    expect(strategy.isClean(80)).toBe(false);
    note(strategy, '......', 80);
    expect(strategy.isClean(140)).toBe(true);
  });

  test('a rate of 0.3 is reached by 3 of 10, one of 1 by nothing but failures', () => {
    expect(note(new CountWindow(10, { failureRate: 0.3, minimumCalls: 10, slow: undefined }, MEMORY_MS), '.......xxx')).toBe(10);
    expect(note(new CountWindow(10, { failureRate: 1, minimumCalls: 10, slow: undefined }, MEMORY_MS), 'xxxxxxxxx.')).toBe(0);
  });

  test('forgets everything when it is reset', () => {
    const strategy = new CountWindow(6, RATE, MEMORY_MS);
    note(strategy, 'xxx');
    strategy.reset();
    expect(strategy.counts(30)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
    expect(note(strategy, 'xxx', 30)).toBe(0);
    expect(note(strategy, 'x', 60)).toBe(1);
  });

  test('B5: forgets when no call has ended for as long as it remembers', () => {
    const strategy = new CountWindow(6, RATE, 1000);
    note(strategy, 'xxx');
    strategy.succeeded({ nowMs: () => 1020 });
    expect(strategy.counts(2020)).toEqual({ calls: 4, failures: 3, slowCalls: 0 });
    expect(strategy.counts(2021)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
    expect(note(strategy, 'xxx', 2021)).toBe(0);
  });

  test('says what it trips on', () => {
    expect(new CountWindow(100, { failureRate: 0.125, minimumCalls: 20, slow: undefined }, MEMORY_MS).rule).toBe(
      '12.5 % failures of at least 20 calls over the last 100 calls',
    );
  });
});

describe('a window of time', () => {
  const windowOf = (rule = RATE): TimeWindow => new TimeWindow(1000, rule, '1s');

  test.each([
    ['xxx', 0],
    ['xxxx', 4],
    ['....xxxx', 8],
    ['....xxx.', 0],
  ])('%s trips half of at least 4 calls at %i', (outcomes, at) => {
    expect(note(windowOf(), outcomes)).toBe(at);
  });

  test('works from the first moment of the clock on, and before it', () => {
    for (const fromMs of [0, 55, 999, 1_000_000, -500]) expect(note(windowOf(), 'xxxx', fromMs)).toBe(4);
  });

  test('B5: forgets by tenths of its period, also when nobody calls', () => {
    const strategy = windowOf();
    note(strategy, 'xx', 50); // the first tenth
    note(strategy, 'x.', 250); // the third
    expect(strategy.counts(999)).toEqual({ calls: 4, failures: 3, slowCalls: 0 });
    expect(strategy.counts(1000)).toEqual({ calls: 2, failures: 1, slowCalls: 0 });
    expect(strategy.isClean(1199)).toBe(false);
    expect(strategy.isClean(1200)).toBe(true);
    expect(strategy.counts(1200)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
  });

  test('B5: forgets all after a long time', () => {
    const strategy = windowOf();
    note(strategy, 'xxx');
    expect(strategy.counts(1e9)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
    expect(note(strategy, 'xxx', 1e9)).toBe(0);
  });

  test('B5: forgets before it notes', () => {
    const strategy = windowOf();
    note(strategy, 'xxx');
    expect(strategy.failed(1500)).toBe(false);
    note(strategy, 'xxx');
    strategy.succeeded({ nowMs: () => 3000 });
    expect(strategy.counts(3000)).toEqual({ calls: 1, failures: 0, slowCalls: 0 });
  });

  test('a clock that lies behind moves nothing', () => {
    const strategy = windowOf();
    note(strategy, 'xx', 5000);
    note(strategy, 'x', 100);
    expect(strategy.counts(5050)).toEqual({ calls: 3, failures: 3, slowCalls: 0 });
  });

  test('forgets everything when it is reset', () => {
    const strategy = windowOf();
    note(strategy, 'xxx');
    strategy.reset();
    expect(strategy.counts(30)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
    note(strategy, 'x', 1500);
    expect(strategy.counts(1500)).toEqual({ calls: 1, failures: 1, slowCalls: 0 });
  });

  test('says what it trips on', () => {
    expect(windowOf({ failureRate: 0.5, minimumCalls: 10, slow: undefined }).rule).toBe('50 % failures of at least 10 calls over 1s');
  });
});

describe('B4: slow calls', () => {
  test('count in a row with failures, and a success ends it', () => {
    const strategy = new Consecutive(3, MEMORY_MS, '2s');
    strategy.failed(0);
    strategy.slowed(10);
    expect(strategy.isTooSlow()).toBe(false);
    expect(strategy.isClean(10)).toBe(false);
    strategy.slowed(20);
    expect(strategy.isTooSlow()).toBe(true);
    expect(strategy.counts(20)).toEqual({ calls: 3, failures: 1, slowCalls: 2 });
    strategy.succeeded();
    expect(strategy.counts(20)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
    strategy.slowed(30);
    strategy.slowed(40);
    expect(strategy.failed(50)).toBe(true);
  });

  test('in a row: one that fails besides is no other call', () => {
    const strategy = new Consecutive(2, 1000, '2s');
    const mark = strategy.slowed(0);
    expect(strategy.slowFailed(mark, 500)).toBe(false);
    expect(strategy.counts(500)).toEqual({ calls: 1, failures: 1, slowCalls: 1 });
    strategy.succeeded();
    strategy.slowed(600);
    strategy.slowFailed(mark, 700); // of an earlier row
    expect(strategy.counts(700)).toEqual({ calls: 1, failures: 0, slowCalls: 1 });
    const last = strategy.slowed(800);
    strategy.slowFailed(last, 1801); // forgotten
    expect(strategy.counts(1801)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
  });

  test('over the last calls have a rate of their own', () => {
    const strategy = new CountWindow(4, SLOW_RATE, MEMORY_MS);
    note(strategy, '.');
    for (const atMs of [10, 20]) strategy.slowed(atMs);
    expect(strategy.isTooSlow(20)).toBe(false); // not enough calls
    strategy.slowed(30);
    expect(strategy.isTooSlow(30)).toBe(true);
    expect(strategy.counts(30)).toEqual({ calls: 4, failures: 0, slowCalls: 3 });
    expect(strategy.isClean(30)).toBe(false);
    note(strategy, '..', 40);
    expect(strategy.isTooSlow(60)).toBe(false);
    expect(strategy.counts(60)).toEqual({ calls: 4, failures: 0, slowCalls: 2 });
  });

  test('over the last calls: one that fails besides is the same call, while it is among them', () => {
    const strategy = new CountWindow(4, { failureRate: 0.5, minimumCalls: 2, slow: { rate: 1, text: '2s' } }, MEMORY_MS);
    note(strategy, '.');
    const mark = strategy.slowed(10);
    expect(strategy.slowFailed(mark, 20)).toBe(true);
    expect(strategy.counts(20)).toEqual({ calls: 2, failures: 1, slowCalls: 1 });
    const second = strategy.slowed(30);
    note(strategy, '...', 40);
    expect(strategy.counts(70)).toEqual({ calls: 4, failures: 0, slowCalls: 1 });
    note(strategy, '.', 70);
    expect(strategy.slowFailed(second, 80)).toBe(false);
    expect(strategy.counts(80)).toEqual({ calls: 4, failures: 0, slowCalls: 0 });
    const third = strategy.slowed(90);
    expect(strategy.slowFailed(third, 90 + MEMORY_MS + 1)).toBe(false);
    expect(strategy.counts(90 + MEMORY_MS + 1)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
  });

  test('over the last while have a rate of their own', () => {
    const strategy = new TimeWindow(1000, SLOW_RATE, '1s');
    note(strategy, '.');
    for (const atMs of [10, 20]) strategy.slowed(atMs);
    expect(strategy.isTooSlow(20)).toBe(false);
    strategy.slowed(250);
    expect(strategy.isTooSlow(250)).toBe(true);
    expect(strategy.isClean(250)).toBe(false);
    expect(strategy.counts(999)).toEqual({ calls: 4, failures: 0, slowCalls: 3 });
    expect(strategy.isTooSlow(1000)).toBe(false);
    expect(strategy.counts(1000)).toEqual({ calls: 1, failures: 0, slowCalls: 1 });
    expect(strategy.isClean(1200)).toBe(true);
  });

  test('over the last while: one that fails besides is the same call, while it is in there', () => {
    const strategy = new TimeWindow(1000, { failureRate: 0.5, minimumCalls: 2, slow: { rate: 1, text: '2s' } }, '1s');
    note(strategy, '.');
    const mark = strategy.slowed(50);
    expect(strategy.slowFailed(mark, 999)).toBe(true);
    expect(strategy.counts(999)).toEqual({ calls: 2, failures: 1, slowCalls: 1 });
    expect(strategy.counts(1000)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
    expect(strategy.slowFailed(mark, 1000)).toBe(false);
    expect(strategy.counts(1000)).toEqual({ calls: 0, failures: 0, slowCalls: 0 });
  });

  test('are said in what it trips on', () => {
    expect(new Consecutive(5, MEMORY_MS, '2s').rule).toBe('5 failures or calls slower than 2s in a row');
    expect(new Consecutive(1, MEMORY_MS, '2s').rule).toBe('one failure or call slower than 2s');
    expect(new CountWindow(100, SLOW_RATE, MEMORY_MS).rule).toBe(
      '50 % failures or 75 % slower than 2s of at least 4 calls over the last 100 calls',
    );
    expect(new TimeWindow(1000, SLOW_RATE, '1s').rule).toBe('50 % failures or 75 % slower than 2s of at least 4 calls over 1s');
  });

  test.each([
    ['the last calls', new CountWindow(4, RATE, MEMORY_MS)],
    ['the last while', new TimeWindow(1000, RATE, '1s')],
  ])('over %s trip nothing without a rate', (_name, strategy) => {
    for (const atMs of [10, 20, 30, 40, 50]) strategy.slowed(atMs);
    expect(strategy.isTooSlow(50)).toBe(false);
  });
});

describe('one that takes the place of another', () => {
  const calls = (size: number): CountWindow => new CountWindow(size, SLOW_RATE, MEMORY_MS);

  test('in a row: remembers the row, and for how long', () => {
    const old = new Consecutive(9, MEMORY_MS);
    note(old, 'xx');
    const strategy = new Consecutive(3, 1000);
    strategy.takeOver(old);
    expect(strategy.counts(1010)).toEqual({ calls: 2, failures: 2, slowCalls: 0 });
    expect(strategy.counts(1011).calls).toBe(0);
    strategy.takeOver(old);
    expect(strategy.failed(20)).toBe(true);
  });

  test.each([
    ['more', 8, { calls: 4, failures: 1, slowCalls: 1 }],
    ['as many', 4, { calls: 4, failures: 1, slowCalls: 1 }],
    ['fewer', 2, { calls: 2, failures: 0, slowCalls: 1 }],
  ])('over %s calls: remembers the last ones', (_name, size, counts) => {
    const old = calls(4);
    note(old, '.x');
    note(old, 'x.', 20); // only the last four are there
    note(old, '.', 40);
    old.slowed(50);
    const strategy = calls(size);
    strategy.takeOver(old);
    expect(strategy.counts(50)).toEqual(counts);
    expect(strategy.counts(50 + MEMORY_MS)).toEqual(counts);
    expect(strategy.counts(51 + MEMORY_MS).calls).toBe(0);
  });

  test('over the same while: remembers what is in it; over another: nothing', () => {
    const old = new TimeWindow(1000, SLOW_RATE, '1s');
    note(old, 'x', 50);
    old.slowed(250);
    const [same, other] = [new TimeWindow(1000, RATE, '1s'), new TimeWindow(500, RATE, '500ms')];
    for (const strategy of [same, other]) strategy.takeOver(old);
    expect(same.counts(999)).toEqual({ calls: 2, failures: 1, slowCalls: 1 });
    expect(same.counts(1000)).toEqual({ calls: 1, failures: 0, slowCalls: 1 });
    expect(other.counts(250).calls).toBe(0);
    note(old, 'x', 250);
    expect(same.counts(1000).calls).toBe(1);
  });

  test('of another kind: remembers nothing', () => {
    const kinds = (): TripStrategy[] => [new Consecutive(3, MEMORY_MS), calls(4), new TimeWindow(1000, RATE, '1s')];
    kinds().forEach((strategy, i) => {
      kinds().forEach((old, j) => {
        note(old, 'x');
        if (i !== j) strategy.takeOver(old);
      });
      expect(strategy.counts(0).calls).toBe(0);
    });
  });
});
