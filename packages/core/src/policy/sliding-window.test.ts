import { describe, expect, test } from 'vitest';
import { seededRandom } from '../random/seeded-random.ts';
import { SlidingWindow } from './sliding-window.ts';
import type { Booking } from './token-meter.ts';

/** Tokens for the earliest moment. */
const book = (meter: SlidingWindow, cost: number, nowMs: number): Booking => meter.book(cost, meter.earliestMs(cost, nowMs));

/** When a token each is had by as many as `count` who come at `nowMs`. */
const bookEach = (meter: SlidingWindow, count: number, nowMs: number): number[] =>
  Array.from({ length: count }, () => book(meter, 1, nowMs).atMs);

describe('booking', () => {
  test('lets the limit through as it comes, and the next when the first is a period old', () => {
    const meter = new SlidingWindow(3, 1000);
    expect([...bookEach(meter, 1, 0), ...bookEach(meter, 1, 400), ...bookEach(meter, 1, 500)]).toEqual([0, 400, 500]);
    expect(bookEach(meter, 4, 600)).toEqual([1000, 1400, 1500, 2000]);
  });

  test('never twice the limit around the end of a period', () => {
    const meter = new SlidingWindow(5, 1000);
    expect(bookEach(meter, 5, 999)).toEqual([999, 999, 999, 999, 999]);
    expect(meter.earliestMs(1, 1001)).toBe(1999);
  });

  test('a cost of several waits until so many are over', () => {
    const meter = new SlidingWindow(5, 1000);
    bookEach(meter, 2, 0);
    book(meter, 2, 300);
    expect(meter.earliestMs(1, 400)).toBe(400);
    expect(meter.earliestMs(2, 400)).toBe(1000);
    expect(meter.earliestMs(5, 400)).toBe(1300);
    expect(meter.earliestMs(1, 400)).toBe(400);
  });

  test('of many at once is for when the last of them starts, in their order', () => {
    const meter = new SlidingWindow(5, 1000);
    book(meter, 4, 0);
    expect(meter.bookAll([5, 1], 6, 100)).toBe(2000);
    expect(new SlidingWindow(5, 1000).bookAll([2, 3], 5, 100)).toBe(100);
  });

  test('adds up fractions without drifting', () => {
    const random = seededRandom(1);
    for (let i = 0; i < 8; i++) {
      const meter = new SlidingWindow(1, 1000);
      for (let period = 0; period < 1000; period++) for (let call = 0; call < 9; call++) book(meter, random.next() / 10, period * 1000);
      expect([book(meter, 0.5, 1e6).atMs, book(meter, 0.5, 1e6).atMs]).toEqual([1e6, 1e6]);
    }
  });
});

describe('a promise', () => {
  test('is counted until its moment comes', () => {
    const meter = new SlidingWindow(1, 1000);
    bookEach(meter, 3, 0);
    expect([meter.promised(0), meter.promised(999), meter.promised(1000), meter.promised(2000)]).toEqual([2, 2, 1, 0]);
  });

  test('is kept: whoever could break it comes behind, whoever could not comes before', () => {
    const meter = new SlidingWindow(2, 1000);
    meter.earliestMs(1, 0);
    meter.book(2, 1500);
    expect(meter.earliestMs(1, 500)).toBe(500);
    expect(meter.earliestMs(1, 501)).toBe(2500);
  });

  test('is kept, too, by many that together could break it', () => {
    const meter = new SlidingWindow(2, 1000);
    meter.earliestMs(1, 0);
    meter.book(1, 900);
    expect(bookEach(meter, 3, 0)).toEqual([0, 1000, 1900]);
  });

  test('that comes back before its moment leaves a gap for others', () => {
    const meter = new SlidingWindow(1, 1000);
    const [, second] = [book(meter, 1, 0), book(meter, 1, 0), book(meter, 1, 0)];
    meter.giveBack(second as Booking, 1, 500);
    expect(meter.earliestMs(1, 500)).toBe(1000);
    expect(meter.earliestMs(1, 1000)).toBe(1000);
    expect(meter.earliestMs(1, 1001)).toBe(3000);
  });

  test('keeps what it keeps of its cost', () => {
    const meter = new SlidingWindow(3, 1000);
    book(meter, 3, 0);
    const promise = book(meter, 3, 0);
    meter.giveBack(promise, 2, 0);
    expect([promise.cost, meter.promised(0), meter.earliestMs(2, 0), meter.earliestMs(3, 0)]).toEqual([1, 1, 1000, 2000]);
  });
});

describe('giving back', () => {
  test('the last booking: as if it had never been made', () => {
    const meter = new SlidingWindow(5, 1000);
    for (let atMs = 0; atMs < 5; atMs++) book(meter, 1, atMs);
    const last = book(meter, 3, 10);
    expect(last.atMs).toBe(1002);
    meter.giveBack(last, 3, 10);
    expect([last.cost, meter.promised(10), meter.earliestMs(1, 10)]).toEqual([0, 0, 1000]);
  });

  test('any other: the room is there for those who come later', () => {
    const meter = new SlidingWindow(4, 1000);
    const first = book(meter, 2, 0);
    bookEach(meter, 2, 100);
    meter.giveBack(first, 1, 200);
    expect(first.cost).toBe(1);
    expect(book(meter, 1, 200).atMs).toBe(200);
    expect(book(meter, 1, 200).atMs).toBe(1000);
  });

  test('what is more than a period old gives nothing back', () => {
    const meter = new SlidingWindow(2, 1000);
    const old = book(meter, 2, 0);
    book(meter, 2, 1000);
    meter.giveBack(old, 2, 1000);
    expect(meter.earliestMs(1, 1000)).toBe(2000);
  });

  test('what is over gives nothing back', () => {
    const meter = new SlidingWindow(2, 1000);
    const over = book(meter, 2, 0);
    expect(meter.isClear(1000)).toBe(true);
    meter.giveBack(over, 2, 1000);
    expect([book(meter, 2, 1000).atMs, book(meter, 1, 1000).atMs]).toEqual([1000, 2000]);
  });
});

describe('a debt', () => {
  test('is over when it is a period old', () => {
    const meter = new SlidingWindow(5, 1000);
    book(meter, 2, 0);
    meter.debit(20, 300);
    expect(meter.earliestMs(1, 400)).toBe(1300);
    expect(meter.earliestMs(5, 400)).toBe(1300);
    expect(meter.earliestMs(1, 1300)).toBe(1300);
  });

  test('leaves promises where they are', () => {
    const meter = new SlidingWindow(1, 1000);
    bookEach(meter, 2, 0);
    meter.debit(1, 100);
    expect([meter.promised(999), meter.promised(1000), meter.earliestMs(1, 1000)]).toEqual([1, 0, 2000]);
  });
});

test('a copy goes its own way', () => {
  const meter = new SlidingWindow(2, 1000);
  bookEach(meter, 3, 0);
  const copy = meter.copy();
  expect([copy.capacity, copy.promised(0), copy.earliestMs(1, 0)]).toEqual([2, 1, 1000]);
  copy.bookAll([1, 2], 3, 0);
  expect([copy.promised(5000), meter.promised(0), meter.earliestMs(1, 0)]).toEqual([0, 1, 1000]);
});

test('is clear when the last booking is a period old', () => {
  const meter = new SlidingWindow(5, 1000);
  expect(meter.isClear(0)).toBe(true);
  book(meter, 1, 500);
  expect(meter.isClear(1499)).toBe(false);
  expect(meter.isClear(1500)).toBe(true);
});

test('taking for good counts like a booking', () => {
  const meter = new SlidingWindow(2, 1000);
  meter.take(2, meter.earliestMs(2, 100));
  expect([meter.earliestMs(1, 100), meter.earliestMs(2, 1100)]).toEqual([1100, 1100]);
});

describe('another limit', () => {
  test('counts what was taken before', () => {
    const meter = new SlidingWindow(5, 1000);
    bookEach(meter, 4, 0);
    book(meter, 1, 500);
    meter.change({ limit: 2, periodMs: 1000, burst: 1 }, 600);
    expect([meter.capacity, meter.earliestMs(1, 600), meter.earliestMs(2, 600)]).toEqual([2, 1000, 1500]);
    meter.change({ limit: 6, periodMs: 1000, burst: 1 }, 600);
    expect([meter.earliestMs(1, 600), meter.earliestMs(2, 600)]).toEqual([600, 1000]);
  });

  test('of a shorter period forgets what is over by that, and a longer one does not know it any more', () => {
    const meter = new SlidingWindow(2, 1000);
    bookEach(meter, 1, 0);
    bookEach(meter, 1, 400);
    meter.change({ limit: 2, periodMs: 300, burst: 1 }, 500);
    expect([meter.earliestMs(1, 500), meter.earliestMs(2, 500)]).toEqual([500, 700]);
    meter.change({ limit: 2, periodMs: 1000, burst: 1 }, 500);
    expect([meter.earliestMs(1, 500), meter.earliestMs(2, 500)]).toEqual([500, 1400]);
  });

  test('keeps promises, and goes on behind them', () => {
    const meter = new SlidingWindow(1, 1000);
    bookEach(meter, 3, 0);
    meter.change({ limit: 1, periodMs: 5000, burst: 1 }, 0);
    expect([meter.promised(0), meter.earliestMs(1, 0)]).toEqual([2, 7000]);
  });
});

describe('what one meter tells another', () => {
  test('is all of the last period, and what is promised, but nothing that was given back', () => {
    const meter = new SlidingWindow(2, 1000);
    book(meter, 1, 0);
    const second = book(meter, 1, 100);
    book(meter, 1, 100);
    meter.giveBack(second, 1, 200);
    expect(meter.counted(200)).toEqual([
      { atMs: 0, cost: 1 },
      { atMs: 1000, cost: 1 },
    ]);
    expect(meter.counted(1000)).toEqual([{ atMs: 1000, cost: 1 }]);
  });

  test('counts as if it had taken it itself, each at its time', () => {
    const meter = new SlidingWindow(3, 1000);
    book(meter, 1, 5000);
    const counted = [
      { atMs: 3900, cost: 1 },
      { atMs: 4500, cost: 1 },
      { atMs: 5000, cost: 1 },
      { atMs: 5700, cost: 1 },
    ];
    meter.count(counted, 5000);
    expect([meter.promised(5000), meter.earliestMs(1, 5000), meter.earliestMs(2, 5000)]).toEqual([1, 6000, 6000]);
    expect(meter.earliestMs(3, 5000)).toBe(6700);
  });
});
