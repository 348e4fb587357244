// After Finagle's RetryBudget (a deposit for each request, a withdrawal for each retry, and a minimum per second), with three differences:
// only a call that succeeds deposits, so that an outage dries the budget up; a retry withdraws when its backoff begins, so that all that
// wait are counted (law R3); and there is no window: what is saved up is bounded by the capacity.
import { currentClock } from '../context/ambient.ts';
import { type Check, type Checks, checkOptions, fraction, text, wholeNumber } from '../errors/check-options.ts';
import { enlist } from '../observe/live.ts';

/** What a {@link retryBudget} is made of. */
export interface RetryBudgetOptions {
  /** How much of a retry each call that succeeds pays for. From 0 to 1, default 0.2: one retry for five such calls. */
  readonly ratio?: number | undefined;
  /** Retries granted each second besides, so that a client of few calls has some. Default 1; 0 for none. */
  readonly minPerSecond?: number | undefined;
  /** How many retries can be saved up; the budget begins with as many. Default 10. */
  readonly capacity?: number | undefined;
  /** For statistics. Default `'retry budget'`. */
  readonly name?: string | undefined;
}

/**
 * The defaults of {@link RetryBudgetOptions}.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { retryBudget, retryBudgetDefaults } from 'keelson';
 *
 * const half = retryBudget({ ratio: retryBudgetDefaults.ratio / 2 });
 * assert.equal(half.statistics().ratio, 0.1);
 */
export const retryBudgetDefaults: { readonly [K in keyof RetryBudgetOptions]-?: NonNullable<RetryBudgetOptions[K]> } = Object.freeze({
  ratio: 0.2,
  minPerSecond: 1,
  capacity: 10,
  name: 'retry budget',
});

/** A {@link RetryBudget} at one moment; frozen, and plain enough for JSON. */
export interface RetryBudgetStatistics {
  readonly name: string;
  /** Retries it would grant now. */
  readonly balance: number;
  readonly capacity: number;
  readonly ratio: number;
  readonly minPerSecond: number;
  /** Retries it has granted so far, without those that never began. */
  readonly granted: number;
  /** Retries it has refused so far. */
  readonly refused: number;
}

const rate: Check = {
  expected: 'a finite number of at least 0',
  accepts: (value) => Number.isFinite(value) && (value as number) >= 0,
};

const CHECKS: Checks<RetryBudgetOptions> = { ratio: fraction, minPerSecond: rate, capacity: wholeNumber({ min: 1 }), name: text };

/** Ten deposits of 0.1 come to 0.9999999999999999, and have to buy a retry. */
const TOLERANCE = 1e-9;

/**
 * Bounds the retries of all calls that share it to a part of those that succeed: what {@link retryBudget} makes.
 *
 * The methods are for policies; time is given, so that all they do is a function of it. It may come from several clocks: one that
 * lies behind the last grants nothing.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { RetryBudget } from 'keelson';
 *
 * const budget = new RetryBudget({ ratio: 0.5, minPerSecond: 0, capacity: 1 });
 * assert(budget.tryTake(0));
 * assert(!budget.tryTake(1000));
 * budget.deposit();
 * budget.deposit();
 * assert(budget.tryTake(2000));
 */
export class RetryBudget {
  readonly name: string;
  readonly #ratio: number;
  readonly #minPerSecond: number;
  readonly #capacity: number;
  /** At `#atMs`; cut to the capacity when it is read. */
  #balance: number;
  #atMs = 0;
  #granted = 0;
  #refused = 0;

  constructor(options?: RetryBudgetOptions) {
    checkOptions<RetryBudgetOptions>('retryBudget', options, CHECKS);
    this.name = options?.name ?? retryBudgetDefaults.name;
    this.#ratio = options?.ratio ?? retryBudgetDefaults.ratio;
    this.#minPerSecond = options?.minPerSecond ?? retryBudgetDefaults.minPerSecond;
    this.#capacity = options?.capacity ?? retryBudgetDefaults.capacity;
    this.#balance = this.#capacity;
    enlist(this);
  }

  /** Pays for a retry that is about to wait; false where there is nothing to pay with. */
  tryTake(nowMs: number): boolean {
    const balance = this.#balanceAt(nowMs);
    this.#atMs = nowMs;
    const isGranted = balance >= 1 - TOLERANCE;
    this.#balance = isGranted ? Math.max(0, balance - 1) : balance;
    if (isGranted) this.#granted++;
    else this.#refused++;
    return isGranted;
  }

  /** Takes back what was paid for a retry that never began. */
  refund(): void {
    this.#granted--;
    this.#balance += 1;
  }

  /** A call has succeeded. */
  deposit(): void {
    this.#balance += this.#ratio;
  }

  /**
   * How it stands now: a frozen, JSON-safe snapshot.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { retryBudget } from 'keelson';
   *
   * const { balance, granted, refused } = retryBudget().statistics();
   * assert.deepEqual({ balance, granted, refused }, { balance: 10, granted: 0, refused: 0 });
   */
  statistics(): RetryBudgetStatistics {
    return Object.freeze({
      name: this.name,
      balance: this.#balanceAt(currentClock().nowMs()),
      capacity: this.#capacity,
      ratio: this.#ratio,
      minPerSecond: this.#minPerSecond,
      granted: this.#granted,
      refused: this.#refused,
    });
  }

  #balanceAt(nowMs: number): number {
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    return Math.min(this.#capacity, this.#balance + (elapsedMs / 1000) * this.#minPerSecond);
  }
}

/**
 * Makes a budget to share between the retries that put load on one callee: `retry({ budget })`. While the callee is down they then add a
 * few calls a second to it, instead of two for each call.
 *
 * Each call that succeeds pays in `ratio`; each retry costs 1, taken when its backoff begins and given back if it never starts. A retry
 * that cannot be paid for is not made: its call fails with the error it has. A wait that the callee or an open breaker asked for costs
 * nothing, and nothing that runs is ever ended.
 *
 * Throws ERR_OPTION for a wrong option.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { retryBudget, withRetry } from 'keelson';
 *
 * const budget = retryBudget({ capacity: 2, minPerSecond: 0 });
 * let calls = 0;
 * const down = (): never => {
 *   calls++;
 *   throw new Error('down');
 * };
 * for (let i = 0; i < 10; i++) {
 *   await assert.rejects(withRetry(down, { budget, baseDelay: 1 }));
 * }
 * assert.equal(calls, 12); // ten first calls, two retries
 * assert.equal(budget.statistics().refused, 9);
 */
export function retryBudget(options?: RetryBudgetOptions): RetryBudget {
  return new RetryBudget(options);
}
