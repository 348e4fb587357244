/** One callback that a clock has promised to make. */
export interface ScheduledTimer {
  /** Takes the promise back. Idempotent; without effect once the callback was made. */
  cancel(): void;
  /** Lets the process live until this timer is done (a timer is made so). */
  ref(): void;
  /** Lets the process end before this timer is done: for housekeeping nobody awaits (law T5). */
  unref(): void;
}

/**
 * Where time comes from. Everything in Keelson that reads the time or waits does so through a `Clock`, so that a test can
 * put a {@link VirtualClock} in its place.
 */
export interface Clock {
  /** Monotonic milliseconds since an origin of the clock's own choice; never goes back (law T1). */
  nowMs(): number;
  /** Milliseconds since the Unix epoch: only for dates that come from outside or leave the process. */
  epochMs(): number;
  /**
   * Calls back once, when at least `delayMs` have passed on `nowMs()` (law T3). `Infinity` never calls back and keeps no timer (law T2);
   * a negative delay counts as 0. Never calls back from inside `schedule` itself.
   */
  schedule(delayMs: number, callback: () => void): ScheduledTimer;
}
