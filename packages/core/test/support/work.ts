import type { Call, Operation } from '../../src/policy/policy.ts';
import { defaultClock } from '../../src/time/current-clock.ts';

/** Resolves to `value` when `ms` have passed on the test's clock, whatever happens meanwhile. */
export function inTime<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => void defaultClock().schedule(ms, () => resolve(value)));
}

/** Rejects with `error` when `ms` have passed on the test's clock. */
export async function failIn(ms: number, error: unknown): Promise<never> {
  await inTime(ms, undefined);
  throw error;
}

/** An operation that takes `ms` and does not listen to its signal. */
export const deaf =
  <T>(ms: number, value: T): Operation<T> =>
  () =>
    inTime(ms, value);

/** An operation that takes `ms`, and ends with the reason as soon as it is aborted. */
export const obedient =
  <T>(ms: number, value: T): Operation<T> =>
  (call: Call) =>
    new Promise((resolve, reject) => {
      const timer = defaultClock().schedule(ms, () => resolve(value));
      call.signal.addEventListener('abort', () => {
        timer.cancel();
        reject(call.signal.reason);
      });
    });

/** An operation that never ends by itself, but as soon as it is aborted. */
export const endless: Operation<never> = (call) =>
  new Promise((_, reject) => {
    call.signal.addEventListener('abort', () => reject(call.signal.reason));
  });
