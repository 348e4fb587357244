import { currentClock } from '../context/ambient.ts';
import { abortSignal, checkOptions } from '../errors/check-options.ts';
import type { ClosedError } from '../errors/closed-error.ts';
import { enlist } from '../observe/live.ts';
import { OUTCOME } from '../outcome/classify.ts';
import type { DrainOptions } from '../policy/admission.ts';
import { LayerPolicy } from '../policy/layer-policy.ts';
import type { ExecuteOptions, Operation } from '../policy/policy.ts';
import type { AcquireOptions } from '../sync/semaphore.ts';
import { type Duration, durationMs, toMs } from '../time/duration.ts';
import { AdaptiveLayer } from './adaptive-layer.ts';
import type { RateLimitedError } from './rate-limited-error.ts';
import { RateLimiterLayer } from './rate-limiter-layer.ts';
import { changedOptions, checkRateLimit, type RateLimitChanges, type RateLimitOptions, rulesOf } from './rate-limiter-options.ts';
import { checkLimiterSnapshot, countedIn, pauseLeftMs, type RateLimiterSnapshot, takenTokens } from './rate-limiter-snapshot.ts';

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
  /** Of `gcra`; else null. */
  readonly burst: number | null;
  /** Tokens a period as they are let through now: `limit`, or less where an `adaptive` limiter has been told so. */
  readonly limitInForce: number;
  /** How much longer nobody starts, because the callee asked for it; else 0. */
  readonly pausedMs: number;
  /** What the callee's quota leaves until it is reset; null where nothing is known of it. */
  readonly remaining: number | null;
  /** Those who wait for their tokens, and reservations whose moment has not come. */
  readonly waiting: number;
  /** How long the one that came first has waited; null where nobody waits. */
  readonly oldestWaitMs: number | null;
  /** Calls refused so far when they came: the queue was full, or their wait would not have fitted. */
  readonly refused: number;
  /** Calls that waited and lost their place so far: to a newer one, by a pause they could not wait for, or by new rules. */
  readonly dropped: number;
  readonly maxQueue: number;
  /** How long a call that costs 1 would wait now. */
  readonly waitMs: number;
  /** Whether it was closed or drained. */
  readonly isClosed: boolean;
}

/** What `acquire` comes to says nothing about the callee. */
const NEUTRAL: object = Object.freeze({ [OUTCOME]: { kind: 'ok', origin: 'local' } });

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
  /** As given, so that defaults go on being defaults. */
  #options: RateLimitOptions;

  constructor(options: RateLimitOptions) {
    checkRateLimit('rateLimit', options);
    const rules = rulesOf(options);
    const layer = rules.adaptive ? new AdaptiveLayer(rules) : new RateLimiterLayer(rules);
    super(layer);
    this.#layer = layer;
    this.#options = { ...options };
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
    await this.execute(() => NEUTRAL, { name: 'acquire', cost, signal, timeout });
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
    const tokens = layer.reserve(cost, atMs, nowMs);
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
   * Changes what is given, at once, and nothing else. Throws ERR_OPTION for wrong options, as {@link rateLimit} does, and for those that cannot be
   * changed.
   *
   * What was taken before still counts, in tokens, and reservations stay as they were promised; the new limit holds from now on (law L1). Those who
   * wait stay in order and start by the new rules. Dropped are those who cost more than can be had at once now (ERR_OPTION) and, with
   * `'dropOldest'`, the first where fewer may wait than do.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { rateLimit } from 'keelson';
   *
   * const limiter = rateLimit({ limit: 1, period: '1h' });
   * await limiter.acquire();
   * const waiting = limiter.acquire();
   * limiter.reconfigure({ limit: 100, period: '1s' });
   * await waiting;
   */
  reconfigure(changes: RateLimitChanges = {}): void {
    this.#options = changedOptions(`${this.name}.reconfigure`, this.#options, changes);
    this.#layer.changeRules(rulesOf(this.#options), currentClock().nowMs());
  }

  /**
   * What is to be known of it in another process or at a later time: what was taken and still counts, a pause, a lowered limit. Frozen, and plain
   * enough for JSON. Those who wait are not part of it.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { rateLimit } from 'keelson';
   *
   * const limiter = rateLimit({ limit: 60, period: '1m' });
   * await limiter.acquire();
   * const next = rateLimit({ limit: 60, period: '1m' });
   * next.restore(JSON.parse(JSON.stringify(limiter.snapshot())));
   * assert.equal(next.tryAcquire(), false);
   */
  snapshot(): RateLimiterSnapshot {
    const { line, rules, limitInForce } = this.#layer;
    const clock = currentClock();
    const nowMs = clock.nowMs();
    const taken = takenTokens(line.counted(nowMs), nowMs);
    const { algorithm, periodMs } = rules;
    const pausedMs = this.#layer.pausedMs(nowMs);
    return Object.freeze({
      version: 1,
      kind: 'rate-limiter',
      takenAtMs: clock.epochMs(),
      algorithm,
      taken,
      limitInForce,
      periodMs,
      pausedMs,
    });
  }

  /**
   * Goes on from a {@link snapshot}: what was taken then counts, as far as time since has not made up for it, and so does what this limiter has taken
   * itself (law L1). A pause and a lowered limit go on where the limiter is `adaptive`. Nothing lasts longer than the options allow, whatever
   * the snapshot says: a debt beyond one period is forgiven.
   *
   * Throws ERR_OPTION, naming the field, for what is no snapshot of a limiter with the same algorithm.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { rateLimit } from 'keelson';
   *
   * const limiter = rateLimit({ limit: 2, period: '1h', algorithm: 'sliding-window' });
   * limiter.tryAcquire(2);
   * const next = rateLimit({ limit: 3, period: '1h', algorithm: 'sliding-window' });
   * next.restore(limiter.snapshot());
   * assert.deepEqual([next.tryAcquire(2), next.tryAcquire(1)], [false, true]);
   */
  restore(snapshot: RateLimiterSnapshot): void {
    const layer = this.#layer;
    checkLimiterSnapshot(snapshot, layer.rules);
    const clock = currentClock();
    const now = { nowMs: clock.nowMs(), epochMs: clock.epochMs() };
    layer.line.count(countedIn(snapshot, now, layer.rules), now.nowMs);
    const limitInForce = (snapshot.limitInForce / snapshot.periodMs) * layer.rules.periodMs;
    layer.resume(pauseLeftMs(snapshot, now.epochMs), limitInForce, now.nowMs);
    layer.queue.pace();
  }

  /**
   * How it stands now: a frozen, JSON-safe snapshot.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { rateLimit } from 'keelson';
   *
   * const { waiting, waitMs, limitInForce } = rateLimit({ limit: 10, period: '1s' }).statistics();
   * assert.deepEqual({ waiting, waitMs, limitInForce }, { waiting: 0, waitMs: 0, limitInForce: 10 });
   */
  statistics(): RateLimiterStatistics {
    const layer = this.#layer;
    const { line, rules, admission, limitInForce, refused, dropped } = layer;
    const { name, algorithm, limit, periodMs, maxQueue } = rules;
    const nowMs = currentClock().nowMs();
    const first = line.first?.item;
    return Object.freeze({
      name,
      algorithm,
      limit,
      periodMs,
      burst: algorithm === 'gcra' ? rules.burst : null,
      limitInForce,
      pausedMs: layer.pausedMs(nowMs),
      remaining: layer.remaining(nowMs),
      waiting: line.waiting(nowMs),
      oldestWaitMs: first === undefined ? null : nowMs - first.sinceMs,
      refused,
      dropped,
      maxQueue,
      waitMs: line.earliestMs(1, nowMs) - nowMs,
      isClosed: !admission.isOpen,
    });
  }
}

/**
 * Makes a policy that lets calls through at a rate, each when its tokens are due, in the order they came.
 *
 * A call takes one token, or its `cost` (`execute(operation, { cost: 5 })`, or by name, `{ cost: { tokens: 1500 } }`, for the limiter of that
 * name), when it starts, however late that is; the tokens are used up by the start, whatever becomes of the call. A call that has to wait does so in
 * a queue of at most `maxQueue`, first come, first served; where that is full, `overflow` says who goes. It is refused at once with
 * {@link RateLimitedError}, and `retryAfterMs`, where the queue is full or the wait would not fit its deadline (law T4). A caller who leaves the queue
 * has taken nothing, and those behind move up (law L2). A cost that can never be had at once (more than `burst`, or than the `limit` of a sliding
 * window) fails with ERR_OPTION instead of waiting for ever.
 *
 * `gcra`, the generic cell rate algorithm (ITU-T I.371), spaces calls evenly: in any window W at most `burst + W * limit / period` tokens. A
 * `sliding-window` lets them through as they come, at most `limit` in any `period` (law L1). Both count when calls really start: after a delay of
 * the event loop no more start together than the limit allows. So with `burst` 1 each call passes on what its timer was late by, a millisecond or
 * so; a `burst` of what comes due in some milliseconds makes up for it.
 *
 * What a call really cost is often known afterwards: `call.charge({ tokens: 1780 })` corrects what was taken. What it cost more, those who come later
 * wait for; what it cost less, they get.
 *
 * An `adaptive` limiter heeds what the callee says: a Retry-After is a pause for all, a quota bounds what is started until it is reset, a policy the
 * rate, and a refusal without a hint lowers the rate, which recovers by CUBIC (as in the adaptive mode of the AWS SDKs), never above `limit`.
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
