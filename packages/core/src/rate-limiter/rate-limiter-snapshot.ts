import { type Check, type Checks, oneOf } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import { checkSnapshot, elapsedMs, type Snapshot } from '../policy/snapshot.ts';
import type { Counted } from '../policy/token-meter.ts';
import type { RateLimiterRules } from './rate-limiter-options.ts';

/** Tokens that were taken, as a snapshot tells of them. */
export interface TakenTokens {
  readonly tokens: number;
  /** Below 0 for a reservation whose moment had not come. */
  readonly agoMs: number;
}

/** A rate limiter as {@link RateLimiter.snapshot} gives it, for another process or a later time. Who waits is not part of it. */
export interface RateLimiterSnapshot extends Snapshot<'rate-limiter'> {
  readonly algorithm: 'gcra' | 'sliding-window';
  /** What counts against the limit, the oldest first; of `gcra` what is missing in the bucket, as if it had been taken now. */
  readonly taken: readonly TakenTokens[];
  /** The limit that was in force, and its period. */
  readonly limitInForce: number;
  readonly periodMs: number;
  /** How long nobody was to start, by the callee's word; else 0. */
  readonly pausedMs: number;
}

/** A snapshot has no more entries than this: neighbours count as taken together, with the last of them. */
const MAX_ENTRIES = 1000;

const isNumber = (value: unknown): value is number => Number.isFinite(value);
const notNegative: Check = { expected: 'a number of at least 0', accepts: (value) => isNumber(value) && value >= 0 };
const positive: Check = { expected: 'a number above 0', accepts: (value) => isNumber(value) && value > 0 };

function isTaken(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { tokens, agoMs } = value as Partial<TakenTokens>;
  return isNumber(tokens) && tokens >= 0 && isNumber(agoMs);
}

const CHECKS: Checks<Omit<RateLimiterSnapshot, keyof Snapshot<string>>> = {
  algorithm: oneOf('gcra', 'sliding-window'),
  taken: { expected: 'a list of { tokens, agoMs }', accepts: (value) => Array.isArray(value) && value.every(isTaken) },
  limitInForce: positive,
  periodMs: positive,
  pausedMs: notNegative,
};

/** What counts, as it is written down at `nowMs`. */
export function takenTokens(counted: readonly Counted[], nowMs: number): readonly TakenTokens[] {
  const size = Math.ceil(counted.length / MAX_ENTRIES);
  const taken: TakenTokens[] = [];
  for (let i = 0; i < counted.length; i += size) {
    const group = counted.slice(i, i + size);
    const tokens = group.reduce((sum, { cost }) => sum + cost, 0);
    taken.push(Object.freeze({ tokens, agoMs: nowMs - (group.at(-1) as Counted).atMs }));
  }
  return Object.freeze(taken);
}

/** Throws ERR_OPTION for what is no snapshot of a limiter with the same algorithm. */
export function checkLimiterSnapshot(snapshot: RateLimiterSnapshot, { algorithm }: RateLimiterRules): void {
  const owner = 'rateLimit.restore';
  checkSnapshot<RateLimiterSnapshot>(owner, 'rate-limiter', snapshot, CHECKS);
  if (snapshot.algorithm !== algorithm) throw optionError(owner, 'algorithm', snapshot.algorithm, `'${algorithm}', as this limiter's`);
}

/**
 * What `snapshot` tells of, by our clock. No entry holds others up for longer than a period (besides what refills a bucket), and no reservation
 * lies further ahead than one could, whatever the snapshot says.
 */
export function countedIn(
  snapshot: RateLimiterSnapshot,
  now: { readonly nowMs: number; readonly epochMs: number },
  { limit, periodMs, burst, algorithm, maxQueue }: RateLimiterRules,
): readonly Counted[] {
  const capacity = algorithm === 'gcra' ? burst : limit;
  const aheadMs = ((maxQueue + 1) * capacity * periodMs) / limit;
  const sinceMs = elapsedMs(snapshot, now.epochMs);
  return snapshot.taken
    .map(({ tokens, agoMs }) => ({ atMs: now.nowMs - Math.max(agoMs + sinceMs, -aheadMs), cost: Math.min(tokens, capacity + limit) }))
    .sort((a, b) => a.atMs - b.atMs);
}

/** How much of the pause is left. */
export function pauseLeftMs(snapshot: RateLimiterSnapshot, epochMs: number): number {
  return Math.max(0, snapshot.pausedMs - elapsedMs(snapshot, epochMs));
}
