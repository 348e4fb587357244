import { describe, expect, test } from 'vitest';
import { SendingRate } from './sending-rate.ts';

/** Sends at an even rate until `untilMs`; each call is answered at once. */
function send(rate: SendingRate, everyMs: number, fromMs: number, untilMs: number): void {
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += everyMs) {
    rate.started(1, nowMs);
    rate.answered(nowMs);
  }
}

describe('a rate of 100 a second', () => {
  test('is in force until the callee refuses, whatever is sent', () => {
    const rate = new SendingRate(100, 1000);
    send(rate, 10, 0, 2000);
    expect([rate.share, rate.isRecovered(2000)]).toEqual([1, true]);
  });

  test('falls to 0.7 of what was sent', () => {
    const rate = new SendingRate(100, 1000);
    send(rate, 20, 0, 10_000);
    rate.throttled(9999, 10_000);
    expect(rate.share).toBeCloseTo(0.35, 4);
    expect(rate.isRecovered(10_000)).toBe(false);
  });

  test('falls from itself where more was sent than it lets through, in a burst', () => {
    const rate = new SendingRate(100, 1000);
    rate.started(500, 0);
    rate.throttled(0, 5);
    expect(rate.share).toBeCloseTo(0.7, 9);
  });

  test('knows the first calls, too: those of the half second that is not over count', () => {
    const rate = new SendingRate(100, 1000);
    rate.started(30, 0);
    rate.throttled(0, 5);
    expect(rate.share).toBeCloseTo(0.42, 9);
  });

  test('knows how long ago it was that so much was sent', () => {
    const rate = new SendingRate(100, 1000);
    rate.started(50, 0);
    rate.started(0, 2000); // 50 in two seconds, smoothed
    rate.throttled(2000, 2000);
    expect(rate.share).toBeCloseTo(0.7 * 0.8 * 0.25, 9);
    const idle = new SendingRate(100, 1000);
    idle.started(50, 0);
    idle.throttled(2000, 2000);
    expect(idle.share).toBeCloseTo(0.7 * 0.8 * 0.25, 9);
  });

  test('falls once for all calls that were sent before it fell', () => {
    const rate = new SendingRate(100, 1000);
    send(rate, 10, 0, 5000);
    for (let i = 0; i < 20; i++) rate.throttled(4990 + i / 2, 5000);
    expect(rate.share).toBeCloseTo(0.7, 2);
    rate.started(1, 5001);
    rate.throttled(5001, 5002);
    expect(rate.share).toBeLessThan(0.5);
  });

  test('never falls below a twentieth', () => {
    const rate = new SendingRate(100, 1000);
    rate.throttled(0, 0);
    expect(rate.share).toBeCloseTo(0.05, 9);
  });

  test('recovers along a cubic: most of it soon, little around where it was refused, all in the end', () => {
    const rate = new SendingRate(100, 1000);
    send(rate, 20, 0, 10_000); // 50 a second
    rate.throttled(9999, 10_000);
    const shares: number[] = [];
    for (let nowMs = 10_000; nowMs < 19_000; nowMs += 1000) {
      send(rate, 14, nowMs, nowMs + 1000);
      shares.push(rate.share);
    }
    for (const [index, share] of shares.entries()) if (index > 0) expect(share).toBeGreaterThanOrEqual(shares[index - 1] as number);
    expect(shares[1]).toBeGreaterThan(0.4);
    expect(shares[3]).toBeGreaterThan(0.45);
    expect(shares[3]).toBeLessThan(0.55);
    expect(shares.at(-1)).toBe(1);
  });

  test('recovers no further than to twice what is sent, until the cubic is back at the limit', () => {
    const rate = new SendingRate(100, 1000);
    send(rate, 10, 0, 10_000);
    rate.throttled(9999, 10_000);
    rate.throttled(10_001, 10_002);
    const before = rate.share;
    send(rate, 250, 10_250, 14_000);
    expect(rate.share).toBe(before);
    send(rate, 250, 20_000, 21_000);
    expect(rate.share).toBe(1);
  });

  test('rises by a twentieth of the limit at least', () => {
    const rate = new SendingRate(100, 1000);
    send(rate, 10, 0, 10_000);
    rate.throttled(9999, 10_000);
    const shares = new Set<number>();
    for (let nowMs = 10_000; nowMs < 30_000; nowMs += 10) {
      send(rate, 10, nowMs, nowMs + 10);
      shares.add(rate.share);
    }
    expect(rate.share).toBe(1);
    expect(shares.size).toBeLessThanOrEqual(8);
  });

  test('does not recover by time alone, but then the next answer is enough', () => {
    const rate = new SendingRate(100, 1000);
    rate.started(100, 0);
    rate.throttled(0, 0);
    expect([rate.share < 1, rate.isRecovered(60_000)]).toEqual([true, true]);
    rate.answered(60_000);
    expect(rate.share).toBe(1);
  });
});

test('a slow rate takes its time: its calls are what counts, not seconds', () => {
  const rate = new SendingRate(6, 60_000);
  send(rate, 10_000, 0, 600_000);
  rate.throttled(599_999, 600_000);
  expect(rate.share).toBeCloseTo(0.7, 2);
  send(rate, 15_000, 600_000, 640_000);
  expect(rate.share).toBeLessThan(0.9);
  send(rate, 10_000, 640_000, 1_200_000);
  expect(rate.share).toBe(1);
});

describe('another limit', () => {
  test('leaves a lowered rate what it is, as far as the limit allows', () => {
    const rate = new SendingRate(100, 1000);
    rate.lowerTo(0.5, 0);
    rate.change(200, 1000);
    expect(rate.share).toBeCloseTo(0.25, 9);
    rate.change(40, 1000);
    expect(rate.share).toBe(1);
    rate.lowerTo(0.5, 0);
    rate.change(10_000, 1000);
    expect(rate.share).toBeCloseTo(0.05, 9);
  });

  test('is in force at once where nothing was lowered', () => {
    const rate = new SendingRate(100, 1000);
    rate.change(5, 60_000);
    expect(rate.share).toBe(1);
  });

  test('keeps what was measured, in its own unit of time', () => {
    const rate = new SendingRate(100, 1000);
    send(rate, 500, 0, 10_000); // 2 a second
    rate.change(4, 1000); // counts in 2.5 seconds
    rate.throttled(9999, 10_000);
    expect(rate.share).toBeCloseTo(0.7 * 0.5, 1);
  });

  test('recovers by its own unit of time, too', () => {
    const rate = new SendingRate(100, 1000);
    rate.lowerTo(0.5, 0);
    rate.change(2, 1000); // counts in 5 seconds; the lowered rate is above
    expect([rate.share, rate.isRecovered(0)]).toEqual([1, true]);
    const other = new SendingRate(10, 1000);
    other.lowerTo(0.5, 0);
    other.change(8, 1000); // in 1.25 seconds: 6.25 of 10, from 8.93
    expect(other.share).toBeCloseTo(0.625, 9);
    expect([other.isRecovered(3000), other.isRecovered(5000)]).toEqual([false, true]);
  });
});

test('a rate that was lowered elsewhere is lowered here, by no more than may be, and recovers', () => {
  const rate = new SendingRate(100, 1000);
  rate.lowerTo(1, 0);
  expect(rate.share).toBe(1);
  rate.lowerTo(0.001, 0);
  expect(rate.share).toBeCloseTo(0.05, 9);
  rate.lowerTo(0.5, 0);
  expect(rate.share).toBeCloseTo(0.05, 9);
  expect([rate.isRecovered(5000), rate.isRecovered(9000)]).toEqual([false, true]); // from 7 of 100
  send(rate, 10, 0, 20_000);
  expect(rate.share).toBe(1);
});
