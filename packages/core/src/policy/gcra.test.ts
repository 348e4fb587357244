import { describe, expect, test } from 'vitest';
import { Gcra } from './gcra.ts';
import type { Booking } from './token-meter.ts';

/** When a token each is booked, for as many as `count` who come at `nowMs`. */
const book = (meter: Gcra, count: number, nowMs: number): number[] => Array.from({ length: count }, () => meter.book(1, nowMs).atMs);

describe('booking', () => {
  test('spaces tokens evenly', () => {
    const meter = new Gcra(10, 1000, 1);
    expect(book(meter, 4, 0)).toEqual([0, 100, 200, 300]);
    expect(meter.earliestMs(1, 0)).toBe(400);
    expect(meter.earliestMs(1, 1000)).toBe(1000);
  });

  test('lets a burst through, then goes on evenly', () => {
    const meter = new Gcra(10, 1000, 3);
    expect(book(meter, 5, 0)).toEqual([0, 0, 0, 100, 200]);
  });

  test('the burst fills up by one token each period / limit, and no further than full', () => {
    const meter = new Gcra(10, 1000, 3);
    book(meter, 3, 0);
    expect(book(meter, 2, 150)).toEqual([150, 200]);
    expect(book(meter, 4, 10_000)).toEqual([10_000, 10_000, 10_000, 10_100]);
  });

  test('a cost of several waits for all of them', () => {
    const meter = new Gcra(10, 1000, 5);
    expect(meter.book(5, 0).atMs).toBe(0);
    expect(meter.earliestMs(1, 0)).toBe(100);
    expect(meter.book(3, 0).atMs).toBe(300);
    expect(meter.book(0.5, 0).atMs).toBe(350);
  });

  test('never comes before what is booked already, whatever the clock says', () => {
    const meter = new Gcra(10, 1000, 3);
    meter.book(3, 5000);
    meter.giveBack(meter.book(3, 5000), 2);
    expect(meter.book(1, 5000).atMs).toBe(5300);
    expect(meter.book(1, 0).atMs).toBeGreaterThanOrEqual(5300);
  });
});

describe('giving back', () => {
  test('the last booking: as if it had never been made', () => {
    const meter = new Gcra(10, 1000, 2);
    book(meter, 3, 0);
    const last = meter.book(2, 0);
    expect([last.atMs, last.order, meter.lastOrder]).toEqual([300, 4, 4]);
    meter.giveBack(last, 2);
    expect([last.cost, meter.lastOrder]).toEqual([0, 3]);
    expect(meter.book(1, 50)).toMatchObject({ atMs: 200, order: 4 });
  });

  test('a part of the last booking', () => {
    const meter = new Gcra(10, 1000, 5);
    const booking = meter.book(5, 0);
    meter.giveBack(booking, 3);
    expect(booking.cost).toBe(2);
    expect(meter.lastOrder).toBe(1);
    expect(book(meter, 4, 0)).toEqual([0, 0, 0, 100]);
  });

  test('nothing where the bucket was full since: what flowed over is gone', () => {
    const meter = new Gcra(10, 1000, 5);
    const early = meter.book(5, 0);
    meter.book(1, 500);
    meter.giveBack(early, 5);
    expect(book(meter, 5, 500)).toEqual([500, 500, 500, 500, 600]);
  });

  test('only what the fullest moment since has left room for', () => {
    const meter = new Gcra(10, 1000, 5);
    const early = meter.book(5, 0);
    meter.book(1, 300); // 3 tokens were there: room for 2
    meter.giveBack(early, 5);
    expect(book(meter, 5, 300)).toEqual([300, 300, 300, 300, 400]);
  });

  test('room is used once, whoever gives back', () => {
    const meter = new Gcra(10, 1000, 5);
    const early = [meter.book(2, 0), meter.book(3, 0)] as [Booking, Booking];
    meter.book(1, 300);
    meter.giveBack(early[0], 2);
    meter.giveBack(early[1], 2);
    expect(book(meter, 5, 300)).toEqual([300, 300, 300, 300, 400]);
  });

  test('from the middle of the plan: what those behind it have left room for, and they stay where they are', () => {
    const spaced = new Gcra(10, 1000, 1);
    const middle = [spaced.book(1, 0), spaced.book(1, 0), spaced.book(1, 0)][1] as Booking;
    spaced.giveBack(middle, 1);
    expect(spaced.earliestMs(1, 0)).toBe(300);

    const bursty = new Gcra(10, 1000, 2);
    book(bursty, 2, 0);
    const next = bursty.book(1, 0);
    expect(bursty.book(1, 0).atMs).toBe(200);
    bursty.giveBack(next, 1);
    expect(bursty.book(1, 0).atMs).toBe(200);
    expect(bursty.book(1, 0).atMs).toBe(300);
  });

  test('nothing for a booking that more than a thousand have followed', () => {
    const room = (followers: number): number => {
      const meter = new Gcra(1, 1, 5000);
      const early = meter.book(3000, 0);
      book(meter, followers, 0);
      const beforeMs = meter.earliestMs(5000, 0);
      meter.giveBack(early, 3000);
      return beforeMs - meter.earliestMs(5000, 0);
    };
    expect(room(1023)).toBe(3000);
    expect(room(1024)).toBe(0);
  });

  test('nothing twice for a booking that is gone', () => {
    const meter = new Gcra(10, 1000, 5);
    const gone = meter.book(2, 0);
    meter.giveBack(gone, 2);
    meter.book(5, 0);
    meter.giveBack(gone, 2);
    expect(meter.earliestMs(1, 0)).toBe(100);
  });
});

describe('a debt', () => {
  test('is paid by those who come later, however large it is', () => {
    const meter = new Gcra(10, 1000, 2);
    meter.book(1, 0);
    meter.debit(20, 0);
    expect(meter.earliestMs(1, 0)).toBe(2000);
    expect(meter.earliestMs(2, 0)).toBe(2100);
    expect(meter.earliestMs(1, 2500)).toBe(2500);
  });

  test('counts from when it is made, not from when the bucket was last full', () => {
    const meter = new Gcra(10, 1000, 1);
    meter.book(1, 0);
    meter.debit(1, 5000);
    expect(meter.earliestMs(1, 5000)).toBe(5100);
  });
});

test('is clear when the bucket is full', () => {
  const meter = new Gcra(10, 1000, 2);
  expect(meter.isClear(0)).toBe(true);
  meter.book(2, 0);
  expect(meter.isClear(199)).toBe(false);
  expect(meter.isClear(200)).toBe(true);
});
