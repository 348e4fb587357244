import { describe, expect, test } from 'vitest';
import { VirtualClock } from './virtual-clock.ts';

/** A clock, and what its timers did. */
const setUp = (): { clock: VirtualClock; log: string[]; at: (ms: number, name: string) => () => void } => {
  const clock = new VirtualClock();
  const log: string[] = [];
  return { clock, log, at: (ms, name) => clock.schedule(ms, () => void log.push(`${name} at ${clock.nowMs()}`)).cancel };
};

/** A chain of microtasks, deeper than any that a helper would count. */
const deepMicrotasks = async (depth: number): Promise<void> => {
  for (let i = 0; i < depth; i++) await Promise.resolve();
};

test('starts at 0 on 1 January 2000, or where it was told to', async () => {
  const clock = new VirtualClock();
  expect(clock.nowMs()).toBe(0);
  expect(new Date(clock.epochMs()).toISOString()).toBe('2000-01-01T00:00:00.000Z');
  const other = new VirtualClock({ nowMs: 500, epochMs: 1_000_000 });
  await other.advance(50);
  expect(other.nowMs()).toBe(550);
  expect(other.epochMs()).toBe(1_000_050);
});

test('F2: refuses what is no start and what is no duration', () => {
  expect(() => new VirtualClock({ nowMs: Number.NaN })).toThrow('VirtualClock: nowMs must be a finite number, got NaN');
  expect(() => new VirtualClock({ start: 5 } as object)).toThrow('VirtualClock: unknown option "start"');
  expect(() => new VirtualClock().advance(-1)).toThrow('VirtualClock.advance: duration must be a duration');
  expect(() => new VirtualClock().advance(Number.POSITIVE_INFINITY)).toThrow('VirtualClock.advance: duration must be finite, got Infinity');
});

describe('advance', () => {
  test('fires in order of time, then of registration', async () => {
    const { clock, log, at } = setUp();
    at(20, 'c');
    at(10, 'a');
    at(10, 'b');
    at(30, 'never');
    await clock.advance('20ms');
    expect(log).toEqual(['a at 10', 'b at 10', 'c at 20']);
    expect(clock.nowMs()).toBe(20);
  });

  test('fires many of one moment in order of registration', async () => {
    const { clock, log, at } = setUp();
    const names = Array.from({ length: 50 }, (_, i) => String(i));
    for (const name of names) at(10, name);
    await clock.advance(10);
    expect(log).toEqual(names.map((name) => `${name} at 10`));
  });

  test('fires timers that were set on the way, if they fall due', async () => {
    const { clock, log, at } = setUp();
    clock.schedule(10, () => {
      at(5, 'nested');
      at(50, 'later');
    });
    await clock.advance(20);
    expect(log).toEqual(['nested at 15']);
  });

  test.each([-50, 0, Number.NaN])('T1: time never goes back: a delay of %d counts as 0', async (delayMs) => {
    const { clock, log, at } = setUp();
    await clock.advance(100);
    at(delayMs, 'overdue');
    await clock.advance(0);
    expect(log).toEqual(['overdue at 100']);
  });

  test('lets promises of any depth settle after each timer, before the next', async () => {
    const { clock, log, at } = setUp();
    clock.schedule(10, () => void deepMicrotasks(500).then(() => log.push('settled')));
    at(10, 'next');
    await clock.advance(10);
    expect(log).toEqual(['settled', 'next at 10']);
  });

  test('does not miss a wait that is only about to begin', async () => {
    const { clock, log, at } = setUp();
    void deepMicrotasks(500).then(() => at(10, 'begun'));
    await clock.advance(10);
    expect(log).toEqual(['begun at 10']);
  });

  test('lets everything run that follows from the last timer before it resolves', async () => {
    const { clock, log } = setUp();
    clock.schedule(10, () => void deepMicrotasks(500).then(() => log.push('settled')));
    await clock.advance(10);
    expect(log).toEqual(['settled']);
  });

  test('calls that overlap run one after the other', async () => {
    const { clock, log, at } = setUp();
    at(10, 'a');
    at(15, 'b');
    const first = clock.advance(10).then(() => log.push(`first done at ${clock.nowMs()}`));
    const second = clock.advance(10).then(() => log.push(`second done at ${clock.nowMs()}`));
    await Promise.all([first, second]);
    expect(log).toEqual(['a at 10', 'first done at 10', 'b at 15', 'second done at 20']);
  });

  test('rejects with what a timer throws, and can be called again', async () => {
    const { clock, log, at } = setUp();
    const fault = new Error('fault');
    clock.schedule(10, () => {
      throw fault;
    });
    at(11, 'after');
    await expect(clock.advance(20)).rejects.toBe(fault);
    await clock.advance(20);
    expect(log).toEqual(['after at 11']);
  });
});

test('settle lets everything run that needs no time', async () => {
  const { clock, log, at } = setUp();
  at(0, 'timer');
  void deepMicrotasks(500).then(() => log.push('settled'));
  await clock.settle();
  expect(log).toEqual(['settled']);
  expect(clock.nowMs()).toBe(0);
});

describe('timers', () => {
  test('are counted while somebody waits for them', async () => {
    const clock = new VirtualClock();
    const timer = clock.schedule(10, () => {});
    clock.schedule(20, () => {});
    expect(clock.pendingTimers).toBe(2);
    timer.cancel();
    timer.cancel();
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(20);
    expect(clock.pendingTimers).toBe(0);
  });

  test('T2: Infinity keeps none', async () => {
    const clock = new VirtualClock();
    const timer = clock.schedule(Number.POSITIVE_INFINITY, () => expect.unreachable());
    timer.ref();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance('1000h');
    timer.cancel();
  });

  test('T5: of housekeeping are not counted, and fire all the same', async () => {
    const { clock, log } = setUp();
    const timer = clock.schedule(10, () => void log.push('housekeeping'));
    timer.unref();
    timer.unref();
    expect(clock.pendingTimers).toBe(0);
    timer.ref();
    timer.ref();
    expect(clock.pendingTimers).toBe(1);
    timer.unref();
    await clock.advance(10);
    expect(log).toEqual(['housekeeping']);
    timer.ref();
    expect(clock.pendingTimers).toBe(0);
  });

  test('that were cancelled do not fire', async () => {
    const { clock, log, at } = setUp();
    at(10, 'cancelled')();
    at(10, 'kept');
    await clock.advance(10);
    expect(log).toEqual(['kept at 10']);
  });

  test('may cancel each other within one moment', async () => {
    const { clock, log, at } = setUp();
    let cancel: (() => void) | undefined;
    clock.schedule(10, () => cancel?.());
    cancel = at(10, 'cancelled');
    await clock.advance(10);
    expect(log).toEqual([]);
  });
});
