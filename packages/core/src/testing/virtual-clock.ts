import { Heap } from '../collections/heap.ts';
import { type Check, checkOptions } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import type { Clock, ScheduledTimer } from '../time/clock.ts';
import { type Duration, toMs } from '../time/duration.ts';
import { NO_TIMER } from '../time/no-timer.ts';
import { nextMacrotask } from './next-macrotask.ts';

/** What a {@link VirtualClock} starts with. */
export interface VirtualClockOptions {
  /** What `nowMs()` starts at. Default 0. */
  readonly nowMs?: number | undefined;
  /** What `epochMs()` starts at. Default: 1 January 2000, 00:00 UTC. */
  readonly epochMs?: number | undefined;
}

const DEFAULTS = Object.freeze({ nowMs: 0, epochMs: Date.UTC(2000, 0, 1) } satisfies VirtualClockOptions);

const finite: Check = { expected: 'a finite number', accepts: Number.isFinite };

interface PendingTimer {
  readonly atMs: number;
  /** How many timers were registered before it: decides between timers of one moment. */
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock whose time passes only when a test says so: put it in place with `using clock = useClock(new VirtualClock())`.
 *
 * `advance` fires what falls due one at a time, in order of time and, within one moment, of registration, and lets all promises settle after
 * each, so that a test of an hour of backoff runs in no time and always the same way. Real I/O takes real time and is not waited for.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { useClock, withRetry } from 'keelson';
 * import { VirtualClock } from 'keelson/testing';
 *
 * using clock = useClock(new VirtualClock());
 * let calls = 0;
 * const result = withRetry(() => { if (++calls < 3) throw new Error('not yet'); return calls; }, { maxAttempts: 3, baseDelay: '1h' });
 * await clock.advance('10h');
 * assert.equal(await result, 3);
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  /** The date at `nowMs()` 0. */
  readonly #zeroEpochMs: number;
  #registered = 0;
  #held = 0;
  readonly #timers = new Heap<PendingTimer>((a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order));
  /** Advances run one after the other. */
  #lastAdvance: Promise<void> = Promise.resolve();

  /** Throws ERR_OPTION for an unknown option or a start that is no finite number. */
  constructor(options?: VirtualClockOptions) {
    checkOptions<VirtualClockOptions>('VirtualClock', options, { nowMs: finite, epochMs: finite });
    this.#nowMs = options?.nowMs ?? DEFAULTS.nowMs;
    this.#zeroEpochMs = (options?.epochMs ?? DEFAULTS.epochMs) - this.#nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  epochMs(): number {
    return this.#zeroEpochMs + this.#nowMs;
  }

  /** How many timers somebody waits for. Housekeeping timers, which would let a process end, are not counted; they fire all the same. */
  get pendingTimers(): number {
    return this.#held;
  }

  schedule(delayMs: number, callback: () => void): ScheduledTimer {
    if (delayMs === Number.POSITIVE_INFINITY) return NO_TIMER;
    let isPending = true;
    let isHeld = false;
    const hold = (wanted: boolean): void => {
      if (!isPending || isHeld === wanted) return;
      isHeld = wanted;
      this.#held += wanted ? 1 : -1;
    };
    const end = (): void => {
      hold(false);
      isPending = false;
    };
    const fire = (): void => {
      end();
      callback();
    };
    const entry = this.#timers.add({ atMs: this.#nowMs + (delayMs > 0 ? delayMs : 0), order: this.#registered++, callback: fire });
    hold(true);
    return {
      cancel: () => {
        end();
        this.#timers.remove(entry);
      },
      ref: () => hold(true),
      unref: () => hold(false),
    };
  }

  /**
   * Lets `duration` pass: fires every timer that falls due, those set meanwhile included, and resolves when all that follows from them has run.
   *
   * First lets everything run that can run now, so that a wait begun in a promise that is only about to continue is not missed. Calls that overlap
   * run one after the other. Rejects with what a timer's callback throws. Throws ERR_OPTION for what is no finite duration.
   */
  advance(duration: Duration): Promise<void> {
    const ms = toMs(duration, 'VirtualClock.advance');
    if (ms === Number.POSITIVE_INFINITY) throw optionError('VirtualClock.advance', 'duration', duration, 'finite');
    const advanced = this.#lastAdvance.then(() => this.#advance(ms));
    this.#lastAdvance = advanced.catch(() => {}); // told to whoever called advance
    return advanced;
  }

  /** Lets everything run that can run without time passing. */
  settle(): Promise<void> {
    return nextMacrotask();
  }

  async #advance(ms: number): Promise<void> {
    await nextMacrotask();
    const endMs = this.#nowMs + ms;
    for (let first = this.#timers.peek(); first !== undefined && first.atMs <= endMs; first = this.#timers.peek()) {
      this.#timers.take();
      this.#nowMs = Math.max(this.#nowMs, first.atMs);
      first.callback();
      await nextMacrotask();
    }
    this.#nowMs = endMs;
  }
}
