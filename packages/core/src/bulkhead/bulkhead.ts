import { currentClock } from '../context/ambient.ts';
import { type Check, type Checks, checkOptions, text, wholeNumber } from '../errors/check-options.ts';
import type { ClosedError } from '../errors/closed-error.ts';
import { optionError } from '../errors/option-error.ts';
import { enlist } from '../observe/live.ts';
import type { DrainOptions } from '../policy/admission.ts';
import { LayerPolicy } from '../policy/layer-policy.ts';
import type { Priority } from '../policy/priority.ts';
import { type Duration, durationMs, toMs } from '../time/duration.ts';
import { type BulkheadFullError, BulkheadLayer, type BulkheadRules } from './bulkhead-layer.ts';

/** What a {@link bulkhead} is made of. */
export interface BulkheadOptions {
  /** How many calls may run at once; abandoned ones count until their work has ended. Required. */
  readonly maxConcurrency: number;
  /** How many more may wait. Default 100; 0 refuses at once; `Infinity` is allowed. */
  readonly maxQueue?: number | undefined;
  /**
   * How many permits abandoned work (timed out or cancelled, and still running) may hold. Beyond, a call that would have to wait is refused at once:
   * who queues behind work that ignores its signal may wait for ever. Default: `maxConcurrency`, which never refuses for that reason.
   */
  readonly maxAbandoned?: number | undefined;
  /**
   * Who goes where one more comes than may wait. `'reject'`, the default: the newcomer, and nobody who waits. `'dropOldest'` and `'dropNewest'`: of
   * all of them one of the least urgent priority; with `fairBy`, of the key that has most of these; the oldest of these or the newest, which may be
   * the newcomer. There is no `'suspend'`: a call that waits is suspended, and `maxQueue` says how many may.
   */
  readonly overflow?: 'reject' | 'dropOldest' | 'dropNewest' | undefined;
  /**
   * How long a call has to wait to be as urgent as a fresh one of the next priority, so that none waits for ever behind more urgent ones. Default
   * `'5s'`; with `Infinity` priorities are strict.
   */
  readonly agingPeriod?: Duration | undefined;
  /**
   * The name of a key of the calls, `'tenant'` for one: within one priority its values take turns, whoever has how many calls waiting. Calls without
   * it share turns. Default: none, calls of one priority go in the order they came.
   */
  readonly fairBy?: string | undefined;
  /** For errors and statistics. Default `'bulkhead'`. */
  readonly name?: string | undefined;
}

/** What {@link Bulkhead.reconfigure} can change; what is left out, or undefined, stays as it is. */
export type BulkheadChanges = { readonly [K in Exclude<keyof BulkheadOptions, 'fairBy' | 'name'>]?: BulkheadOptions[K] | undefined };

/**
 * The defaults of {@link BulkheadOptions}; that of `maxAbandoned` is `maxConcurrency`.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { bulkhead, bulkheadDefaults } from 'keelson';
 *
 * assert.equal(bulkhead({ maxConcurrency: 5 }).statistics().maxQueue, bulkheadDefaults.maxQueue);
 */
export const bulkheadDefaults: {
  readonly maxQueue: number;
  readonly overflow: 'reject' | 'dropOldest' | 'dropNewest';
  readonly agingPeriod: Duration;
  readonly name: string;
} = Object.freeze({ maxQueue: 100, overflow: 'reject', agingPeriod: '5s', name: 'bulkhead' });

/** A bulkhead at one moment; frozen, and plain enough for JSON. */
export interface BulkheadStatistics {
  readonly name: string;
  /** Permits that are out, those of abandoned work included; more than `maxConcurrency` for a while after that was lowered. */
  readonly inFlight: number;
  /** Calls that wait for one. */
  readonly waiting: number;
  /** How many of them are of which priority. */
  readonly waitingByPriority: Readonly<Record<Priority, number>>;
  /** How long the one that came first has waited; null where nobody waits. */
  readonly oldestWaitMs: number | null;
  /** Of the permits that are out, those that abandoned work holds. */
  readonly abandoned: number;
  /** Calls refused so far because there was no room when they came. */
  readonly refused: number;
  /** Calls that waited and lost their place so far, to another or because fewer may wait than did. */
  readonly dropped: number;
  readonly maxConcurrency: number;
  /** Null for any number. */
  readonly maxQueue: number | null;
  /** Null for any number. */
  readonly maxAbandoned: number | null;
  /** Whether it was closed or drained. */
  readonly isClosed: boolean;
}

const OVERFLOWS: readonly unknown[] = ['reject', 'dropOldest', 'dropNewest'];
const overflowCheck: Check = {
  expected: "one of 'reject', 'dropOldest', 'dropNewest' (not 'suspend': who waits is suspended, and maxQueue says how many may be)",
  accepts: (value) => OVERFLOWS.includes(value),
};

const CHANGEABLE: Checks<BulkheadChanges> = {
  maxConcurrency: wholeNumber({ min: 1 }),
  maxQueue: wholeNumber({ min: 0, allowInfinity: true }),
  maxAbandoned: wholeNumber({ min: 0, allowInfinity: true }),
  overflow: overflowCheck,
  agingPeriod: durationMs({ allowInfinity: true }),
};
const CHECKS: Checks<BulkheadOptions> = { ...CHANGEABLE, fairBy: text, name: text };

function rulesOf(options: BulkheadOptions): BulkheadRules {
  const { maxConcurrency, fairBy } = options;
  return {
    name: options.name ?? bulkheadDefaults.name,
    maxConcurrency,
    maxQueue: options.maxQueue ?? bulkheadDefaults.maxQueue,
    maxAbandoned: options.maxAbandoned ?? maxConcurrency,
    overflow: options.overflow ?? bulkheadDefaults.overflow,
    agingPeriodMs: toMs(options.agingPeriod ?? bulkheadDefaults.agingPeriod),
    fairBy,
  };
}

/** JSON has no Infinity. */
const finiteOrNull = (bound: number): number | null => (bound === Number.POSITIVE_INFINITY ? null : bound);

/**
 * Lets so many calls run at once: what {@link bulkhead} makes.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { Bulkhead } from 'keelson';
 *
 * const database = new Bulkhead({ maxConcurrency: 20, maxQueue: 50, name: 'database' });
 * await database.execute(() => {
 *   assert.equal(database.statistics().inFlight, 1);
 * });
 * assert.equal(database.statistics().inFlight, 0);
 */
export class Bulkhead extends LayerPolicy<never, BulkheadFullError | ClosedError> {
  readonly #layer: BulkheadLayer;
  /** As given, so that defaults that follow another option go on following it. */
  #options: BulkheadOptions;

  constructor(options: BulkheadOptions) {
    checkOptions<BulkheadOptions>('bulkhead', options, CHECKS);
    const maxConcurrency = options?.maxConcurrency;
    if (maxConcurrency === undefined) throw optionError('bulkhead', 'maxConcurrency', maxConcurrency, CHECKS.maxConcurrency.expected);
    const layer = new BulkheadLayer(rulesOf(options));
    super(layer);
    this.#layer = layer;
    this.#options = { ...options };
    enlist(this);
  }

  /**
   * Refuses everybody who waits, and all who come later, with ERR_CLOSED; what runs goes on (law P5). Idempotent.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { bulkhead } from 'keelson';
   *
   * const policy = bulkhead({ maxConcurrency: 1 });
   * policy.close();
   * await assert.rejects(policy.execute(() => 'never'), { code: 'ERR_CLOSED' });
   */
  close(): void {
    this.#layer.admission.close();
  }

  /**
   * Lets nobody in any more (ERR_CLOSED), and resolves when all who run and all who wait are through, abandoned work included. After `timeout`
   * those who still wait are refused, and it rejects with a {@link TimeoutError}; what runs goes on.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { bulkhead } from 'keelson';
   *
   * const policy = bulkhead({ maxConcurrency: 1 });
   * const results = ['a', 'b'].map((value) => policy.execute(async () => value));
   * await policy.drain({ timeout: '10s' });
   * assert.deepEqual(await Promise.all(results), ['a', 'b']);
   */
  drain(options?: DrainOptions): Promise<void> {
    return this.#layer.admission.drain(options);
  }

  /**
   * Changes what is given, at once, and nothing else. Throws ERR_OPTION for wrong options, as {@link bulkhead} does, and for those that cannot be
   * changed.
   *
   * What runs goes on: more permits than before are handed to those who wait, in order; where there are fewer, those that come back are kept until
   * the number is right. Where fewer may wait than do, those who have to go are dropped, each with {@link BulkheadFullError}, as `overflow` says; with
   * `'reject'` nobody is, and nobody may come until the number is right.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { bulkhead } from 'keelson';
   *
   * const policy = bulkhead({ maxConcurrency: 1 });
   * const results = [1, 2, 3].map((n) => policy.execute(async () => n));
   * policy.reconfigure({ maxConcurrency: 2 });
   * assert.equal(policy.statistics().inFlight, 2);
   * assert.deepEqual(await Promise.all(results), [1, 2, 3]);
   */
  reconfigure(changes: BulkheadChanges = {}): void {
    checkOptions<BulkheadChanges>(`${this.name}.reconfigure`, changes, CHANGEABLE);
    const given = Object.entries(changes).filter(([, value]) => value !== undefined);
    this.#options = { ...this.#options, ...(Object.fromEntries(given) as Partial<BulkheadOptions>) };
    this.#layer.changeRules(rulesOf(this.#options), currentClock().nowMs());
  }

  /**
   * How it stands now: a frozen, JSON-safe snapshot.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { bulkhead } from 'keelson';
   *
   * const { inFlight, waiting, oldestWaitMs } = bulkhead({ maxConcurrency: 1 }).statistics();
   * assert.deepEqual({ inFlight, waiting, oldestWaitMs }, { inFlight: 0, waiting: 0, oldestWaitMs: null });
   */
  statistics(): BulkheadStatistics {
    const { inFlight, queue, lingering, refused, dropped, admission, rules } = this.#layer;
    const { oldestSinceMs } = queue;
    return Object.freeze({
      name: rules.name,
      inFlight,
      waiting: queue.size,
      waitingByPriority: Object.freeze(queue.sizes()),
      oldestWaitMs: oldestSinceMs === undefined ? null : currentClock().nowMs() - oldestSinceMs,
      abandoned: lingering,
      refused,
      dropped,
      maxConcurrency: rules.maxConcurrency,
      maxQueue: finiteOrNull(rules.maxQueue),
      maxAbandoned: finiteOrNull(rules.maxAbandoned),
      isClosed: !admission.isOpen,
    });
  }
}

/**
 * Makes a policy that lets at most `maxConcurrency` calls run at once; up to `maxQueue` more wait, the most urgent first, and in the order they came
 * where they are as urgent.
 *
 * How urgent a call is its caller says, `execute(operation, { priority: 'high' })`; who has waited long is as urgent as who came later with a higher
 * priority (`agingPeriod`). With `fairBy` the callers of one priority take turns.
 *
 * A permit is held until the work has really ended, not until its caller stopped waiting: so what a timeout or a cancellation left running
 * still counts (law P1), and there are never more than `maxConcurrency` at the callee. A permit that comes back goes straight to whoever is
 * first in the queue (law P2). One that waits leaves at once when its caller cancels or its time is up. Outside `retry` a permit is held through all
 * attempts and waits; inside it is taken anew for each attempt (law R6).
 *
 * Refuses with a {@link BulkheadFullError} (ERR_BULKHEAD_FULL), which retries do not try again and breakers do not count. Throws ERR_OPTION for wrong
 * options.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { bulkhead } from 'keelson';
 *
 * const policy = bulkhead({ maxConcurrency: 1, maxQueue: 1 });
 * const calls = [1, 2, 3].map((n) => policy.execute(async () => n, { name: 'loadUser' }));
 * const results = await Promise.allSettled(calls);
 * assert.deepEqual(results.map((result) => result.status), ['fulfilled', 'fulfilled', 'rejected']);
 */
export function bulkhead(options: BulkheadOptions): Bulkhead {
  return new Bulkhead(options);
}
