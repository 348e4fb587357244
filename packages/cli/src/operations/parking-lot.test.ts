import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { nowMs } from '../runtime/host-time.ts';
import { RunStatistics } from '../runtime/run-statistics.ts';
import { type BreakerView, ParkingLot, type Turn } from './parking-lot.ts';
import { Slots } from './slots.ts';

const CLOSED: BreakerView = { isClosed: true, retryAfterMs: 0 };
const PROBING: BreakerView = { isClosed: false, retryAfterMs: 0 };
const open = (retryAfterMs: number): BreakerView => ({ isClosed: false, retryAfterMs });

const GIVE_UP_MS = 10_000;
const TOTAL_MS = 60_000;
const NEVER = new AbortController().signal;

function lot(slotCount = 1) {
  const views = new Map<string, BreakerView>();
  const slots = new Slots(slotCount);
  const statistics = new RunStatistics();
  const look = (origin: string): BreakerView => views.get(origin) ?? CLOSED;
  const parking = new ParkingLot({ look, giveUpAfterMs: GIVE_UP_MS, totalTimeoutMs: TOTAL_MS, slots, statistics });
  return { parking, slots, statistics, views };
}

const lineOf = (turn: Turn | undefined): unknown =>
  turn === undefined || turn.kind === 'go on' ? turn?.kind : [turn.kind, turn.place.line];
const at = (line: number) => ({ offset: line * 10, line });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('a job that has not begun', () => {
  test('may begin where its breaker is closed and nobody waits before it', () => {
    const { parking, views } = lot();
    expect(parking.admits('a')).toBe(true);
    views.set('a', open(5000));
    expect(parking.admits('a')).toBe(false);
    parking.park(at(1), 'a');
    views.set('a', CLOSED);
    expect(parking.admits('a')).toBe(false);
    expect(lineOf(parking.next())).toEqual(['begin', 1]);
    expect(parking.next()).toBeUndefined();
    expect(parking.admits('a')).toBe(true);
  });

  test('waits until the breaker says, and is looked at no sooner', () => {
    const { parking, statistics, views } = lot();
    views.set('a', open(5000));
    parking.park(at(1), 'a');
    expect([parking.next(), statistics.parked]).toEqual([undefined, 1]);
    expect(parking.nextAskMs - nowMs()).toBe(5000);
    vi.advanceTimersByTime(5000);
    views.set('a', CLOSED);
    expect([lineOf(parking.next()), statistics.parked]).toEqual([['begin', 1], 0]);
  });

  test('is let go as a probe, one at a time, until its attempt has ended', () => {
    const { parking, views } = lot(3);
    views.set('a', PROBING);
    for (const line of [1, 2, 3]) parking.park(at(line), 'a');
    expect(lineOf(parking.next())).toEqual(['begin', 1]);
    expect(parking.next()).toBeUndefined();
    parking.changed('a');
    expect(lineOf(parking.next())).toEqual(['begin', 2]);
    views.set('a', CLOSED);
    parking.changed('a');
    expect(lineOf(parking.next())).toEqual(['begin', 3]);
  });

  test('gives up when it has waited for too long, in order', () => {
    const { parking, views } = lot();
    views.set('a', open(3_600_000));
    parking.park(at(1), 'a');
    vi.advanceTimersByTime(4000);
    parking.park(at(2), 'a');
    expect(parking.next()).toBeUndefined();
    expect(parking.nextAskMs - nowMs()).toBe(GIVE_UP_MS - 4000);
    vi.advanceTimersByTime(GIVE_UP_MS - 4000);
    expect(lineOf(parking.next())).toEqual(['give up', 1]);
    expect(parking.next()).toBeUndefined();
    vi.advanceTimersByTime(4000);
    expect(lineOf(parking.next())).toEqual(['give up', 2]);
  });

  test('needs a slot', () => {
    const { parking, slots } = lot();
    parking.park(at(1), 'a');
    slots.take();
    expect(parking.next()).toBeUndefined();
    slots.giveBack();
    expect(lineOf(parking.next())).toEqual(['begin', 1]);
  });

  test('does not wait for another origin', () => {
    const { parking, views } = lot();
    for (let n = 0; n < 100; n++) {
      views.set(`down ${n}`, open(1000 + n));
      parking.park(at(n), `down ${n}`);
    }
    parking.park(at(500), 'up');
    expect(lineOf(parking.next())).toEqual(['begin', 500]);
    expect(parking.next()).toBeUndefined();
    vi.advanceTimersByTime(1050);
    views.set('down 50', CLOSED);
    expect(lineOf(parking.next())).toEqual(['begin', 50]);
  });
});

describe('a job that has been called', () => {
  test('goes before those that have not, with what it has behind it', () => {
    const { parking, statistics, views } = lot();
    views.set('a', open(1000));
    parking.park(at(1), 'a');
    const past = { attempts: 2, startMs: nowMs() };
    parking.park(at(2), 'a', past);
    expect([parking.next(), statistics.parked]).toEqual([undefined, 2]);
    views.set('a', CLOSED);
    parking.changed('a');
    expect(parking.next()).toEqual({ kind: 'begin', place: at(2), past });
    expect(parking.next()).toMatchObject({ kind: 'begin', place: at(1), past: undefined });
    expect(statistics.parked).toBe(0);
  });

  test.each([
    ['since it was parked', 0, GIVE_UP_MS],
    ['within its total timeout', -TOTAL_MS + 4000, 4000],
  ])('gives up in time, %s', (_, startedMs, waitMs) => {
    const { parking, slots, views } = lot();
    views.set('a', open(3_600_000));
    const past = { attempts: 2, startMs: nowMs() + startedMs };
    parking.park(at(1), 'a', past);
    expect(parking.next()).toBeUndefined();
    expect(parking.nextAskMs - nowMs()).toBe(waitMs);
    vi.advanceTimersByTime(waitMs);
    slots.take();
    expect(parking.next()).toBeUndefined();
    slots.giveBack();
    expect(parking.next()).toEqual({ kind: 'give up', place: at(1), past });
    expect(parking.next()).toBeUndefined();
  });
});

describe('a job that waits in its slot', () => {
  const goOn = (turn: Turn | undefined): void => {
    expect(turn?.kind).toBe('go on');
    if (turn?.kind === 'go on') turn.resume();
  };

  test('needs no other to go on', async () => {
    const { parking, slots, statistics, views } = lot();
    views.set('a', open(1000));
    slots.take();
    const waiting = parking.wait('a', nowMs() + GIVE_UP_MS, NEVER);
    expect([statistics.waitingForOrigin, parking.next()]).toEqual([1, undefined]);
    views.set('a', CLOSED);
    vi.advanceTimersByTime(1000);
    goOn(parking.next());
    expect([await waiting, slots.areFree, statistics.waitingForOrigin]).toEqual([true, false, 0]);
  });

  test('gives up in time', async () => {
    const { parking, views } = lot();
    views.set('a', open(3_600_000));
    const waiting = parking.wait('a', nowMs() + 6000, NEVER);
    expect(parking.next()).toBeUndefined();
    vi.advanceTimersByTime(6000);
    goOn(parking.next());
    expect(await waiting).toBe(false);
  });

  test('C2: ends its wait at once when it is cancelled', async () => {
    const { parking, statistics, views } = lot();
    const cancelling = new AbortController();
    const reason = new Error('stop');
    views.set('a', open(1000));
    const waiting = parking.wait('a', nowMs() + GIVE_UP_MS, cancelling.signal);
    cancelling.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(statistics.waitingForOrigin).toBe(0);
    await expect(parking.wait('a', nowMs(), cancelling.signal)).rejects.toBe(reason);
    expect(parking.next()).toBeUndefined();
  });
});

test('tells of each change that may give somebody a turn', () => {
  const { parking, views } = lot();
  const told = vi.fn();
  parking.whenChanged(told);
  parking.changed('a');
  expect(told).toHaveBeenCalledTimes(0); // nobody waits there
  views.set('a', open(1000));
  parking.park(at(1), 'a');
  parking.changed('a');
  expect(told).toHaveBeenCalledTimes(1);
  void parking.wait('a', 0, NEVER);
  expect(told).toHaveBeenCalledTimes(2);
});
