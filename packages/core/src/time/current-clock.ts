import { Swappable } from '../collections/swappable.ts';
import { type Check, withMethods } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import type { Clock } from './clock.ts';
import { systemClock } from './system-clock.ts';

const clocks = new Swappable<Clock>(systemClock);

/** A {@link Clock}, by what it can do. */
export const clockCheck: Check = withMethods('a Clock', 'nowMs', 'epochMs', 'schedule');

/** The clock of everything outside a scope; read at each call, never kept. */
export function defaultClock(): Clock {
  return clocks.current;
}

/**
 * Makes `clock` the default of the process until it is disposed, and returns the same object: `using clock = useClock(new VirtualClock())`.
 *
 * Nests; the one put in last of those not disposed yet counts. Disposing twice is harmless. Calls that are already waiting stay on the
 * clock they started on. Throws ERR_OPTION for what is no clock.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { useClock, withTimeout } from 'keelson';
 * import { VirtualClock } from 'keelson/testing';
 *
 * using clock = useClock(new VirtualClock());
 * const result = withTimeout(() => new Promise<string>(() => {}), '1h', { default: 'too late' });
 * await clock.advance('1h');
 * assert.equal(await result, 'too late');
 */
export function useClock<C extends Clock>(clock: C): C & Disposable {
  if (!clockCheck.accepts(clock)) throw optionError('useClock', 'clock', clock, clockCheck.expected);
  return clocks.use(clock);
}
