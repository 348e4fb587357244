// Windows as in Resilience4j: a ring of outcomes for the last calls, and a ring of buckets with running totals for the last while, both O(1) a call.

/** Remembers outcomes, and says when there were too many failures: a pure function of what it is told and when. */
export interface TripStrategy {
  /** The time is asked only where it matters: a reading costs more than all the rest. */
  succeeded(time: { nowMs(): number }): void;
  /** True: too many. */
  failed(nowMs: number): boolean;
  /** Forgets everything. */
  reset(): void;
  /** Whether it remembers no failure. */
  isClean(nowMs: number): boolean;
  /** What it remembers. */
  counts(nowMs: number): Counts;
  /** What it trips on, for messages: `'5 failures in a row'`. */
  readonly rule: string;
}

/** What a {@link TripStrategy} remembers. */
export interface Counts {
  readonly calls: number;
  readonly failures: number;
}

/** When a share of calls is too much. */
export interface RateRule {
  /** From above 0 to 1. */
  readonly failureRate: number;
  /** So many calls have to be remembered before the rate means anything. */
  readonly minimumCalls: number;
}

const isTooMany = ({ calls, failures }: Counts, rule: RateRule): boolean =>
  calls >= rule.minimumCalls && failures / calls >= rule.failureRate;

const rateText = ({ failureRate, minimumCalls }: RateRule, over: string): string =>
  `${Math.round(failureRate * 1000) / 10} % failures of at least ${minimumCalls} calls over ${over}`;

/** Trips on so many failures in a row; forgets them when none has come for `memoryMs` (law B5). */
export class Consecutive implements TripStrategy {
  readonly #threshold: number;
  readonly #memoryMs: number;
  #failures = 0;
  #lastMs = 0;

  constructor(threshold: number, memoryMs: number) {
    this.#threshold = threshold;
    this.#memoryMs = memoryMs;
  }

  get rule(): string {
    return this.#threshold === 1 ? 'one failure' : `${this.#threshold} failures in a row`;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(nowMs: number): boolean {
    this.#failures = this.counts(nowMs).failures + 1;
    this.#lastMs = nowMs;
    return this.#failures >= this.#threshold;
  }

  reset(): void {
    this.#failures = 0;
  }

  isClean(nowMs: number): boolean {
    return this.counts(nowMs).failures === 0;
  }

  counts(nowMs: number): Counts {
    const failures = nowMs - this.#lastMs > this.#memoryMs ? 0 : this.#failures;
    return { calls: failures, failures };
  }
}

/** Trips on the share of failures among the last calls; forgets them when none has ended for `memoryMs` (law B5). */
export class CountWindow implements TripStrategy {
  readonly #rule: RateRule;
  readonly #memoryMs: number;
  /** 1 for a failure. */
  readonly #ring: Uint8Array;
  #next = 0;
  #calls = 0;
  #failures = 0;
  #lastMs = 0;

  constructor(calls: number, rule: RateRule, memoryMs: number) {
    this.#ring = new Uint8Array(calls);
    this.#rule = rule;
    this.#memoryMs = memoryMs;
  }

  get rule(): string {
    return rateText(this.#rule, `the last ${this.#ring.length} calls`);
  }

  succeeded(time: { nowMs(): number }): void {
    this.#add(time.nowMs(), 0);
  }

  failed(nowMs: number): boolean {
    this.#add(nowMs, 1);
    return isTooMany(this.counts(nowMs), this.#rule);
  }

  reset(): void {
    this.#ring.fill(0);
    this.#next = 0;
    this.#calls = 0;
    this.#failures = 0;
  }

  isClean(nowMs: number): boolean {
    return this.counts(nowMs).failures === 0;
  }

  counts(nowMs: number): Counts {
    this.#forget(nowMs);
    return { calls: this.#calls, failures: this.#failures };
  }

  #forget(nowMs: number): void {
    if (this.#calls > 0 && nowMs - this.#lastMs > this.#memoryMs) this.reset();
  }

  /** A place that was not filled yet holds 0. */
  #add(nowMs: number, outcome: 0 | 1): void {
    this.#forget(nowMs);
    this.#lastMs = nowMs;
    const ring = this.#ring;
    this.#failures += outcome - (ring[this.#next] as number);
    ring[this.#next] = outcome;
    this.#next = (this.#next + 1) % ring.length;
    if (this.#calls < ring.length) this.#calls++;
  }
}

const BUCKETS = 10;

/** Trips on the share of failures in the last while; what is older is forgotten in steps of a tenth, also when nobody calls (law B5). */
export class TimeWindow implements TripStrategy {
  readonly #rule: RateRule;
  readonly #periodText: string;
  readonly #bucketMs: number;
  readonly #calls: number[] = new Array<number>(BUCKETS).fill(0);
  readonly #failures: number[] = new Array<number>(BUCKETS).fill(0);
  /** Number of the bucket that is being filled, counted from the clock's origin. */
  #current = 0;
  #totalCalls = 0;
  #totalFailures = 0;

  constructor(periodMs: number, rule: RateRule, periodText: string) {
    this.#bucketMs = periodMs / BUCKETS;
    this.#rule = rule;
    this.#periodText = periodText;
  }

  get rule(): string {
    return rateText(this.#rule, this.#periodText);
  }

  succeeded(time: { nowMs(): number }): void {
    this.#add(time.nowMs(), 0);
  }

  failed(nowMs: number): boolean {
    this.#add(nowMs, 1);
    return isTooMany({ calls: this.#totalCalls, failures: this.#totalFailures }, this.#rule);
  }

  reset(): void {
    this.#calls.fill(0);
    this.#failures.fill(0);
    this.#totalCalls = 0;
    this.#totalFailures = 0;
  }

  isClean(nowMs: number): boolean {
    this.#rotate(nowMs);
    return this.#totalFailures === 0;
  }

  counts(nowMs: number): Counts {
    this.#rotate(nowMs);
    return { calls: this.#totalCalls, failures: this.#totalFailures };
  }

  #add(nowMs: number, outcome: 0 | 1): void {
    this.#rotate(nowMs);
    const at = this.#current % BUCKETS;
    this.#calls[at] = (this.#calls[at] as number) + 1;
    this.#failures[at] = (this.#failures[at] as number) + outcome;
    this.#totalCalls++;
    this.#totalFailures += outcome;
  }

  /** Empties the buckets whose time has come round. A clock that lies behind the last one moves nothing. */
  #rotate(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs);
    if (bucket <= this.#current) return;
    const passed = Math.min(bucket - this.#current, BUCKETS);
    for (let i = 1; i <= passed; i++) {
      const at = (this.#current + i) % BUCKETS;
      this.#totalCalls -= this.#calls[at] as number;
      this.#totalFailures -= this.#failures[at] as number;
      this.#calls[at] = 0;
      this.#failures[at] = 0;
    }
    this.#current = bucket;
  }
}
