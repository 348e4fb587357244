import { describe, expect, test } from 'vitest';
import { Consecutive, CountWindow, TimeWindow, type TripStrategy } from './trip-strategy.ts';

const MEMORY_MS = 60_000;
const RATE = { failureRate: 0.5, minimumCalls: 4 };

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
    expect(strategy.counts(10)).toEqual({ calls: 2, failures: 2 });
    expect(strategy.isClean(10)).toBe(false);
    strategy.succeeded();
    expect(strategy.isClean(10)).toBe(true);
    note(strategy, 'xx');
    strategy.reset();
    expect(strategy.counts(10)).toEqual({ calls: 0, failures: 0 });
  });

  test('B5: forgets when no failure has come for as long as it remembers', () => {
    const strategy = new Consecutive(3, 1000);
    expect(strategy.failed(0)).toBe(false);
    expect(strategy.failed(1000)).toBe(false);
    expect(strategy.isClean(2000)).toBe(false);
    expect(strategy.isClean(2001)).toBe(true);
    expect(strategy.failed(2001)).toBe(false);
    expect(strategy.counts(2001)).toEqual({ calls: 1, failures: 1 });
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
    const strategy = new CountWindow(6, { failureRate: 1, minimumCalls: 6 }, MEMORY_MS);
    note(strategy, 'xxx.');
    expect(strategy.counts(40)).toEqual({ calls: 4, failures: 3 });
    note(strategy, '...x', 40);
    expect(strategy.counts(80)).toEqual({ calls: 6, failures: 2 });
    expect(strategy.isClean(80)).toBe(false);
    note(strategy, '......', 80);
    expect(strategy.isClean(140)).toBe(true);
  });

  test('a rate of 0.3 is reached by 3 of 10, one of 1 by nothing but failures', () => {
    expect(note(new CountWindow(10, { failureRate: 0.3, minimumCalls: 10 }, MEMORY_MS), '.......xxx')).toBe(10);
    expect(note(new CountWindow(10, { failureRate: 1, minimumCalls: 10 }, MEMORY_MS), 'xxxxxxxxx.')).toBe(0);
  });

  test('forgets everything when it is reset', () => {
    const strategy = new CountWindow(6, RATE, MEMORY_MS);
    note(strategy, 'xxx');
    strategy.reset();
    expect(strategy.counts(30)).toEqual({ calls: 0, failures: 0 });
    expect(note(strategy, 'xxx', 30)).toBe(0);
    expect(note(strategy, 'x', 60)).toBe(1);
  });

  test('B5: forgets when no call has ended for as long as it remembers', () => {
    const strategy = new CountWindow(6, RATE, 1000);
    note(strategy, 'xxx');
    strategy.succeeded({ nowMs: () => 1020 });
    expect(strategy.counts(2020)).toEqual({ calls: 4, failures: 3 });
    expect(strategy.counts(2021)).toEqual({ calls: 0, failures: 0 });
    expect(note(strategy, 'xxx', 2021)).toBe(0);
  });

  test('says what it trips on', () => {
    expect(new CountWindow(100, { failureRate: 0.125, minimumCalls: 20 }, MEMORY_MS).rule).toBe(
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
    expect(strategy.counts(999)).toEqual({ calls: 4, failures: 3 });
    expect(strategy.counts(1000)).toEqual({ calls: 2, failures: 1 });
    expect(strategy.isClean(1199)).toBe(false);
    expect(strategy.isClean(1200)).toBe(true);
    expect(strategy.counts(1200)).toEqual({ calls: 0, failures: 0 });
  });

  test('B5: forgets all after a long time', () => {
    const strategy = windowOf();
    note(strategy, 'xxx');
    expect(strategy.counts(1e9)).toEqual({ calls: 0, failures: 0 });
    expect(note(strategy, 'xxx', 1e9)).toBe(0);
  });

  test('B5: forgets before it notes', () => {
    const strategy = windowOf();
    note(strategy, 'xxx');
    expect(strategy.failed(1500)).toBe(false);
    note(strategy, 'xxx');
    strategy.succeeded({ nowMs: () => 3000 });
    expect(strategy.counts(3000)).toEqual({ calls: 1, failures: 0 });
  });

  test('a clock that lies behind moves nothing', () => {
    const strategy = windowOf();
    note(strategy, 'xx', 5000);
    note(strategy, 'x', 100);
    expect(strategy.counts(5050)).toEqual({ calls: 3, failures: 3 });
  });

  test('forgets everything when it is reset', () => {
    const strategy = windowOf();
    note(strategy, 'xxx');
    strategy.reset();
    expect(strategy.counts(30)).toEqual({ calls: 0, failures: 0 });
    note(strategy, 'x', 1500);
    expect(strategy.counts(1500)).toEqual({ calls: 1, failures: 1 });
  });

  test('says what it trips on', () => {
    expect(windowOf({ failureRate: 0.5, minimumCalls: 10 }).rule).toBe('50 % failures of at least 10 calls over 1s');
  });
});
