// The retry quota of the AWS SDKs, with their constants (smithy, "retries 2026"): a transient failure costs nearly three times a throttled one, since
// it says less of when to come back.

import { currentClock } from '../context/ambient.ts';
import { type Check, type Checks, checkOptions, nonNegativeNumber, positiveNumber, text } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import { enlist } from '../observe/live.ts';
import type { OutcomeKind } from '../outcome/classify.ts';
import { type RetryAllowance, type RetryPayment, TOLERANCE } from './retry-allowance.ts';
import { checkSnapshot, type Snapshot } from './snapshot.ts';

/** What a retry costs, by the kind of the failure. One that is retried only because `handles` says so costs what a transient one does. */
export interface RetryCosts {
  /** Default 14. */
  readonly transient?: number | undefined;
  /** Default 5. */
  readonly throttled?: number | undefined;
  /** Default 14. */
  readonly overloaded?: number | undefined;
}

/** What a {@link retryQuota} is made of. */
export interface RetryQuotaOptions {
  /** How much it holds; it begins full. Default 500: 35 retries of transient failures. */
  readonly capacity?: number | undefined;
  /** What a retry costs. Default 14, and 5 for what was throttled. */
  readonly costs?: RetryCosts | undefined;
  /** What a call that succeeds without a paid retry pays in. Default 1; others pay back what their last retry had cost. */
  readonly perSuccess?: number | undefined;
  /** For statistics. Default `'retry quota'`. */
  readonly name?: string | undefined;
}

type Costs = { readonly [K in keyof RetryCosts]-?: number };

/**
 * The defaults of {@link RetryQuotaOptions}.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { retryQuota, retryQuotaDefaults } from 'keelson';
 *
 * const small = retryQuota({ capacity: retryQuotaDefaults.capacity / 10 });
 * assert.equal(small.statistics().balance, 50);
 */
export const retryQuotaDefaults: { readonly capacity: number; readonly costs: Costs; readonly perSuccess: number; readonly name: string } =
  Object.freeze({
    capacity: 500,
    costs: Object.freeze({ transient: 14, throttled: 5, overloaded: 14 }),
    perSuccess: 1,
    name: 'retry quota',
  });

/** A {@link RetryQuota} at one moment; frozen, and plain enough for JSON. */
export interface RetryQuotaStatistics {
  readonly name: string;
  /** What is left. */
  readonly balance: number;
  readonly capacity: number;
  readonly costs: Costs;
  readonly perSuccess: number;
  /** Retries it has granted so far, without those that never began. */
  readonly granted: number;
  /** Retries it has refused so far. */
  readonly refused: number;
}

/** What a {@link RetryQuota} remembers, for another process or after a restart. */
export interface RetryQuotaSnapshot extends Snapshot<'retry-quota'> {
  readonly balance: number;
}

const COST_CHECKS: Checks<RetryCosts> = { transient: positiveNumber, throttled: positiveNumber, overloaded: positiveNumber };
const costsCheck: Check = { expected: 'an object', accepts: (value) => typeof value === 'object' && value !== null };
const CHECKS: Checks<RetryQuotaOptions> = { capacity: positiveNumber, costs: costsCheck, perSuccess: nonNegativeNumber, name: text };

/** A cost above the capacity could never be paid. */
function checkedCosts(given: RetryCosts | undefined, capacity: number): Costs {
  checkOptions<RetryCosts>('retryQuota.costs', given, COST_CHECKS);
  const { transient, throttled, overloaded } = retryQuotaDefaults.costs;
  const costs = {
    transient: given?.transient ?? transient,
    throttled: given?.throttled ?? throttled,
    overloaded: given?.overloaded ?? overloaded,
  };
  const tooMuch = Object.entries(costs).find(([, cost]) => cost > capacity);
  if (tooMuch !== undefined) throw optionError('retryQuota.costs', tooMuch[0], tooMuch[1], `at most the capacity, ${capacity}`);
  return Object.freeze(costs);
}

/**
 * Bounds the retries of all calls that share it by what they cost: what {@link retryQuota} makes.
 *
 * The methods but the last three are for policies.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { RetryQuota } from 'keelson';
 *
 * const quota = new RetryQuota({ capacity: 20 });
 * assert.equal(quota.tryTake('transient'), 14);
 * assert.equal(quota.tryTake('transient'), undefined); // 6 are left
 * assert.equal(quota.tryTake('throttled'), 5);
 */
export class RetryQuota implements RetryAllowance {
  readonly name: string;
  readonly #capacity: number;
  readonly #costs: Costs;
  readonly #perSuccess: number;
  #balance: number;
  #granted = 0;
  #refused = 0;

  constructor(options?: RetryQuotaOptions) {
    checkOptions<RetryQuotaOptions>('retryQuota', options, CHECKS);
    this.name = options?.name ?? retryQuotaDefaults.name;
    this.#capacity = options?.capacity ?? retryQuotaDefaults.capacity;
    this.#costs = checkedCosts(options?.costs, this.#capacity);
    this.#perSuccess = options?.perSuccess ?? retryQuotaDefaults.perSuccess;
    this.#balance = this.#capacity;
    enlist(this);
  }

  /** Changes nothing: only a call that succeeds pays. */
  began(): void {}

  /** Pays for a retry that is about to wait; undefined where too little is left. */
  tryTake(kind: OutcomeKind): RetryPayment | undefined {
    const cost = (this.#costs as { readonly [kind in OutcomeKind]?: number })[kind] ?? this.#costs.transient;
    if (this.#balance < cost - TOLERANCE) {
      this.#refused++;
      return undefined;
    }
    this.#granted++;
    this.#balance = Math.max(0, this.#balance - cost);
    return cost;
  }

  /** Takes back what was paid for a retry that never began. */
  refund(payment: RetryPayment): void {
    this.#granted--;
    this.#payIn(payment);
  }

  /** A call has succeeded: it gives back what its last retry had cost. */
  succeeded(payment: RetryPayment | undefined): void {
    this.#payIn(payment ?? this.#perSuccess);
  }

  /**
   * How it stands now: a frozen, JSON-safe snapshot.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { retryQuota } from 'keelson';
   *
   * const { balance, capacity } = retryQuota().statistics();
   * assert.deepEqual({ balance, capacity }, { balance: 500, capacity: 500 });
   */
  statistics(): RetryQuotaStatistics {
    return Object.freeze({
      name: this.name,
      balance: this.#balance,
      capacity: this.#capacity,
      costs: this.#costs,
      perSuccess: this.#perSuccess,
      granted: this.#granted,
      refused: this.#refused,
    });
  }

  /**
   * What it remembers, frozen and JSON-safe: for {@link RetryQuota.restore}, here or in another process.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { retryQuota } from 'keelson';
   *
   * assert.equal(retryQuota().snapshot().balance, 500);
   */
  snapshot(): RetryQuotaSnapshot {
    return Object.freeze({ version: 1, kind: 'retry-quota', takenAtMs: currentClock().epochMs(), balance: this.#balance });
  }

  /**
   * Has what was left when `snapshot` was taken, at most its capacity; time fills no quota.
   *
   * Throws ERR_OPTION, naming the field, for what is no snapshot of a retry quota; it is then as before.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { retryQuota } from 'keelson';
   *
   * const [before, after] = [retryQuota(), retryQuota()];
   * before.tryTake('transient');
   * after.restore(before.snapshot());
   * assert.equal(after.statistics().balance, 486);
   */
  restore(snapshot: RetryQuotaSnapshot): void {
    checkSnapshot<RetryQuotaSnapshot>('retryQuota.restore', 'retry-quota', snapshot, { balance: nonNegativeNumber });
    this.#balance = Math.min(this.#capacity, snapshot.balance);
  }

  #payIn(amount: number): void {
    this.#balance = Math.min(this.#capacity, this.#balance + amount);
  }
}

/**
 * Makes a quota to share between the retries that put load on one callee: `retry({ budget: retryQuota() })`. While the callee is down it runs dry,
 * and calls are made once; a few percent of failures it pays for, for ever.
 *
 * Each retry costs what its failure is worth, taken when its backoff begins and given back if it never starts. One that cannot be paid for is not
 * made: its call fails with the error it has. A call that succeeds after a retry gives back what the last one had cost, any other `perSuccess`. A
 * wait that the callee or an open breaker asked for costs nothing, and nothing that runs is ever ended. {@link retryBudget} is the other one: it
 * follows the number of calls, whatever becomes of them.
 *
 * Throws ERR_OPTION for a wrong option, and for a cost above the capacity, which could never be paid.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { retryQuota, withRetry } from 'keelson';
 *
 * const budget = retryQuota({ capacity: 30 });
 * let calls = 0;
 * const down = (): never => {
 *   calls++;
 *   throw new Error('down');
 * };
 * for (let i = 0; i < 10; i++) {
 *   await assert.rejects(withRetry(down, { budget, baseDelay: 1 }));
 * }
 * assert.equal(calls, 12); // ten first calls, two retries of 14
 * assert.equal(budget.statistics().balance, 2);
 */
export function retryQuota(options?: RetryQuotaOptions): RetryQuota {
  return new RetryQuota(options);
}
