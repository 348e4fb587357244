// Finagle's RetryBudget: a share of the calls of the last while, and a minimum a second besides. As there, a call pays whatever becomes of it, so
// that calls and retries together stay within a factor of the calls. One difference: a retry counts from when its backoff begins, so that all
// that wait are counted (law R3; Envoy's overshoots in a burst because they are not), and no longer if it never starts.
import { currentClock } from '../context/ambient.ts';
import { type Check, type Checks, checkOptions, fraction, nonNegativeNumber, text } from '../errors/check-options.ts';
import { enlist } from '../observe/live.ts';
import type { OutcomeKind } from '../outcome/classify.ts';
import { type Duration, durationMs, toMs } from '../time/duration.ts';
import { type RetryAllowance, type RetryPayment, TOLERANCE } from './retry-allowance.ts';
import { type RetrySlot, RetryWindow } from './retry-window.ts';
import { checkSnapshot, elapsedMs, type Snapshot } from './snapshot.ts';

/** What a {@link retryBudget} is made of. */
export interface RetryBudgetOptions {
  /** How much of a retry each call pays for. From 0 to 1, default 0.2: one retry for five calls. */
  readonly ratio?: number | undefined;
  /** Retries granted for each second besides, so that a client of few calls has some. Default 1; 0 for none. */
  readonly minPerSecond?: number | undefined;
  /** How long a call and a retry count. Default `'10s'`. */
  readonly ttl?: Duration | undefined;
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
  ttl: '10s',
  name: 'retry budget',
});

/** A {@link RetryBudget} at one moment; frozen, and plain enough for JSON. */
export interface RetryBudgetStatistics {
  readonly name: string;
  /** Retries it would grant now. */
  readonly balance: number;
  /** Calls that count now. */
  readonly calls: number;
  /** Retries that count now, those in backoff included. */
  readonly retries: number;
  readonly ratio: number;
  readonly minPerSecond: number;
  readonly ttlMs: number;
  /** Retries it has granted so far, without those that never began. */
  readonly granted: number;
  /** Retries it has refused so far. */
  readonly refused: number;
}

/** What a {@link RetryBudget} remembers, for another process or after a restart. */
export interface RetryBudgetSnapshot extends Snapshot<'retry-budget'> {
  /** What counts, oldest first, each with how long it still does. */
  readonly slots: readonly RetrySlot[];
}

const CHECKS: Checks<RetryBudgetOptions> = { ratio: fraction, minPerSecond: nonNegativeNumber, ttl: durationMs(), name: text };

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const slotsCheck: Check = {
  expected: 'an array of { calls, retries, remainingMs }, numbers of at least 0',
  accepts: (value) => Array.isArray(value) && value.every(isSlot),
};

function isSlot(value: unknown): boolean {
  const { calls, retries, remainingMs } = (value ?? {}) as Partial<RetrySlot>;
  return isCount(calls) && isCount(retries) && nonNegativeNumber.accepts(remainingMs);
}

/**
 * Bounds the retries of all calls that share it to a part of these calls: what {@link retryBudget} makes.
 *
 * The methods but the last three are for policies.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { RetryBudget } from 'keelson';
 *
 * const budget = new RetryBudget({ ratio: 0.5, minPerSecond: 0, ttl: '10s' });
 * budget.began(0);
 * assert.equal(budget.tryTake('transient', 0), undefined); // half a retry
 * budget.began(0);
 * assert.notEqual(budget.tryTake('transient', 0), undefined);
 */
export class RetryBudget implements RetryAllowance {
  readonly name: string;
  readonly #ratio: number;
  readonly #minPerSecond: number;
  readonly #ttlMs: number;
  readonly #window: RetryWindow;
  #granted = 0;
  #refused = 0;

  constructor(options?: RetryBudgetOptions) {
    checkOptions<RetryBudgetOptions>('retryBudget', options, CHECKS);
    this.name = options?.name ?? retryBudgetDefaults.name;
    this.#ratio = options?.ratio ?? retryBudgetDefaults.ratio;
    this.#minPerSecond = options?.minPerSecond ?? retryBudgetDefaults.minPerSecond;
    this.#ttlMs = toMs(options?.ttl ?? retryBudgetDefaults.ttl);
    this.#window = new RetryWindow(this.#ttlMs);
    enlist(this);
  }

  /** A call begins, and pays its part. */
  began(nowMs: number): void {
    this.#window.called(nowMs);
  }

  /** Pays for a retry that is about to wait; undefined where there is nothing to pay with. All kinds of failures cost 1. */
  tryTake(_kind: OutcomeKind, nowMs: number): RetryPayment | undefined {
    if (this.#balanceAt(nowMs) < 1 - TOLERANCE) {
      this.#refused++;
      return undefined;
    }
    this.#granted++;
    return this.#window.retried(nowMs);
  }

  /** Takes back what was paid for a retry that never began. */
  refund(payment: RetryPayment): void {
    this.#granted--;
    this.#window.takeBack(payment);
  }

  /** Changes nothing: a call has paid when it began. */
  succeeded(): void {}

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
    const nowMs = currentClock().nowMs();
    return Object.freeze({
      name: this.name,
      balance: this.#balanceAt(nowMs),
      ...this.#window.counts(nowMs),
      ratio: this.#ratio,
      minPerSecond: this.#minPerSecond,
      ttlMs: this.#ttlMs,
      granted: this.#granted,
      refused: this.#refused,
    });
  }

  /**
   * What it remembers, frozen and JSON-safe: for {@link RetryBudget.restore}, here or in another process.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { retryBudget } from 'keelson';
   *
   * assert.deepEqual(retryBudget().snapshot().slots, []);
   */
  snapshot(): RetryBudgetSnapshot {
    const clock = currentClock();
    const slots = this.#window.slots(clock.nowMs()).map((slot) => Object.freeze(slot));
    return Object.freeze({ version: 1, kind: 'retry-budget', takenAtMs: clock.epochMs(), slots: Object.freeze(slots) });
  }

  /**
   * Remembers what `snapshot` does, in place of all it knew. The time since it was taken has passed, and nothing counts for longer than `ttl`.
   *
   * Throws ERR_OPTION, naming the field, for what is no snapshot of a retry budget; it is then as before.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { retryBudget } from 'keelson';
   *
   * const [before, after] = [retryBudget(), retryBudget()];
   * before.tryTake('transient', performance.now());
   * after.restore(before.snapshot());
   * assert.equal(after.statistics().retries, 1);
   */
  restore(snapshot: RetryBudgetSnapshot): void {
    checkSnapshot<RetryBudgetSnapshot>('retryBudget.restore', 'retry-budget', snapshot, { slots: slotsCheck });
    const clock = currentClock();
    const passedMs = elapsedMs(snapshot, clock.epochMs());
    const slots = snapshot.slots.map((slot) => ({ ...slot, remainingMs: slot.remainingMs - passedMs }));
    this.#window.restore(slots, clock.nowMs());
  }

  /** Calls may be forgotten before the retries they have paid for: then nothing is left, not less. */
  #balanceAt(nowMs: number): number {
    const { calls, retries } = this.#window.counts(nowMs);
    return Math.max(0, this.#ratio * calls + (this.#minPerSecond * this.#ttlMs) / 1000 - retries);
  }
}

/**
 * Makes a budget to share between the retries that put load on one callee: `retry({ budget })`. However many calls fail, it grants no more retries
 * than `ratio` times the calls and `minPerSecond` for each second, both counted over the last `ttl` in steps of a tenth: the callee then gets 1.2
 * times the calls, not three times.
 *
 * A retry counts from when its backoff begins, and no longer if it never starts. One that cannot be paid for is not made: its call fails with the
 * error it has. A wait that the callee or an open breaker asked for costs nothing, and nothing that runs is ever ended. {@link retryQuota} is the
 * other one: it is filled by calls that succeed, and runs dry while the callee is down.
 *
 * Throws ERR_OPTION for a wrong option.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { retryBudget, withRetry } from 'keelson';
 *
 * const budget = retryBudget({ ratio: 0.2, minPerSecond: 0 });
 * let calls = 0;
 * const down = (): never => {
 *   calls++;
 *   throw new Error('down');
 * };
 * for (let i = 0; i < 10; i++) {
 *   await assert.rejects(withRetry(down, { budget, baseDelay: 1 }));
 * }
 * assert.equal(calls, 12); // ten first calls, two retries
 * assert.equal(budget.statistics().granted, 2);
 */
export function retryBudget(options?: RetryBudgetOptions): RetryBudget {
  return new RetryBudget(options);
}
