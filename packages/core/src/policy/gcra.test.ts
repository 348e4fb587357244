import { describe, expect, test } from 'vitest';
import { Gcra } from './gcra.ts';
import type { Booking } from './token-meter.ts';

/** Tokens for the earliest moment. */
const book = (meter: Gcra, cost: number, nowMs: number): Booking => meter.book(cost, meter.earliestMs(cost, nowMs));

/** When a token each is had by as many as `count` who come at `nowMs`. */
const bookEach = (meter: Gcra, count: number, nowMs: number): number[] => Array.from({ length: count }, () => book(meter, 1, nowMs).atMs);

describe('booking', () => {
  test('spaces tokens evenly', () => {
    const meter = new Gcra(10, 1000, 1);
    expect(bookEach(meter, 4, 0)).toEqual([0, 100, 200, 300]);
    expect(meter.earliestMs(1, 0)).toBe(400);
    expect(meter.earliestMs(1, 1000)).toBe(1000);
  });

  test('counts from when tokens were really taken', () => {
    const meter = new Gcra(10, 1000, 1);
    meter.book(1, meter.earliestMs(1, 0));
    meter.book(1, meter.earliestMs(1, 130));
    expect(meter.earliestMs(1, 130)).toBe(230);
  });

  test('lets a burst through, then goes on evenly', () => {
    const meter = new Gcra(10, 1000, 3);
    expect(bookEach(meter, 5, 0)).toEqual([0, 0, 0, 100, 200]);
  });

  test('the burst fills up by one token each period / limit, and no further than full', () => {
    const meter = new Gcra(10, 1000, 3);
    bookEach(meter, 3, 0);
    expect(bookEach(meter, 2, 150)).toEqual([150, 200]);
    expect(bookEach(meter, 4, 10_000)).toEqual([10_000, 10_000, 10_000, 10_100]);
  });

  test('a cost of several waits for all of them', () => {
    const meter = new Gcra(10, 1000, 5);
    expect(book(meter, 5, 0).atMs).toBe(0);
    expect(meter.earliestMs(1, 0)).toBe(100);
    expect(book(meter, 3, 0).atMs).toBe(300);
    expect(book(meter, 0.5, 0).atMs).toBe(350);
  });

  test('never comes before a moment it was told already', () => {
    const meter = new Gcra(10, 1000, 3);
    meter.book(3, meter.earliestMs(3, 5000));
    expect(meter.earliestMs(1, 0)).toBe(5100);
  });

  test('of many at once is for when the last of them starts', () => {
    for (const promise of [false, true]) {
      const meter = new Gcra(10, 1000, 3);
      bookEach(meter, 3, 0);
      if (promise) book(meter, 1, 0);
      expect(meter.bookAll([1, 3, 2], 6, 0)).toBeCloseTo(promise ? 700 : 600, 6);
      expect(meter.earliestMs(1, 0)).toBeCloseTo(promise ? 800 : 700, 6);
    }
    expect(new Gcra(10, 1000, 5).bookAll([1, 1], 2, 40)).toBe(40);
  });
});

describe('a promise', () => {
  test('is counted until its moment comes', () => {
    const meter = new Gcra(10, 1000, 1);
    bookEach(meter, 3, 0);
    expect([meter.promised(0), meter.promised(99), meter.promised(100), meter.promised(200)]).toEqual([2, 2, 1, 0]);
  });

  test('is kept: whoever could break it comes behind, whoever could not comes before', () => {
    const meter = new Gcra(10, 1000, 1);
    meter.book(1, meter.earliestMs(1, 0));
    meter.earliestMs(1, 10);
    meter.book(1, 250); // 100 to 150 is free before it
    expect(meter.earliestMs(1, 120)).toBe(120);
    expect(meter.earliestMs(1, 150)).toBe(150);
    expect(meter.earliestMs(1, 151)).toBe(350);
  });

  test('that comes back before its moment leaves a gap for others', () => {
    const meter = new Gcra(10, 1000, 1);
    const [, second] = [book(meter, 1, 0), book(meter, 1, 0), book(meter, 1, 0)];
    meter.giveBack(second as Booking, 1, 50);
    expect(meter.earliestMs(1, 50)).toBe(100);
    expect(meter.earliestMs(1, 100)).toBe(100);
    expect(meter.earliestMs(1, 101)).toBe(300);
  });

  test('keeps what it keeps of its cost', () => {
    const meter = new Gcra(10, 1000, 5);
    book(meter, 5, 0);
    const promise = book(meter, 4, 0);
    meter.giveBack(promise, 3, 0);
    expect([promise.cost, meter.promised(0)]).toEqual([1, 1]);
    expect(meter.earliestMs(3, 0)).toBe(300);
    expect(meter.earliestMs(4, 0)).toBe(500);
  });
});

describe('giving back', () => {
  test('the last booking: as if it had never been made', () => {
    const meter = new Gcra(10, 1000, 2);
    bookEach(meter, 2, 0);
    const last = book(meter, 2, 0);
    expect(last.atMs).toBe(200);
    meter.giveBack(last, 2, 0);
    expect([last.cost, meter.promised(0), meter.earliestMs(1, 0)]).toEqual([0, 0, 100]);
  });

  test('a part of the last booking', () => {
    const meter = new Gcra(10, 1000, 5);
    const booking = book(meter, 5, 0);
    meter.giveBack(booking, 3, 0);
    expect(booking.cost).toBe(2);
    expect(bookEach(meter, 4, 0)).toEqual([0, 0, 0, 100]);
  });

  test('nothing where the bucket was full since: what flowed over is gone', () => {
    const meter = new Gcra(10, 1000, 5);
    const early = book(meter, 5, 0);
    book(meter, 1, 500);
    meter.giveBack(early, 5, 500);
    expect(bookEach(meter, 5, 500)).toEqual([500, 500, 500, 500, 600]);
  });

  test('only what the fullest moment since has left room for', () => {
    const meter = new Gcra(10, 1000, 5);
    const early = book(meter, 5, 0);
    book(meter, 1, 300); // 3 tokens were there: room for 2
    meter.giveBack(early, 5, 300);
    expect(bookEach(meter, 5, 300)).toEqual([300, 300, 300, 300, 400]);
  });

  test('room is used once, whoever gives back', () => {
    const meter = new Gcra(10, 1000, 5);
    const early = [book(meter, 2, 0), book(meter, 3, 0)] as [Booking, Booking];
    book(meter, 1, 300);
    meter.giveBack(early[0], 2, 300);
    meter.giveBack(early[1], 2, 300);
    expect(bookEach(meter, 5, 300)).toEqual([300, 300, 300, 300, 400]);
  });

  test('nothing for a booking that more than a thousand have followed', () => {
    const room = (followers: number): number => {
      const meter = new Gcra(1, 1, 5000);
      const early = book(meter, 3000, 0);
      bookEach(meter, followers, 0);
      const beforeMs = meter.earliestMs(5000, 0);
      meter.giveBack(early, 3000, 0);
      return beforeMs - meter.earliestMs(5000, 0);
    };
    expect(room(1023)).toBe(3000);
    expect(room(1024)).toBe(0);
  });
});

describe('a debt', () => {
  test('is paid by those who come later, however large it is', () => {
    const meter = new Gcra(10, 1000, 2);
    book(meter, 1, 0);
    meter.debit(20, 0);
    expect(meter.earliestMs(1, 0)).toBe(2000);
    expect(meter.earliestMs(2, 0)).toBe(2100);
    expect(meter.earliestMs(1, 2500)).toBe(2500);
  });

  test('counts from when it is made, not from when the bucket was last full', () => {
    const meter = new Gcra(10, 1000, 1);
    book(meter, 1, 0);
    meter.debit(1, 5000);
    expect(meter.earliestMs(1, 5000)).toBe(5100);
  });

  test('leaves promises where they are', () => {
    const meter = new Gcra(10, 1000, 1);
    bookEach(meter, 2, 0);
    meter.debit(5, 0);
    expect([meter.promised(99), meter.promised(100), meter.earliestMs(1, 100)]).toEqual([1, 0, 700]);
  });
});

test('a copy goes its own way', () => {
  const meter = new Gcra(10, 1000, 2);
  bookEach(meter, 3, 0);
  const copy = meter.copy();
  expect([copy.capacity, copy.promised(0), copy.earliestMs(1, 0)]).toEqual([2, 1, 200]);
  copy.bookAll([1, 2], 3, 0);
  expect([copy.promised(5000), meter.promised(0), meter.earliestMs(1, 0)]).toEqual([0, 1, 200]);
});

test('is clear when the bucket is full, and nothing is promised', () => {
  const meter = new Gcra(10, 1000, 2);
  expect(meter.isClear(0)).toBe(true);
  book(meter, 2, 0);
  expect(meter.isClear(199)).toBe(false);
  expect(meter.isClear(200)).toBe(true);
  meter.book(1, 500);
  expect(meter.isClear(499)).toBe(false);
  expect(meter.isClear(600)).toBe(true);
});

describe('taking for good', () => {
  test('counts like a booking', () => {
    const meter = new Gcra(10, 1000, 2);
    for (const nowMs of [0, 0, 250]) {
      meter.earliestMs(1, nowMs);
      meter.take(1, nowMs);
    }
    expect([meter.earliestMs(1, 250), meter.earliestMs(2, 250)]).toEqual([250, 350]);
  });

  test('lets what was booked before give nothing back', () => {
    const meter = new Gcra(10, 1000, 5);
    const booking = book(meter, 3, 0);
    meter.take(1, 0);
    meter.giveBack(booking, 3, 0);
    expect(meter.earliestMs(5, 0)).toBe(400);
  });
});

describe('another limit', () => {
  test('leaves as many tokens missing, and fills by its own rate', () => {
    const meter = new Gcra(10, 1000, 5);
    book(meter, 4, 0);
    meter.change({ limit: 1, periodMs: 1000, burst: 5 }, 100);
    expect([meter.earliestMs(2, 100), meter.earliestMs(3, 100)]).toEqual([100, 1100]);
    meter.change({ limit: 100, periodMs: 1000, burst: 5 }, 100);
    expect(meter.earliestMs(5, 100)).toBe(130);
  });

  test('may hold more at once, or less', () => {
    const meter = new Gcra(10, 1000, 1);
    book(meter, 1, 0);
    meter.change({ limit: 10, periodMs: 1000, burst: 4 }, 0);
    expect([meter.capacity, meter.earliestMs(3, 0), meter.earliestMs(4, 0)]).toEqual([4, 0, 100]);
    book(meter, 3, 0);
    meter.change({ limit: 10, periodMs: 1000, burst: 1 }, 0);
    expect([meter.capacity, meter.earliestMs(1, 0)]).toEqual([1, 400]);
  });

  test('of a bucket that is full finds it full', () => {
    const meter = new Gcra(10, 1000, 2);
    meter.change({ limit: 1, periodMs: 1000, burst: 3 }, 500);
    expect(meter.earliestMs(3, 500)).toBe(500);
  });

  test('keeps promises, and books nobody before one that would have to wait for it', () => {
    const meter = new Gcra(10, 1000, 1);
    bookEach(meter, 3, 0);
    meter.change({ limit: 1, periodMs: 1000, burst: 1 }, 0);
    expect([meter.promised(0), meter.earliestMs(1, 0)]).toEqual([2, 3000]);
  });

  test('lets a booking of before give back as many tokens as then', () => {
    const meter = new Gcra(10, 1000, 5);
    const booking = book(meter, 5, 0);
    book(meter, 0, 0);
    meter.change({ limit: 1, periodMs: 1000, burst: 5 }, 0);
    meter.giveBack(booking, 3, 0);
    expect([meter.earliestMs(3, 0), meter.earliestMs(4, 0)]).toEqual([0, 1000]);
  });
});

describe('what one meter tells another', () => {
  test('is what is missing now, and what is promised', () => {
    const meter = new Gcra(10, 1000, 2);
    expect(meter.counted(0)).toEqual([]);
    bookEach(meter, 3, 0);
    expect(meter.counted(50)).toEqual([
      { atMs: 50, cost: 1.5 },
      { atMs: 100, cost: 1 },
    ]);
  });

  test('counts as if it had taken it itself, as far as time has not made up for it', () => {
    const meter = new Gcra(10, 1000, 5);
    book(meter, 1, 1000);
    meter.count([{ atMs: 800, cost: 4 }], 1000);
    expect(meter.earliestMs(5, 1000)).toBe(1300);
    meter.count([{ atMs: 100, cost: 4 }], 1000);
    expect(meter.earliestMs(5, 1000)).toBe(1300);
    meter.count([{ atMs: 1100, cost: 1 }], 1000);
    expect(meter.promised(1000)).toBe(1);
  });
});
