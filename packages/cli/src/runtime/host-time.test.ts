import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { after } from './host-time.ts';

const DAY_MS = 86_400_000;
beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test.each([[1], [5000], [30 * DAY_MS], [80 * DAY_MS]])('T2: after %d ms, not before', (delayMs) => {
  const callback = vi.fn();
  after(delayMs, callback);
  vi.advanceTimersByTime(delayMs - 1);
  expect(callback).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(callback).toHaveBeenCalledTimes(1);
});

test('is called off, however long it is', () => {
  for (const days of [1, 30]) {
    const callback = vi.fn();
    const cancel = after(days * DAY_MS, callback);
    vi.advanceTimersByTime((days - 1) * DAY_MS);
    cancel();
    vi.advanceTimersByTime(100 * DAY_MS);
    expect(callback).not.toHaveBeenCalled();
  }
});
