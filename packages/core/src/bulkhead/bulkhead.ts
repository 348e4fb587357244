import { type Checks, checkOptions, text, wholeNumber } from '../errors/check-options.ts';
import type { ClosedError } from '../errors/closed-error.ts';
import { optionError } from '../errors/option-error.ts';
import { enlist } from '../observe/live.ts';
import type { DrainOptions } from '../policy/admission.ts';
import { LayerPolicy } from '../policy/layer-policy.ts';
import { type BulkheadFullError, BulkheadLayer } from './bulkhead-layer.ts';

/** What a {@link bulkhead} is made of. */
export interface BulkheadOptions {
  /** How many calls may run at once; abandoned ones count until their work has ended. Required. */
  readonly maxConcurrency: number;
  /** How many more may wait, first in, first out. Default 100; 0 refuses at once; `Infinity` is allowed. */
  readonly maxQueue?: number | undefined;
  /**
   * How many permits abandoned work (timed out or cancelled, and still running) may hold. Beyond, a call that would have to wait is refused at once:
   * who queues behind work that ignores its signal may wait for ever. Default: `maxConcurrency`, which never refuses for that reason.
   */
  readonly maxAbandoned?: number | undefined;
  /** For errors and statistics. Default `'bulkhead'`. */
  readonly name?: string | undefined;
}

/**
 * The defaults of {@link BulkheadOptions}; that of `maxAbandoned` is `maxConcurrency`.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { bulkhead, bulkheadDefaults } from 'keelson';
 *
 * assert.equal(bulkhead({ maxConcurrency: 5 }).statistics().maxQueue, bulkheadDefaults.maxQueue);
 */
export const bulkheadDefaults: { readonly maxQueue: number; readonly name: string } = Object.freeze({ maxQueue: 100, name: 'bulkhead' });

/** A bulkhead at one moment; frozen, and plain enough for JSON. */
export interface BulkheadStatistics {
  readonly name: string;
  /** Permits that are out, those of abandoned work included. */
  readonly inFlight: number;
  /** Calls that wait for one. */
  readonly waiting: number;
  /** Of the permits that are out, those that abandoned work holds. */
  readonly abandoned: number;
  /** Calls refused so far because there was no room. */
  readonly refused: number;
  readonly maxConcurrency: number;
  readonly maxQueue: number;
  readonly maxAbandoned: number;
  /** Whether it was closed or drained. */
  readonly isClosed: boolean;
}

const CHECKS: Checks<BulkheadOptions> = {
  maxConcurrency: wholeNumber({ min: 1 }),
  maxQueue: wholeNumber({ min: 0, allowInfinity: true }),
  maxAbandoned: wholeNumber({ min: 0, allowInfinity: true }),
  name: text,
};

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

  constructor(options: BulkheadOptions) {
    checkOptions<BulkheadOptions>('bulkhead', options, CHECKS);
    const maxConcurrency = options?.maxConcurrency;
    if (maxConcurrency === undefined) throw optionError('bulkhead', 'maxConcurrency', maxConcurrency, CHECKS.maxConcurrency.expected);
    const maxQueue = options.maxQueue ?? bulkheadDefaults.maxQueue;
    const maxAbandoned = options.maxAbandoned ?? maxConcurrency;
    const layer = new BulkheadLayer({ name: options.name ?? bulkheadDefaults.name, maxConcurrency, maxQueue, maxAbandoned });
    super(layer);
    this.#layer = layer;
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
   * How it stands now: a frozen, JSON-safe snapshot.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { bulkhead } from 'keelson';
   *
   * const { inFlight, waiting, abandoned } = bulkhead({ maxConcurrency: 1 }).statistics();
   * assert.deepEqual({ inFlight, waiting, abandoned }, { inFlight: 0, waiting: 0, abandoned: 0 });
   */
  statistics(): BulkheadStatistics {
    const { inFlight, queue, lingering, refused, admission, rules } = this.#layer;
    const { name, ...bounds } = rules;
    return Object.freeze({ name, inFlight, waiting: queue.size, abandoned: lingering, refused, ...bounds, isClosed: !admission.isOpen });
  }
}

/**
 * Makes a policy that lets at most `maxConcurrency` calls run at once; up to `maxQueue` more wait in the order they came.
 *
 * A permit is held until the work has really ended, not until its caller stopped waiting: so what a timeout or a cancellation left running
 * still counts (law P1), and there are never more than `maxConcurrency` at the callee. A permit that comes back goes straight to whoever has
 * waited longest (law P2). One that waits leaves at once when its caller cancels or its time is up. Outside `retry` a permit is held through all
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
