import type { ScheduledTimer } from './clock.ts';

/** What a clock returns for `Infinity`: there is nothing to keep, and nothing to take back (law T2). */
export const NO_TIMER: ScheduledTimer = Object.freeze({ cancel() {}, ref() {}, unref() {} });
