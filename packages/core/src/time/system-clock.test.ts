import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from './system-clock.ts';

const DAY_MS = 86_400_000;

/** Added to what `performance.now()` says: Node's timers may be ahead of it. */
let skewMs = 0;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  skewMs = 0;
  vi.advanceTimersByTime(12_345);
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + skewMs);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('T1: time is monotonic, whatever happens to the date', () => {
  const startMs = systemClock.nowMs();
  vi.setSystemTime(0);
  vi.advanceTimersByTime(5);
  expect(systemClock.nowMs()).toBe(startMs + 5);
  expect(systemClock.epochMs()).toBe(5);
});

describe('schedule', () => {
  test('calls back once, when the delay has passed', () => {
    const callback = vi.fn();
    systemClock.schedule(100, callback);
    vi.advanceTimersByTime(99);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1000);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test.each([-5, 0, Number.NaN])('counts %d as 0', (delayMs) => {
    const callback = vi.fn();
    systemClock.schedule(delayMs, callback);
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test('does not call back once cancelled, and cancelling again or after the call is harmless', () => {
    const cancelled = vi.fn();
    const timer = systemClock.schedule(100, cancelled);
    timer.cancel();
    timer.cancel();
    const called = vi.fn();
    const done = systemClock.schedule(100, called);
    vi.advanceTimersByTime(200);
    done.cancel();
    done.ref();
    done.unref();
    expect(cancelled).not.toHaveBeenCalled();
    expect(called).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('T2: Infinity keeps no timer', () => {
    const callback = vi.fn();
    const timer = systemClock.schedule(Number.POSITIVE_INFINITY, callback);
    expect(vi.getTimerCount()).toBe(0);
    timer.unref();
    timer.ref();
    timer.cancel();
    vi.advanceTimersByTime(100 * DAY_MS);
    expect(callback).not.toHaveBeenCalled();
  });

  test('T2: a delay beyond 2^31-1 ms is kept by a chain', () => {
    const callback = vi.fn();
    systemClock.schedule(60 * DAY_MS, callback);
    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test('T2: a chain can be cancelled in its second link', () => {
    const callback = vi.fn();
    const timer = systemClock.schedule(60 * DAY_MS, callback);
    vi.advanceTimersByTime(30 * DAY_MS);
    timer.cancel();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(60 * DAY_MS);
    expect(callback).not.toHaveBeenCalled();
  });

  test('T3: an early wake looks again and waits for the rest', () => {
    const callback = vi.fn();
    systemClock.schedule(100, callback);
    skewMs = -0.7;
    vi.advanceTimersByTime(100);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test('T5: ref and unref survive an early wake', () => {
    const setTimer = vi.spyOn(globalThis, 'setTimeout');
    const refs = (): boolean[] => setTimer.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef());
    const timer = systemClock.schedule(60 * DAY_MS, () => {});
    expect(refs()).toEqual([true]);
    timer.unref();
    expect(refs()).toEqual([false]);
    vi.advanceTimersByTime(25 * DAY_MS);
    expect(refs()).toEqual([false, false]);
    timer.ref();
    expect(refs()).toEqual([false, true]);
    vi.advanceTimersByTime(25 * DAY_MS);
    expect(refs()).toEqual([false, true, true]);
  });
});

describe('T5: the process', () => {
  const source = JSON.stringify(new URL('./system-clock.ts', import.meta.url).href);
  const run = async (body: string): Promise<string> => {
    const code = `import { systemClock } from ${source};\n${body}`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { timeout: 20_000 });
    return stdout;
  };

  test('lives until a timer that somebody waits for has fired', async () => {
    expect(await run("systemClock.schedule(20, () => console.log('fired'));")).toBe('fired\n');
  });

  test('ends before a housekeeping timer has', async () => {
    expect(await run("systemClock.schedule(3_600_000, () => console.log('fired')).unref();")).toBe('');
  });
});
