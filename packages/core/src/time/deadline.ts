import { optionError } from '../errors/option-error.ts';
import type { Clock } from './clock.ts';
import { defaultClock } from './current-clock.ts';
import { type Duration, toMs } from './duration.ts';

/**
 * A point in time by which something has to be over. Made by `Deadline.in('30s')` or `Deadline.at(date)`, passed on from call to call; what
 * is relative is called `timeout`.
 *
 * It lies on the clock that was current when it was made, and that clock is monotonic (law T1): a date is converted once, so that setting the
 * machine's clock later moves no deadline.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { Deadline, useClock } from 'keelson';
 * import { VirtualClock } from 'keelson/testing';
 *
 * using clock = useClock(new VirtualClock());
 * const deadline = Deadline.in('30s');
 * await clock.advance('10s');
 * assert.equal(deadline.remainingMs(), 20_000);
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #atMs: number;

  private constructor(clock: Clock, remainingMs: number) {
    this.#clock = clock;
    this.#atMs = clock.nowMs() + remainingMs;
  }

  /**
   * The deadline that passes when `duration` has, from now on. `Infinity` never passes. Throws ERR_OPTION for what is no duration.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { Deadline } from 'keelson';
   *
   * assert(Deadline.in('30s').remainingMs() > 29_000);
   */
  static in(duration: Duration): Deadline {
    return new Deadline(defaultClock(), toMs(duration, 'Deadline.in'));
  }

  /**
   * The deadline that passes at `date`: a `Date`, or milliseconds since the Unix epoch. One in the past has passed already. Throws ERR_OPTION
   * for an invalid date.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { Deadline } from 'keelson';
   *
   * assert.equal(Deadline.at(new Date('2001-01-01T00:00:00Z')).remainingMs(), 0);
   */
  static at(date: Date | number): Deadline {
    const epochMs = typeof date === 'number' ? date : date instanceof Date ? date.getTime() : Number.NaN;
    if (Number.isNaN(epochMs)) throw optionError('Deadline.at', 'date', date, 'a valid Date or milliseconds since the Unix epoch');
    const clock = defaultClock();
    return new Deadline(clock, epochMs - clock.epochMs());
  }

  /** Milliseconds left; 0 once it has passed, Infinity if it never does. */
  remainingMs(): number {
    return Math.max(0, this.#atMs - this.#clock.nowMs());
  }
}
