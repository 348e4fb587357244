import type { Settled } from '../outcome/classify.ts';
import type { Call } from '../policy/policy.ts';

/** What a {@link BeforeRetry} is told about the attempt that failed. */
export interface BeforeRetryInfo {
  /** How many attempts the retry has made so far: 1 after the first. */
  readonly attempts: number;
  /** What the last one ended with: an error, or a value that was not accepted. */
  readonly outcome: Settled;
  /** How long after the failure the next attempt begins, in milliseconds, unless this here takes longer. */
  readonly delayMs: number;
}

/** What is done between a failed attempt and the next one. What it returns is waited for and not used. */
export type BeforeRetry = (info: BeforeRetryInfo, call: Call) => unknown;
