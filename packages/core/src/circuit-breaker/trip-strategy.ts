// Windows as in Resilience4j: a ring of outcomes for the last calls, and a ring of buckets with running totals for the last while, both O(1) a call.
// What it counts when a slow call ends is counted here when it becomes slow; that it has failed besides is added to the same call.

/** Remembers outcomes, and says when there were too many failures or slow calls: a pure function of what it is told and when. */
export interface TripStrategy {
  /** The time is asked only where it matters: a reading costs more than all the rest. */
  succeeded(time: { nowMs(): number }): void;
  /** True: too many failures. */
  failed(nowMs: number): boolean;
  /** A call that has not ended is slow. It counts from now on; its end is told only if it is a failure. Tells where it is counted. */
  slowed(nowMs: number): number;
  /** Whether there are too many slow calls. */
  isTooSlow(nowMs: number): boolean;
  /** The slow call that is counted at `mark` has failed. True: too many failures. */
  slowFailed(mark: number, nowMs: number): boolean;
  /** Forgets everything. */
  reset(): void;
  /** Takes over what `other`, which this one replaces, remembers, as far as it means the same here. */
  takeOver(other: TripStrategy): void;
  /** Whether it remembers neither a failure nor a slow call. */
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
  /** Those that were slow, whatever they came to. */
  readonly slowCalls: number;
}

/** When a share of calls is too much. */
export interface RateRule {
  /** From above 0 to 1. */
  readonly failureRate: number;
  /** So many calls have to be remembered before a rate means anything. */
  readonly minimumCalls: number;
  /** Undefined: no call is slow. */
  readonly slow: { readonly rate: number; readonly text: string } | undefined;
}

const hasTooManyFailures = ({ calls, failures }: Counts, rule: RateRule): boolean =>
  calls >= rule.minimumCalls && failures / calls >= rule.failureRate;

const hasTooManySlow = ({ calls, slowCalls }: Counts, { minimumCalls, slow }: RateRule): boolean =>
  slow !== undefined && calls >= minimumCalls && slowCalls / calls >= slow.rate;

const percent = (rate: number): string => `${Math.round(rate * 1000) / 10} %`;

const rateText = ({ failureRate, minimumCalls, slow }: RateRule, over: string): string => {
  const slowText = slow === undefined ? '' : ` or ${percent(slow.rate)} slower than ${slow.text}`;
  return `${percent(failureRate)} failures${slowText} of at least ${minimumCalls} calls over ${over}`;
};

/** Trips on so many calls in a row that failed or were slow; forgets them when none has come for `memoryMs` (law B5). */
export class Consecutive implements TripStrategy {
  readonly #threshold: number;
  readonly #memoryMs: number;
  readonly #slowText: string | undefined;
  #calls = 0;
  #failures = 0;
  #slowCalls = 0;
  /** Number of the row, to tell a call of this one from one of an earlier. */
  #row = 0;
  #lastMs = 0;

  constructor(threshold: number, memoryMs: number, slowText?: string) {
    this.#threshold = threshold;
    this.#memoryMs = memoryMs;
    this.#slowText = slowText;
  }

  get rule(): string {
    const isOne = this.#threshold === 1;
    const slow = this.#slowText === undefined ? '' : ` or ${isOne ? 'call' : 'calls'} slower than ${this.#slowText}`;
    return isOne ? `one failure${slow}` : `${this.#threshold} failures${slow} in a row`;
  }

  succeeded(): void {
    if (this.#calls > 0) this.reset();
  }

  failed(nowMs: number): boolean {
    this.#add(nowMs);
    this.#failures++;
    return this.#calls >= this.#threshold;
  }

  slowed(nowMs: number): number {
    this.#add(nowMs);
    this.#slowCalls++;
    return this.#row;
  }

  isTooSlow(): boolean {
    return this.#calls >= this.#threshold;
  }

  /** The row has no more calls than before. */
  slowFailed(mark: number, nowMs: number): boolean {
    this.#forget(nowMs);
    if (mark === this.#row) this.#failures++;
    return false;
  }

  reset(): void {
    this.#calls = 0;
    this.#failures = 0;
    this.#slowCalls = 0;
    this.#row++;
  }

  takeOver(other: TripStrategy): void {
    if (!(other instanceof Consecutive)) return;
    this.#calls = other.#calls;
    this.#failures = other.#failures;
    this.#slowCalls = other.#slowCalls;
    this.#lastMs = other.#lastMs;
  }

  isClean(nowMs: number): boolean {
    return this.counts(nowMs).calls === 0;
  }

  counts(nowMs: number): Counts {
    this.#forget(nowMs);
    return { calls: this.#calls, failures: this.#failures, slowCalls: this.#slowCalls };
  }

  #forget(nowMs: number): void {
    if (this.#calls > 0 && nowMs - this.#lastMs > this.#memoryMs) this.reset();
  }

  #add(nowMs: number): void {
    this.#forget(nowMs);
    this.#calls++;
    this.#lastMs = nowMs;
  }
}

const FAILED = 1;
const SLOW = 2;

/** Trips on the share of failures, or of slow calls, among the last calls; forgets them when none has come for `memoryMs` (law B5). */
export class CountWindow implements TripStrategy {
  readonly #rule: RateRule;
  readonly #memoryMs: number;
  /** Of each call, the sum of what it was. */
  readonly #ring: Uint8Array;
  /** Number of the next call; its place in the ring is what is left of it. */
  #next = 0;
  #calls = 0;
  #failures = 0;
  #slowCalls = 0;
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
    this.#add(nowMs, FAILED);
    return hasTooManyFailures(this.counts(nowMs), this.#rule);
  }

  slowed(nowMs: number): number {
    this.#add(nowMs, SLOW);
    return this.#next - 1;
  }

  isTooSlow(nowMs: number): boolean {
    return hasTooManySlow(this.counts(nowMs), this.#rule);
  }

  slowFailed(mark: number, nowMs: number): boolean {
    this.#forget(nowMs);
    if (mark < this.#next - this.#calls) return false;
    this.#ring[mark % this.#ring.length] = FAILED | SLOW;
    this.#failures++;
    return hasTooManyFailures(this.counts(nowMs), this.#rule);
  }

  reset(): void {
    this.#ring.fill(0);
    this.#calls = 0;
    this.#failures = 0;
    this.#slowCalls = 0;
  }

  takeOver(other: TripStrategy): void {
    if (!(other instanceof CountWindow)) return;
    for (let i = other.#next - other.#calls; i < other.#next; i++) this.#push(other.#ring[i % other.#ring.length] as number);
    this.#lastMs = other.#lastMs;
  }

  isClean(nowMs: number): boolean {
    const { failures, slowCalls } = this.counts(nowMs);
    return failures === 0 && slowCalls === 0;
  }

  counts(nowMs: number): Counts {
    this.#forget(nowMs);
    return { calls: this.#calls, failures: this.#failures, slowCalls: this.#slowCalls };
  }

  #forget(nowMs: number): void {
    if (this.#calls > 0 && nowMs - this.#lastMs > this.#memoryMs) this.reset();
  }

  #add(nowMs: number, what: number): void {
    this.#forget(nowMs);
    this.#lastMs = nowMs;
    this.#push(what);
  }

  /** A place that was not filled yet holds 0. */
  #push(what: number): void {
    const ring = this.#ring;
    const at = this.#next++ % ring.length;
    const before = ring[at] as number;
    ring[at] = what;
    this.#failures += (what & FAILED) - (before & FAILED);
    this.#slowCalls += ((what & SLOW) - (before & SLOW)) / SLOW;
    if (this.#calls < ring.length) this.#calls++;
  }
}

const BUCKETS = 10;

/** What has come in one tenth of a window of time, or in all of it. */
class Tally implements Counts {
  calls = 0;
  failures = 0;
  slowCalls = 0;

  clear(): void {
    this.calls = 0;
    this.failures = 0;
    this.slowCalls = 0;
  }

  subtract(other: Tally): void {
    this.calls -= other.calls;
    this.failures -= other.failures;
    this.slowCalls -= other.slowCalls;
  }

  copy(other: Tally): void {
    this.calls = other.calls;
    this.failures = other.failures;
    this.slowCalls = other.slowCalls;
  }
}

/** Trips on the share of failures, or of slow calls, in the last while; what is older is forgotten in steps of a tenth, also when nobody calls (law B5). */
export class TimeWindow implements TripStrategy {
  readonly #rule: RateRule;
  readonly #periodText: string;
  readonly #bucketMs: number;
  readonly #buckets: readonly Tally[] = Array.from({ length: BUCKETS }, () => new Tally());
  readonly #total = new Tally();
  /** Number of the bucket that is being filled, counted from the clock's origin. */
  #current = 0;

  constructor(periodMs: number, rule: RateRule, periodText: string) {
    this.#bucketMs = periodMs / BUCKETS;
    this.#rule = rule;
    this.#periodText = periodText;
  }

  get rule(): string {
    return rateText(this.#rule, this.#periodText);
  }

  succeeded(time: { nowMs(): number }): void {
    this.#add(time.nowMs());
  }

  failed(nowMs: number): boolean {
    this.#add(nowMs).failures++;
    this.#total.failures++;
    return hasTooManyFailures(this.#total, this.#rule);
  }

  slowed(nowMs: number): number {
    this.#add(nowMs).slowCalls++;
    this.#total.slowCalls++;
    return this.#current;
  }

  isTooSlow(nowMs: number): boolean {
    this.#rotate(nowMs);
    return hasTooManySlow(this.#total, this.#rule);
  }

  slowFailed(mark: number, nowMs: number): boolean {
    this.#rotate(nowMs);
    if (mark <= this.#current - BUCKETS) return false;
    this.#bucket(mark).failures++;
    this.#total.failures++;
    return hasTooManyFailures(this.#total, this.#rule);
  }

  reset(): void {
    for (const bucket of this.#buckets) bucket.clear();
    this.#total.clear();
  }

  takeOver(other: TripStrategy): void {
    if (!(other instanceof TimeWindow) || other.#bucketMs !== this.#bucketMs) return;
    for (const [i, bucket] of this.#buckets.entries()) bucket.copy(other.#bucket(i));
    this.#total.copy(other.#total);
    this.#current = other.#current;
  }

  isClean(nowMs: number): boolean {
    const { failures, slowCalls } = this.counts(nowMs);
    return failures === 0 && slowCalls === 0;
  }

  counts(nowMs: number): Counts {
    this.#rotate(nowMs);
    const { calls, failures, slowCalls } = this.#total;
    return { calls, failures, slowCalls };
  }

  #bucket(number: number): Tally {
    return this.#buckets[number % BUCKETS] as Tally;
  }

  /** One more call in the bucket that is being filled. */
  #add(nowMs: number): Tally {
    this.#rotate(nowMs);
    const bucket = this.#bucket(this.#current);
    bucket.calls++;
    this.#total.calls++;
    return bucket;
  }

  /** Empties the buckets whose time has come round. A clock that lies behind the last one moves nothing. */
  #rotate(nowMs: number): void {
    const number = Math.floor(nowMs / this.#bucketMs);
    if (number <= this.#current) return;
    const passed = Math.min(number - this.#current, BUCKETS);
    for (let i = 1; i <= passed; i++) {
      const bucket = this.#bucket(this.#current + i);
      this.#total.subtract(bucket);
      bucket.clear();
    }
    this.#current = number;
  }
}
