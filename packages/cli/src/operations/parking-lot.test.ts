import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { nowMs } from '../runtime/host-time.ts';
import { RunStatistics } from '../runtime/run-statistics.ts';
import { type BreakerView, ParkingLot, type Turn } from './parking-lot.ts';
import { Slots } from './slots.ts';

const CLOSED: BreakerView = { isClosed: true, retryAfterMs: 0 };
const PROBING: BreakerView = { isClosed: false, retryAfterMs: 0 };
const open = (retryAfterMs: number): BreakerView => ({ isClosed: false, retryAfterMs });

const GIVE_UP_MS = 10_000;
const NEVER = new AbortController().signal;

function lot(slotCount = 1, maxWithoutSlot = 10) {
  const views = new Map<string, BreakerView>();
  const slots = new Slots(slotCount);
  const statistics = new RunStatistics();
  const look = (origin: string): BreakerView => views.get(origin) ?? CLOSED;
  const parking = new ParkingLot({ look, giveUpAfterMs: GIVE_UP_MS, maxWithoutSlot, slots, statistics });
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

describe('a job amid its attempts', () => {
  test('gives its slot back while it waits, and goes on before those that have not begun', async () => {
    const { parking, slots, statistics, views } = lot();
    views.set('a', open(1000));
    parking.park(at(1), 'a');
    slots.take();
    const waiting = parking.wait('a', nowMs(), NEVER);
    expect([slots.areFree, statistics.waitingForOrigin, parking.next()]).toEqual([true, 1, undefined]);
    views.set('a', CLOSED);
    parking.changed('a');
    const turn = parking.next();
    expect(turn?.kind).toBe('go on');
    if (turn?.kind === 'go on') turn.resume();
    expect([await waiting, slots.areFree, statistics.waitingForOrigin]).toEqual([true, false, 0]);
    slots.giveBack();
    expect(lineOf(parking.next())).toEqual(['begin', 1]);
  });

  test('gives up in time', async () => {
    const { parking, slots, views } = lot();
    views.set('a', open(3_600_000));
    slots.take();
    const waiting = parking.wait('a', nowMs() - 4000, NEVER);
    expect(parking.next()).toBeUndefined();
    vi.advanceTimersByTime(GIVE_UP_MS - 4000);
    const turn = parking.next();
    if (turn?.kind === 'go on') turn.resume();
    expect([await waiting, slots.areFree]).toEqual([false, false]);
  });

  test('C2: ends its wait at once when it is cancelled, and takes its slot back', async () => {
    const { parking, slots, statistics, views } = lot();
    const cancelling = new AbortController();
    const reason = new Error('stop');
    views.set('a', open(1000));
    slots.take();
    const waiting = parking.wait('a', nowMs(), cancelling.signal);
    cancelling.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect([slots.areFree, statistics.waitingForOrigin]).toEqual([false, 0]);
    await expect(parking.wait('a', nowMs(), cancelling.signal)).rejects.toBe(reason);
    slots.giveBack();
    expect(parking.next()).toBeUndefined();
  });

  test('keeps its slot where too many have none, and then goes on without another', async () => {
    const { parking, slots, views } = lot(2, 1);
    views.set('a', open(1000));
    slots.take();
    slots.take();
    const first = parking.wait('a', nowMs(), NEVER);
    void parking.wait('a', nowMs(), NEVER).then(() => order.push('second'));
    const order: string[] = [];
    void first.then(() => order.push('first'));
    slots.take(); // the one that the first gave back
    expect(slots.areFree).toBe(false);
    views.set('a', CLOSED);
    parking.changed('a');
    const turn = parking.next();
    if (turn?.kind === 'go on') turn.resume();
    await vi.advanceTimersByTimeAsync(0);
    expect(order).toEqual(['second']);
    expect(parking.next()).toBeUndefined();
  });
});

test('tells of each change that may give somebody a turn', () => {
  const { parking, slots, views } = lot();
  const told = vi.fn();
  parking.whenChanged(told);
  parking.changed('a');
  expect(told).toHaveBeenCalledTimes(0); // nobody waits there
  views.set('a', open(1000));
  parking.park(at(1), 'a');
  parking.changed('a');
  expect(told).toHaveBeenCalledTimes(1);
  slots.take();
  void parking.wait('a', 0, NEVER);
  expect(told).toHaveBeenCalledTimes(2);
});
