import type { Clock, ScheduledTimer } from './clock.ts';
import { NO_TIMER } from './no-timer.ts';

/** The longest delay that `setTimeout` keeps; beyond it Node fires after 1 ms instead (law T2). */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

class SystemTimer implements ScheduledTimer {
  readonly #atMs: number;
  readonly #callback: () => void;
  #handle: NodeJS.Timeout | undefined;
  #isHeld = true;

  constructor(atMs: number, callback: () => void) {
    this.#atMs = atMs;
    this.#callback = callback;
    this.#arm(atMs - performance.now());
  }

  cancel(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  ref(): void {
    this.#isHeld = true;
    this.#handle?.ref();
  }

  unref(): void {
    this.#isHeld = false;
    this.#handle?.unref();
  }

  #arm(leftMs: number): void {
    this.#handle = setTimeout(() => this.#wake(), Math.min(Math.ceil(leftMs), MAX_TIMEOUT_MS));
    if (!this.#isHeld) this.#handle.unref();
  }

  /** Node wakes up to 1 ms early by its own monotonic clock, and long before the end of a chained delay: look again (law T3). */
  #wake(): void {
    const leftMs = this.#atMs - performance.now();
    if (leftMs > 0) {
      this.#arm(leftMs);
      return;
    }
    this.#handle = undefined;
    this.#callback();
  }
}

/**
 * The clock of the machine: `performance.now()`, `Date.now()` and `setTimeout`. The default wherever no other was put in its place.
 *
 * A delay beyond `setTimeout`'s limit of 2^31-1 ms (25 days) is kept by a chain of timers, `Infinity` by none.
 */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  schedule: (delayMs, callback) =>
    delayMs === Number.POSITIVE_INFINITY ? NO_TIMER : new SystemTimer(performance.now() + (delayMs > 0 ? delayMs : 0), callback),
};
