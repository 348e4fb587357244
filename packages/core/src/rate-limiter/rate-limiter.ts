import { currentClock } from '../context/ambient.ts';
import { abortSignal, type Checks, checkOptions, oneOf, text, wholeNumber } from '../errors/check-options.ts';
import type { ClosedError } from '../errors/closed-error.ts';
import { optionError } from '../errors/option-error.ts';
import { enlist } from '../observe/live.ts';
import type { DrainOptions } from '../policy/admission.ts';
import { LayerPolicy } from '../policy/layer-policy.ts';
import type { ExecuteOptions, Operation } from '../policy/policy.ts';
import type { AcquireOptions } from '../sync/semaphore.ts';
import { type Duration, durationMs, toMs } from '../time/duration.ts';
import type { RateLimitedError } from './rate-limited-error.ts';
import { RateLimiterLayer } from './rate-limiter-layer.ts';

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
  /** How many may wait for their tokens; one more is refused at once. Default 1000; 0: nobody waits. */
  readonly maxQueue?: number | undefined;
  /** The name of what is counted, where that is not calls: `'tokens'` counts `cost.tokens` of each call, and what it is charged for. */
  readonly cost?: string | undefined;
  /** For errors, events and statistics. Default `'rate limit'`. */
  readonly name?: string | undefined;
}

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
  readonly name: string;
} = Object.freeze({ burst: 1, algorithm: 'gcra', maxQueue: 1000, name: 'rate limit' });

/** How long a reservation may be for. */
export interface ReserveOptions {
  /** The longest wait that is of use. Default `Infinity`. */
  readonly maxWait?: Duration | undefined;
}

/** Tokens that were reserved: use them when `waitMs` have passed, or cancel. */
export interface Reservation {
  /** From the moment of reserving; 0: now. */
  readonly waitMs: number;
  /** Gives the tokens back, to whoever comes next. Without effect once their time has come, and the second time. */
  cancel(): void;
}

/** A {@link RateLimiter} at one moment; frozen, and plain enough for JSON. */
export interface RateLimiterStatistics {
  readonly name: string;
  readonly algorithm: 'gcra' | 'sliding-window';
  readonly limit: number;
  readonly periodMs: number;
  /** Those who wait for their tokens, and reservations whose moment has not come. */
  readonly waiting: number;
  readonly maxQueue: number;
  /** How long a call that costs 1 would wait now. */
  readonly waitMs: number;
  /** Whether it was closed or drained. */
  readonly isClosed: boolean;
}

const CHECKS: Checks<RateLimitOptions> = {
  limit: wholeNumber({ min: 1 }),
  period: durationMs(),
  burst: wholeNumber({ min: 1 }),
  algorithm: oneOf('gcra', 'sliding-window'),
  maxQueue: wholeNumber({ min: 0 }),
  cost: text,
  name: text,
};

function checkRateLimitOptions(options: RateLimitOptions): void {
  checkOptions<RateLimitOptions>('rateLimit', options, CHECKS);
  for (const key of ['limit', 'period'] as const) {
    if (options?.[key] === undefined) throw optionError('rateLimit', key, undefined, CHECKS[key].expected);
  }
  const { algorithm, burst } = options;
  if (algorithm === 'sliding-window' && burst !== undefined)
    throw optionError('rateLimit', 'burst', burst, "left out with algorithm 'sliding-window', which lets limit through at once");
}

/**
 * Lets calls through at a rate: what {@link rateLimit} makes. Works alone, too: `acquire`, `tryAcquire`, `reserve`, `run`.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { RateLimiter } from 'keelson';
 *
 * const limiter = new RateLimiter({ limit: 100, period: '1s', burst: 2 });
 * assert(limiter.tryAcquire());
 * assert(limiter.tryAcquire());
 * assert(!limiter.tryAcquire());
 */
export class RateLimiter extends LayerPolicy<never, RateLimitedError | ClosedError> {
  readonly #layer: RateLimiterLayer;

  constructor(options: RateLimitOptions) {
    checkRateLimitOptions(options);
    const layer = new RateLimiterLayer({
      name: options.name ?? rateLimitDefaults.name,
      algorithm: options.algorithm ?? rateLimitDefaults.algorithm,
      limit: options.limit,
      periodMs: toMs(options.period),
      burst: options.burst ?? rateLimitDefaults.burst,
      maxQueue: options.maxQueue ?? rateLimitDefaults.maxQueue,
      cost: options.cost,
    });
    super(layer);
    this.#layer = layer;
    enlist(this);
  }

  /**
   * Takes tokens, waiting for them behind all who came before. Resolves when they are due.
   *
   * Rejects with {@link RateLimitedError} at once where the queue is full or the wait is longer than `timeout`; with `signal.reason`, the same
   * object, as soon as the signal is aborted, and the tokens go to whoever comes next; with ERR_OPTION for a cost that is more than can be taken at
   * once.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { rateLimit } from 'keelson';
   *
   * const limiter = rateLimit({ limit: 60, period: '1m', burst: 3 });
   * await limiter.acquire();
   * await limiter.acquire(2);
   * await assert.rejects(limiter.acquire(3, { timeout: '1s' }), { code: 'ERR_RATE_LIMITED' });
   */
  async acquire(cost: number = 1, options: AcquireOptions = {}): Promise<void> {
    checkOptions<AcquireOptions>(`${this.name}.acquire`, options, { signal: abortSignal, timeout: durationMs({ allowInfinity: true }) });
    const { signal, timeout } = options;
    await this.execute(() => {}, { name: 'acquire', cost, signal, timeout });
  }

  /**
   * Takes tokens if they can be had now; false if not. Never waits.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { rateLimit } from 'keelson';
   *
   * const limiter = rateLimit({ limit: 10, period: '1m', algorithm: 'sliding-window' });
   * assert(limiter.tryAcquire(8));
   * assert(!limiter.tryAcquire(3));
   * assert(limiter.tryAcquire(2));
   */
  tryAcquire(cost: number = 1): boolean {
    return this.reserve(cost, { maxWait: 0 }) !== undefined;
  }

  /**
   * Takes tokens now, to be used later: says how long to wait first. Undefined where that is longer than `maxWait`, the queue is full, or the limiter is
   * closed; then nothing is taken. Never waits.
   *
   * They count at that moment, whenever they are really used.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { rateLimit } from 'keelson';
   *
   * const limiter = rateLimit({ limit: 1, period: '10s' });
   * assert.equal(limiter.reserve()?.waitMs, 0);
   * const second = limiter.reserve();
   * assert(second !== undefined && second.waitMs > 9000);
   * assert.equal(limiter.reserve(1, { maxWait: '15s' }), undefined);
   * second.cancel();
   * assert(limiter.reserve(1, { maxWait: '15s' }));
   */
  reserve(cost: number = 1, options: ReserveOptions = {}): Reservation | undefined {
    const layer = this.#layer;
    checkOptions<ReserveOptions>(`${this.name}.reserve`, options, { maxWait: durationMs({ min: 0, allowInfinity: true }) });
    layer.checkCost(cost);
    if (!layer.admission.isOpen) return undefined;
    const { maxWait = Number.POSITIVE_INFINITY } = options;
    const nowMs = currentClock().nowMs();
    const atMs = layer.line.earliestMs(cost, nowMs);
    const waitMs = atMs - nowMs;
    if (waitMs > toMs(maxWait) || (waitMs > 0 && layer.isFull(nowMs))) return undefined;
    const tokens = layer.line.take(cost, atMs);
    let isHeld = true;
    return {
      waitMs,
      cancel: () => {
        const cancelledMs = currentClock().nowMs();
        if (isHeld && cancelledMs < tokens.atMs) layer.giveBack(tokens, cancelledMs);
        isHeld = false;
      },
    };
  }

  /**
   * Runs `operation` when it has its tokens: `execute` by another name, for who uses a limiter alone.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { rateLimit } from 'keelson';
   *
   * const limiter = rateLimit({ limit: 200, period: '1s' });
   * assert.deepEqual(await Promise.all([limiter.run(() => 'a'), limiter.run(() => 'b')]), ['a', 'b']);
   */
  run<T>(operation: Operation<T>, options?: ExecuteOptions): Promise<T> {
    return this.execute(operation, options);
  }

  /**
   * Refuses everybody who waits, and all who come later, with ERR_CLOSED; what was let through runs on (law P5). Idempotent.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { rateLimit } from 'keelson';
   *
   * const limiter = rateLimit({ limit: 10, period: '1s' });
   * limiter.close();
   * await assert.rejects(limiter.acquire(), { code: 'ERR_CLOSED' });
   */
  close(): void {
    this.#layer.admission.close();
  }

  /**
   * Lets nobody in any more (ERR_CLOSED), and resolves when all who wait have started. After `timeout` those who still wait are refused, and it rejects
   * with a {@link TimeoutError}.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { rateLimit } from 'keelson';
   *
   * const limiter = rateLimit({ limit: 500, period: '1s' });
   * const results = ['a', 'b'].map((value) => limiter.execute(() => value));
   * await limiter.drain({ timeout: '10s' });
   * assert.deepEqual(await Promise.all(results), ['a', 'b']);
   */
  drain(options?: DrainOptions): Promise<void> {
    return this.#layer.admission.drain(options);
  }

  /**
   * How it stands now: a frozen, JSON-safe snapshot.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { rateLimit } from 'keelson';
   *
   * const { waiting, waitMs } = rateLimit({ limit: 10, period: '1s' }).statistics();
   * assert.deepEqual({ waiting, waitMs }, { waiting: 0, waitMs: 0 });
   */
  statistics(): RateLimiterStatistics {
    const { line, rules, admission } = this.#layer;
    const { name, algorithm, limit, periodMs, maxQueue } = rules;
    const nowMs = currentClock().nowMs();
    const waitMs = line.earliestMs(1, nowMs) - nowMs;
    return Object.freeze({ name, algorithm, limit, periodMs, waiting: line.waiting(nowMs), maxQueue, waitMs, isClosed: !admission.isOpen });
  }
}

/**
 * Makes a policy that lets calls through at a rate, each when its tokens are due, in the order they came.
 *
 * A call takes one token, or its `cost` (`execute(operation, { cost: 5 })`, or by name, `{ cost: { tokens: 1500 } }`, for the limiter of that
 * name), when it starts, however late that is; the tokens are used up by the start, whatever becomes of the call. A call that has to wait does so in
 * a queue of at most `maxQueue`, first come, first served. It is refused at once with {@link RateLimitedError}, and `retryAfterMs`, where the queue is full or the wait would not fit its
 * deadline (law T4). A caller who leaves the queue has taken nothing, and those behind move up (law L2). A cost that can never be had at once (more than
 * `burst`, or than the `limit` of a sliding window) fails with ERR_OPTION instead of waiting for ever.
 *
 * `gcra`, the generic cell rate algorithm (ITU-T I.371), spaces calls evenly: in any window W at most `burst + W * limit / period` tokens. A
 * `sliding-window` lets them through as they come, at most `limit` in any `period` (law L1). Both count when calls really start: after a delay of
 * the event loop no more start together than the limit allows. So with `burst` 1 each call passes on what its timer was late by, a millisecond or
 * so; a `burst` of what comes due in some milliseconds makes up for it.
 *
 * What a call really cost is often known afterwards: `call.charge({ tokens: 1780 })` corrects what was taken. What it cost more, those who come later
 * wait for; what it cost less, they get.
 *
 * Inside `retry` each attempt takes tokens anew (law R6). A refusal says nothing about the callee: breakers outside ignore it. Throws ERR_OPTION
 * for wrong options.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { rateLimit } from 'keelson';
 *
 * const limiter = rateLimit({ limit: 200, period: '1s', burst: 2 });
 * const startedMs = performance.now();
 * await Promise.all([1, 2, 3, 4].map(() => limiter.execute(() => {})));
 * assert(performance.now() - startedMs > 9); // two at once, then one each 5 ms
 */
export function rateLimit(options: RateLimitOptions): RateLimiter {
  return new RateLimiter(options);
}
