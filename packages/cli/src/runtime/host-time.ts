// The only file of the command that reads the clock or sets a timer.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Monotonic milliseconds. */
export function nowMs(): number {
  return performance.now();
}

/** The longest delay of a timer; Node takes a longer one for none (law T2). */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls back once after `delayMs`, unless the returned function was called before. */
export function after(delayMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number): void => {
    const isLast = leftMs <= MAX_TIMER_MS;
    timer = isLast ? setTimeout(callback, leftMs) : setTimeout(() => wait(leftMs - MAX_TIMER_MS), MAX_TIMER_MS);
  };
  wait(delayMs);
  return () => clearTimeout(timer);
}

/** Calls back after `delayMs` if the process has not ended by itself before. */
export function afterAtMost(delayMs: number, callback: () => void): void {
  setTimeout(callback, delayMs).unref();
}

/** Calls back when everything that is ready now has run. */
export function soon(callback: () => void): void {
  setImmediate(callback);
}

/** Calls back again and again, without holding the process, until the returned function is called. */
export function every(periodMs: number, callback: () => void): () => void {
  const timer = setInterval(callback, periodMs).unref();
  return () => clearInterval(timer);
}

/** A histogram of whole numbers from 1 up. */
export function newHistogram(): RecordableHistogram {
  return createHistogram();
}
