import { type Check, type Checks, checkOptions, oneOf, text, wholeNumber } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import type { TokenLimit } from '../policy/token-meter.ts';
import { type Duration, durationMs, toMs } from '../time/duration.ts';

/** What a {@link rateLimit} is made of. */
export interface RateLimitOptions {
  /** Tokens in a period; a call takes one, unless it says what it costs. */
  readonly limit: number;
  /** The period. */
  readonly period: Duration;
  /**
   * How many tokens may be taken at once after a time without calls: in any window W at most `burst + W * limit / period` are taken. Default 1:
   * calls are spaced evenly. A single call can cost no more. Only with `gcra`.
   */
  readonly burst?: number | undefined;
  /**
   * `'gcra'` spaces calls evenly and needs one number; `'sliding-window'` lets `limit` through as they come, in any period as long, and remembers
   * each. Default `'gcra'`.
   */
  readonly algorithm?: 'gcra' | 'sliding-window' | undefined;
  /** How many may wait for their tokens. Default 1000; 0: nobody waits. */
  readonly maxQueue?: number | undefined;
  /**
   * Who goes where one more comes than may wait. `'reject'`, the default: the newcomer. `'dropOldest'`: who has waited longest. There is no
   * `'dropNewest'`, which would be the newcomer, and no `'suspend'`: a call that waits is suspended, and `maxQueue` says how many may.
   */
  readonly overflow?: 'reject' | 'dropOldest' | undefined;
  /** The name of what is counted, where that is not calls: `'tokens'` counts `cost.tokens` of each call, and what it is charged for. */
  readonly cost?: string | undefined;
  /**
   * Heeds what the callee says. Its Retry-After is a pause for all; no more are started than its quota leaves until that is reset, and no faster than
   * its policy says; a refusal without a hint lowers the rate, which then recovers. Never above `limit`. Default false: costs nothing.
   */
  readonly adaptive?: boolean | undefined;
  /** For errors, events and statistics. Default `'rate limit'`. */
  readonly name?: string | undefined;
}

/** What {@link RateLimiter.reconfigure} can change; what is left out, or undefined, stays as it is. */
export type RateLimitChanges = {
  readonly [K in Exclude<keyof RateLimitOptions, 'algorithm' | 'cost' | 'adaptive' | 'name'>]?: RateLimitOptions[K] | undefined;
};

/**
 * The defaults of {@link RateLimitOptions}.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { rateLimit, rateLimitDefaults } from 'keelson';
 *
 * assert.equal(rateLimit({ limit: 5, period: '1s' }).statistics().maxQueue, rateLimitDefaults.maxQueue);
 */
export const rateLimitDefaults: {
  readonly burst: number;
  readonly algorithm: 'gcra' | 'sliding-window';
  readonly maxQueue: number;
  readonly overflow: 'reject' | 'dropOldest';
  readonly adaptive: boolean;
  readonly name: string;
} = Object.freeze({ burst: 1, algorithm: 'gcra', maxQueue: 1000, overflow: 'reject', adaptive: false, name: 'rate limit' });

/** What a rate limiter goes by. */
export interface RateLimiterRules extends TokenLimit {
  readonly name: string;
  readonly algorithm: 'gcra' | 'sliding-window';
  readonly maxQueue: number;
  readonly overflow: 'reject' | 'dropOldest';
  /** The name of what it counts, where that is not calls. */
  readonly cost: string | undefined;
  readonly adaptive: boolean;
}

const OVERFLOWS: readonly unknown[] = ['reject', 'dropOldest'];
const overflowCheck: Check = {
  expected:
    "one of 'reject', 'dropOldest' (not 'dropNewest': the newest is who comes, which is 'reject'; not 'suspend': who waits is suspended, and maxQueue says how many may be)",
  accepts: (value) => OVERFLOWS.includes(value),
};

const CHECKS: Checks<RateLimitOptions> = {
  limit: wholeNumber({ min: 1 }),
  period: durationMs(),
  burst: wholeNumber({ min: 1 }),
  algorithm: oneOf('gcra', 'sliding-window'),
  maxQueue: wholeNumber({ min: 0 }),
  overflow: overflowCheck,
  cost: text,
  adaptive: { expected: 'true or false', accepts: (value) => typeof value === 'boolean' },
  name: text,
};

const FIXED: Check = { expected: 'left out: it cannot change', accepts: () => false };

/** Throws ERR_OPTION, in `owner`'s name, for what is missing, wrong by itself or does not go together. */
export function checkRateLimit(owner: string, options: RateLimitOptions): void {
  checkOptions<RateLimitOptions>(owner, options, CHECKS);
  for (const key of ['limit', 'period'] as const) {
    if (options?.[key] === undefined) throw optionError(owner, key, undefined, CHECKS[key].expected);
  }
  const { algorithm, burst } = options;
  if (algorithm === 'sliding-window' && burst !== undefined)
    throw optionError(owner, 'burst', burst, "left out with algorithm 'sliding-window', which lets limit through at once");
}

/** `options` with what is given in `changes`; throws ERR_OPTION, in `owner`'s name, for what cannot be changed, or not to that. */
export function changedOptions(owner: string, options: RateLimitOptions, changes: RateLimitChanges): RateLimitOptions {
  checkOptions<RateLimitOptions>(owner, changes as RateLimitOptions, {
    ...CHECKS,
    algorithm: FIXED,
    cost: FIXED,
    adaptive: FIXED,
    name: FIXED,
  });
  const given: Partial<RateLimitOptions> = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const all = { ...options, ...given };
  checkRateLimit(owner, all);
  return all;
}

/** The rules that follow from options that are in order. */
export function rulesOf(options: RateLimitOptions): RateLimiterRules {
  const { limit, period, cost, ...given } = options;
  const d = rateLimitDefaults;
  return {
    name: given.name ?? d.name,
    algorithm: given.algorithm ?? d.algorithm,
    limit,
    periodMs: toMs(period),
    burst: given.burst ?? d.burst,
    maxQueue: given.maxQueue ?? d.maxQueue,
    overflow: given.overflow ?? d.overflow,
    cost,
    adaptive: given.adaptive ?? d.adaptive,
  };
}
