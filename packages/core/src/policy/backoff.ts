// Exponential backoff, and full, equal and decorrelated jitter: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
// 2015. The cap goes inside the jitter everywhere (law R1): `min(cap, jittered)`, as it is published for decorrelated jitter, gives most
// delays the same length once the cap is reached, and all clients come back together.
import { type Check, type Checks, oneOf } from '../errors/check-options.ts';
import type { Settled } from '../outcome/classify.ts';
import { type Duration, durationMs, toMs } from '../time/duration.ts';

/** What a {@link BackoffFunction} is told about the attempt that failed. */
export interface BackoffInfo {
  /** How many attempts the retry has made so far: 1 after the first. */
  readonly attempts: number;
  /** What the last one ended with: an error, or a value that was not accepted. */
  readonly outcome: Settled;
  /** How long the backoff before the last attempt was, in milliseconds; 0 after the first attempt. */
  readonly previousDelayMs: number;
}

/** Says how long to wait before the next attempt, before the cap and the jitter. */
export type BackoffFunction = (info: BackoffInfo) => Duration;

/** How delays grow from attempt to attempt. */
export type BackoffShape = 'exponential' | 'linear' | 'constant';

/**
 * How delays are spread, so that many callers that failed together do not come back together. With `d` for the delay after its cap:
 *
 * - `full`: from 0 to `d`;
 * - `equal`: from `d/2` to `d`;
 * - `decorrelated`: from `baseDelay` to three times the last delay, capped; it grows by itself, and `backoff` has no part in it;
 * - `none`: `d`.
 */
export type Jitter = 'full' | 'equal' | 'decorrelated' | 'none';

/** How long to wait from one attempt to the next. */
export interface BackoffOptions {
  /** The delay after the first attempt. Default `'200ms'`; 0 to try again at once. */
  readonly baseDelay?: Duration | undefined;
  /** The longest delay, before jitter. Default `'30s'`. */
  readonly maxDelay?: Duration | undefined;
  /** What the delay is multiplied by each time, if it grows exponentially. Default 2; at least 1. */
  readonly backoffFactor?: number | undefined;
  /** How delays grow: `baseDelay` times 1, 2, 4, 8 (for a factor of 2), 1, 2, 3, 4, or 1; or a function. Default `'exponential'`. */
  readonly backoff?: BackoffShape | BackoffFunction | undefined;
  /** Default `'full'`. */
  readonly jitter?: Jitter | undefined;
}

/** The defaults of {@link BackoffOptions}. */
export const backoffDefaults: {
  readonly baseDelay: Duration;
  readonly maxDelay: Duration;
  readonly backoffFactor: number;
  readonly backoff: BackoffShape;
  readonly jitter: Jitter;
} = Object.freeze({ baseDelay: '200ms', maxDelay: '30s', backoffFactor: 2, backoff: 'exponential', jitter: 'full' });

const SHAPES: readonly BackoffShape[] = ['exponential', 'linear', 'constant'];
const factor: Check = {
  expected: 'a finite number of at least 1',
  accepts: (value) => Number.isFinite(value) && (value as number) >= 1,
};
const shape: Check = {
  expected: `${oneOf(...SHAPES).expected}, or a function`,
  accepts: (value) => typeof value === 'function' || SHAPES.includes(value as BackoffShape),
};

/** One check for each of {@link BackoffOptions}. */
export const backoffChecks: Checks<BackoffOptions> = {
  baseDelay: durationMs({ min: 0 }),
  maxDelay: durationMs(),
  backoffFactor: factor,
  backoff: shape,
  jitter: oneOf('full', 'equal', 'decorrelated', 'none'),
};

const GROWTH: { readonly [shape in BackoffShape]: (baseMs: number, factor: number, attempts: number) => number } = {
  exponential: (baseMs, factor, attempts) => baseMs * Math.min(Number.MAX_VALUE, factor ** (attempts - 1)), // 0 * Infinity is no delay
  linear: (baseMs, _factor, attempts) => baseMs * attempts,
  constant: (baseMs) => baseMs,
};

/** Where a delay is drawn from, evenly. */
interface Range {
  readonly lowMs: number;
  readonly highMs: number;
}

/** The delays between attempts: a pure function of what happened and of chance. Takes options that have been checked. */
export class Backoff {
  readonly maxDelayMs: number;
  readonly #owner: string;
  readonly #baseDelayMs: number;
  readonly #factor: number;
  readonly #growth: BackoffShape | BackoffFunction;
  readonly #jitter: Jitter;

  /** `owner` is who is to blame where a backoff function returns no duration. */
  constructor(owner: string, options: BackoffOptions) {
    this.#owner = owner;
    this.#baseDelayMs = toMs(options.baseDelay ?? backoffDefaults.baseDelay);
    this.maxDelayMs = toMs(options.maxDelay ?? backoffDefaults.maxDelay);
    this.#factor = options.backoffFactor ?? backoffDefaults.backoffFactor;
    this.#growth = options.backoff ?? backoffDefaults.backoff;
    this.#jitter = options.jitter ?? backoffDefaults.jitter;
  }

  /** `chance` is at or above 0 and below 1. Throws what a backoff function throws, and ERR_OPTION where it returns no duration. */
  delayMs(info: BackoffInfo, chance: number): number {
    const { lowMs, highMs } = this.#range(info);
    return lowMs + chance * (highMs - lowMs);
  }

  /** The options in force, as plain data. */
  describe(): Readonly<Record<string, unknown>> {
    return {
      baseDelayMs: this.#baseDelayMs,
      maxDelayMs: this.maxDelayMs,
      backoffFactor: this.#factor,
      backoff: typeof this.#growth === 'function' ? 'function' : this.#growth,
      jitter: this.#jitter,
    };
  }

  #range(info: BackoffInfo): Range {
    if (this.#jitter === 'decorrelated') {
      const lastMs = Math.max(this.#baseDelayMs, info.previousDelayMs);
      return { lowMs: this.#capped(this.#baseDelayMs), highMs: this.#capped(3 * lastMs) };
    }
    const highMs = this.#capped(this.#grown(info));
    switch (this.#jitter) {
      case 'full':
        return { lowMs: 0, highMs };
      case 'equal':
        return { lowMs: highMs / 2, highMs };
      case 'none':
        return { lowMs: highMs, highMs };
    }
  }

  #grown(info: BackoffInfo): number {
    const growth = this.#growth;
    if (typeof growth === 'function') return toMs(growth(info), this.#owner, 'backoff');
    return GROWTH[growth](this.#baseDelayMs, this.#factor, info.attempts);
  }

  #capped(ms: number): number {
    return Math.min(this.maxDelayMs, ms);
  }
}
