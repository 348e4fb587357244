// Exponential backoff, and full, equal and decorrelated jitter: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
// 2015. The cap goes inside the jitter everywhere (law R1): `min(cap, jittered)`, as it is published for decorrelated jitter, gives most
// delays the same length once the cap is reached, and all clients come back together. Smooth jitter: George Polymeros, "decorrelated jitter
// backoff V2" of Polly.Contrib.WaitAndRetry, which Polly and cockatiel have, with two changes: the cap is on the scale, and nothing overflows.
import { type Check, type Checks, oneOf } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
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
 * - `smooth`: around `baseDelay` times 1, 2, 4, 8, so that many callers come back without gaps and peaks: what Polly calls decorrelated
 *   jitter V2; it grows by itself, too;
 * - `{ plusOrMinus: 0.25 }`: from a quarter less than the delay to a quarter more, which is never above `maxDelay`;
 * - `none`: `d`.
 */
export type Jitter = 'full' | 'equal' | 'decorrelated' | 'smooth' | 'none' | { readonly plusOrMinus: number };

/** How long to wait from one attempt to the next. */
export interface BackoffOptions {
  /** The delay after the first attempt. Default `'200ms'`; 0 to try again at once. */
  readonly baseDelay?: Duration | undefined;
  /** The longest delay; jitter is spread below it, and never beyond. Default `'30s'`. */
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
const namedJitter = oneOf('full', 'equal', 'decorrelated', 'smooth', 'none');
const factor: Check = {
  expected: 'a finite number of at least 1',
  accepts: (value) => Number.isFinite(value) && (value as number) >= 1,
};
const shape: Check = {
  expected: `${oneOf(...SHAPES).expected}, or a function`,
  accepts: (value) => typeof value === 'function' || SHAPES.includes(value as BackoffShape),
};
const jitter: Check = {
  expected: `${namedJitter.expected}, or { plusOrMinus } with a number above 0, at most 1`,
  accepts: (value) => namedJitter.accepts(value) || isProportional(value),
};

function isProportional(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return false;
  const { plusOrMinus } = value as { readonly plusOrMinus?: unknown };
  return typeof plusOrMinus === 'number' && plusOrMinus > 0 && plusOrMinus <= 1;
}

/** One check for each of {@link BackoffOptions}. */
export const backoffChecks: Checks<BackoffOptions> = {
  baseDelay: durationMs({ min: 0 }),
  maxDelay: durationMs(),
  backoffFactor: factor,
  backoff: shape,
  jitter,
};

/** These grow by themselves: a growth beside them would say nothing. */
const GROWING: readonly Jitter[] = ['decorrelated', 'smooth'];

/** Throws ERR_OPTION for options that, each right by itself, do not go together. */
export function checkBackoff(owner: string, { backoff, backoffFactor, jitter: spread }: BackoffOptions): void {
  if (typeof spread !== 'string' || !GROWING.includes(spread)) return;
  const expected = `left out with jitter '${spread}', which grows by itself`;
  if (backoff !== undefined) throw optionError(owner, 'backoff', backoff, expected);
  if (backoffFactor !== undefined) throw optionError(owner, 'backoffFactor', backoffFactor, expected);
}

const GROWTH: { readonly [shape in BackoffShape]: (baseMs: number, factor: number, attempts: number) => number } = {
  exponential: (baseMs, factor, attempts) => baseMs * Math.min(Number.MAX_VALUE, factor ** (attempts - 1)), // 0 * Infinity is no delay
  linear: (baseMs, _factor, attempts) => baseMs * attempts,
  constant: (baseMs) => baseMs,
};

/** What smooth jitter is divided by: it brings the middle of the delays near `baseDelay` times 1, 2, 4, 8. */
const SMOOTH_MIDDLE = 1.4;

/** How far smooth jitter has risen at `step + chance`, in units of `2 ** step`: so it stays a small number for ever. */
const smoothRise = (step: number, chance: number): number => 2 ** chance * Math.tanh(2 * Math.sqrt(step + chance));

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
    const jitter = options.jitter ?? backoffDefaults.jitter;
    this.#jitter = typeof jitter === 'string' ? jitter : Object.freeze({ ...jitter });
  }

  /**
   * `chance` is at or above 0 and below 1; `previousChance` is what it was for the delay before this one. Throws what a backoff function
   * throws, and ERR_OPTION where it returns no duration.
   */
  delayMs(info: BackoffInfo, chance: number, previousChance: number): number {
    const jitter = this.#jitter;
    if (jitter === 'smooth') return this.#smoothMs(info.attempts, chance, previousChance);
    const { lowMs, highMs } = this.#range(info, jitter);
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

  /** What has risen since the delay before. The cap is on the scale: on the delay itself it would take the jitter away. */
  #smoothMs(attempts: number, chance: number, previousChance: number): number {
    const step = attempts - 1;
    const risenBefore = (previous: number): number => (step === 0 ? 0 : smoothRise(step - 1, previous) / 2);
    const scaleMs = Math.min(
      GROWTH.exponential(this.#baseDelayMs, 2, attempts) / SMOOTH_MIDDLE,
      this.maxDelayMs / (smoothRise(step, 1) - risenBefore(0)),
    );
    return scaleMs * (smoothRise(step, chance) - risenBefore(previousChance));
  }

  #range(info: BackoffInfo, jitter: Exclude<Jitter, 'smooth'>): Range {
    if (jitter === 'decorrelated') {
      const lastMs = Math.max(this.#baseDelayMs, info.previousDelayMs);
      return { lowMs: this.#capped(this.#baseDelayMs), highMs: this.#capped(3 * lastMs) };
    }
    if (typeof jitter === 'object') {
      const { plusOrMinus } = jitter;
      const highMs = this.#capped(this.#grown(info) * (1 + plusOrMinus));
      return { lowMs: (highMs * (1 - plusOrMinus)) / (1 + plusOrMinus), highMs };
    }
    const highMs = this.#capped(this.#grown(info));
    switch (jitter) {
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
