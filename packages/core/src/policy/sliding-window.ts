// The exact log of a sliding window: every booking that can share a period with one to come is kept, with its time.
import { Deque } from '../collections/deque.ts';
import { type Booking, bookInTurn, type Counted, insertByTime, removeDue, type TokenLimit, type TokenMeter } from './token-meter.ts';

class WindowBooking implements Booking {
  readonly atMs: number;
  cost: number;
  /** Whether it was taken, and how long ago: less than a period, or more. */
  state: 'promised' | 'taken' | 'over' = 'promised';

  constructor(atMs: number, cost: number) {
    this.atMs = atMs;
    this.cost = cost;
  }
}

/** Lets at most `limit` tokens through in any stretch of time shorter than, or as long as and half open, the period (law L1). */
export class SlidingWindow implements TokenMeter {
  #capacity: number;
  #periodMs: number;
  #nowMs = Number.NEGATIVE_INFINITY;
  /** Of the last period. */
  readonly #taken: Deque<WindowBooking> = new Deque<WindowBooking>();
  /** Of their costs. Above the limit only after a debit. */
  #sum = 0;
  /** By time. */
  readonly #promises: WindowBooking[] = [];

  constructor(limit: number, periodMs: number) {
    this.#capacity = limit;
    this.#periodMs = periodMs;
  }

  get capacity(): number {
    return this.#capacity;
  }

  promised(nowMs: number): number {
    this.#pass(nowMs);
    return this.#promises.length;
  }

  earliestMs(cost: number, fromMs: number): number {
    this.#pass(fromMs);
    if (this.#promises.length > 0) return this.#earliestAmongPromises(cost);
    let sum = this.#sum;
    let atMs = this.#nowMs;
    for (let i = 0; sum + cost > this.#capacity && i < this.#taken.size; i++) {
      const oldest = this.#taken.at(i) as WindowBooking;
      sum -= oldest.cost;
      atMs = this.#overMs(oldest);
    }
    return atMs;
  }

  take(cost: number, nowMs: number): void {
    this.#take(new WindowBooking(nowMs, cost));
  }

  book(cost: number, atMs: number): Booking {
    const booking = new WindowBooking(atMs, cost);
    if (atMs > this.#nowMs) insertByTime(this.#promises, booking);
    else this.#take(booking);
    return booking;
  }

  bookAll(costs: Iterable<number>, _totalCost: number, nowMs: number): number {
    return bookInTurn(this, costs, nowMs);
  }

  giveBack(booking: Booking, cost: number, nowMs: number): void {
    this.#pass(nowMs);
    const own = booking as WindowBooking;
    own.cost -= cost;
    if (own.state === 'taken') this.#sum -= cost;
    else if (own.state === 'promised' && own.cost <= 0) this.#promises.splice(this.#promises.indexOf(own), 1);
  }

  debit(cost: number, nowMs: number): void {
    this.#pass(nowMs);
    this.#take(new WindowBooking(nowMs, cost));
  }

  isClear(nowMs: number): boolean {
    return this.promised(nowMs) === 0 && this.#taken.size === 0;
  }

  /** What a shorter period has forgotten a longer one does not know any more. */
  change({ limit, periodMs }: TokenLimit, nowMs: number): void {
    this.#pass(nowMs);
    this.#capacity = limit;
    this.#periodMs = periodMs;
    this.#forget();
  }

  counted(nowMs: number): readonly Counted[] {
    this.#pass(nowMs);
    return [...this.#taken, ...this.#promises].filter(({ cost }) => cost > 0).map(({ atMs, cost }) => ({ atMs, cost }));
  }

  count(counted: readonly Counted[], nowMs: number): void {
    this.#pass(nowMs);
    const others = counted.map(({ atMs, cost }) => new WindowBooking(atMs, cost));
    for (const other of others) if (other.atMs > nowMs) insertByTime(this.#promises, other);
    const taken = [...this.#taken, ...others.filter(({ atMs }) => atMs <= nowMs)].sort((a, b) => a.atMs - b.atMs);
    this.#taken.clear();
    this.#sum = 0;
    for (const booking of taken) this.#take(booking);
    this.#forget();
  }

  copy(): SlidingWindow {
    const copy = new SlidingWindow(this.#capacity, this.#periodMs);
    copy.#nowMs = this.#nowMs;
    for (const { atMs, cost } of this.#taken) copy.#take(new WindowBooking(atMs, cost));
    for (const { atMs, cost } of this.#promises) copy.#promises.push(new WindowBooking(atMs, cost));
    return copy;
  }

  /** Goes from one moment at which something changes to the next, until `cost` more fits into every period that it would be in. */
  #earliestAmongPromises(cost: number): number {
    const all = [...this.#taken, ...this.#promises];
    const free = this.#capacity - cost;
    let atMs = this.#nowMs;
    const within = { first: 0, end: 0, sum: 0 };
    for (;;) {
      this.#slideTo(atMs, within, all);
      const laterMs = within.sum > free ? this.#overMs(all[within.first] as WindowBooking) : this.#firstBrokenMs(atMs, within, all, free);
      if (laterMs === undefined) return atMs;
      atMs = laterMs;
    }
  }

  /** Makes `within` what shares the period that ends at `atMs`: from number `first` to before number `end`, and the sum of its costs. */
  #slideTo(atMs: number, within: { first: number; end: number; sum: number }, all: readonly WindowBooking[]): void {
    for (; within.end < all.length && (all[within.end] as WindowBooking).atMs <= atMs; within.end++)
      within.sum += (all[within.end] as WindowBooking).cost;
    for (; within.first < within.end && this.#overMs(all[within.first] as WindowBooking) <= atMs; within.first++)
      within.sum -= (all[within.first] as WindowBooking).cost;
    if (within.first === within.end) within.sum = 0; // exactly, whatever fractions have come and gone
  }

  /** The moment of the first promise that could not be kept if no more than `free` were taken in the periods of `atMs`; undefined: all can be. */
  #firstBrokenMs(
    atMs: number,
    within: { readonly first: number; readonly end: number; readonly sum: number },
    all: readonly WindowBooking[],
    free: number,
  ): number | undefined {
    let { first, sum } = within;
    for (let i = within.end; i < all.length && (all[i] as WindowBooking).atMs < atMs + this.#periodMs; i++) {
      const promise = all[i] as WindowBooking;
      sum += promise.cost;
      for (; this.#overMs(all[first] as WindowBooking) <= promise.atMs; first++) sum -= (all[first] as WindowBooking).cost;
      if (sum > free) return promise.atMs;
    }
    return undefined;
  }

  /** From when on it shares no period with anything. */
  #overMs({ atMs }: WindowBooking): number {
    return atMs + this.#periodMs;
  }

  /** What was promised up to `nowMs` has been taken; what shares no period with anything from then on is forgotten. */
  #pass(nowMs: number): void {
    if (nowMs <= this.#nowMs) return;
    this.#nowMs = nowMs;
    if (this.#promises.length > 0) for (const due of removeDue(this.#promises, nowMs)) this.#take(due);
    this.#forget();
  }

  #take(booking: WindowBooking): void {
    booking.state = 'taken';
    this.#taken.pushBack(booking);
    this.#sum += booking.cost;
  }

  #forget(): void {
    const taken = this.#taken;
    for (let oldest = taken.at(0); oldest !== undefined && this.#overMs(oldest) <= this.#nowMs; oldest = taken.at(0)) {
      taken.popFront();
      oldest.state = 'over';
      this.#sum -= oldest.cost;
    }
    if (taken.size === 0) this.#sum = 0; // exactly, whatever fractions have come and gone
  }
}
