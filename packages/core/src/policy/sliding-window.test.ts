import { describe, expect, test } from 'vitest';
import { seededRandom } from '../random/seeded-random.ts';
import { SlidingWindow } from './sliding-window.ts';
import type { Booking } from './token-meter.ts';

const book = (meter: SlidingWindow, count: number, nowMs: number): number[] =>
  Array.from({ length: count }, () => meter.book(1, nowMs).atMs);

describe('booking', () => {
  test('lets the limit through as it comes, and the next when the first is a period old', () => {
    const meter = new SlidingWindow(3, 1000);
    expect([...book(meter, 1, 0), ...book(meter, 1, 400), ...book(meter, 1, 500)]).toEqual([0, 400, 500]);
    expect(book(meter, 4, 600)).toEqual([1000, 1400, 1500, 2000]);
  });

  test('never twice the limit around the end of a period', () => {
    const meter = new SlidingWindow(5, 1000);
    expect(book(meter, 5, 999)).toEqual([999, 999, 999, 999, 999]);
    expect(meter.earliestMs(1, 1001)).toBe(1999);
  });

  test('a cost of several waits until so many are over', () => {
    const meter = new SlidingWindow(5, 1000);
    book(meter, 2, 0);
    meter.book(2, 300);
    expect(meter.earliestMs(1, 400)).toBe(400);
    expect(meter.earliestMs(2, 400)).toBe(1000);
    expect(meter.earliestMs(5, 400)).toBe(1300);
    expect(meter.earliestMs(1, 400)).toBe(400);
  });

  test('keeps the order of those who wait', () => {
    const meter = new SlidingWindow(5, 1000);
    meter.book(4, 0);
    expect(meter.book(5, 100).atMs).toBe(1000);
    expect(meter.book(1, 100).atMs).toBe(2000);
  });

  test('adds up fractions without drifting', () => {
    const random = seededRandom(1);
    for (let i = 0; i < 8; i++) {
      const meter = new SlidingWindow(1, 1000);
      for (let period = 0; period < 1000; period++) for (let call = 0; call < 9; call++) meter.book(random.next() / 10, period * 1000);
      expect([meter.book(0.5, 1e6).atMs, meter.book(0.5, 1e6).atMs]).toEqual([1e6, 1e6]);
    }
  });
});

describe('giving back', () => {
  test('the last booking: as if it had never been made', () => {
    const meter = new SlidingWindow(5, 1000);
    for (let atMs = 0; atMs < 5; atMs++) meter.book(1, atMs);
    const last = meter.book(3, 10);
    expect([last.atMs, last.order, meter.lastOrder]).toEqual([1002, 6, 6]);
    meter.giveBack(last, 3);
    expect([last.cost, meter.lastOrder]).toEqual([0, 5]);
    expect(meter.book(1, 10)).toMatchObject({ atMs: 1000, order: 6 });
  });

  test('any other: the room is there for those who come later', () => {
    const meter = new SlidingWindow(4, 1000);
    const first = meter.book(2, 0);
    book(meter, 2, 100);
    meter.giveBack(first, 1);
    expect(first.cost).toBe(1);
    expect(meter.book(1, 200).atMs).toBe(200);
    expect(meter.book(1, 200).atMs).toBe(1000);
  });

  test('what is planned stays where it is', () => {
    const meter = new SlidingWindow(2, 1000);
    const [first] = [meter.book(2, 0), meter.book(2, 0)] as [Booking, Booking];
    meter.giveBack(first, 2);
    expect(meter.book(1, 0).atMs).toBe(2000);
  });

  test('what is more than a period old gives nothing back', () => {
    const meter = new SlidingWindow(2, 1000);
    const old = meter.book(2, 0);
    meter.book(2, 1000);
    meter.giveBack(old, 2);
    expect(meter.earliestMs(1, 1000)).toBe(2000);
  });

  test('what is over gives nothing back', () => {
    const meter = new SlidingWindow(2, 1000);
    const over = meter.book(2, 0);
    expect(meter.isClear(1000)).toBe(true);
    meter.giveBack(over, 2);
    expect([meter.book(2, 1000).atMs, meter.book(1, 1000).atMs]).toEqual([1000, 2000]);
  });

  test('nothing twice for a booking that is gone', () => {
    const meter = new SlidingWindow(2, 1000);
    const gone = meter.book(1, 0);
    meter.giveBack(gone, 1);
    meter.book(2, 0);
    meter.giveBack(gone, 1);
    expect(meter.earliestMs(1, 0)).toBe(1000);
  });
});

describe('a debt', () => {
  test('is over when it is a period old', () => {
    const meter = new SlidingWindow(5, 1000);
    meter.book(2, 0);
    meter.debit(20, 300);
    expect(meter.earliestMs(1, 400)).toBe(1300);
    expect(meter.earliestMs(5, 400)).toBe(1300);
    expect(meter.earliestMs(1, 1300)).toBe(1300);
  });

  test('joins the plan behind those who wait already', () => {
    const meter = new SlidingWindow(1, 1000);
    book(meter, 2, 0);
    meter.debit(1, 100);
    expect(meter.book(1, 100).atMs).toBe(2000);
  });
});

test('is clear when the last booking is a period old', () => {
  const meter = new SlidingWindow(5, 1000);
  expect(meter.isClear(0)).toBe(true);
  meter.book(1, 500);
  expect(meter.isClear(1499)).toBe(false);
  expect(meter.isClear(1500)).toBe(true);
});
