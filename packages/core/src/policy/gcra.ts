// The generic cell rate algorithm, as virtual scheduling: ITU-T Recommendation I.371 (2004), annex A. It is a bucket of `burst` tokens that
// fills by one each `period / limit`, seen from its end: one number, the time at which it will be full again.
import { Deque } from '../collections/deque.ts';
import {
  type Booking,
  bookInTurn,
  type Counted,
  insertByTime,
  ROUNDING_MS,
  removeDue,
  type TokenLimit,
  type TokenMeter,
} from './token-meter.ts';

class BucketBooking implements Booking {
  readonly atMs: number;
  cost: number;
  /** Its number among what was taken; 0 while it is promised. */
  order = 0;
  /** How many tokens the bucket was from full just before it was taken. */
  gap = 0;

  constructor(atMs: number, cost: number) {
    this.atMs = atMs;
    this.cost = cost;
  }
}

/** So many bookings are remembered; those before them can give nothing back. */
const MAX_REMEMBERED = 1024;

/** Lets at most `burst + W * limit / periodMs` tokens through in any window of length W (law L1). */
export class Gcra implements TokenMeter {
  #capacity: number;
  #everyMs: number;
  #nowMs = Number.NEGATIVE_INFINITY;
  /** When the bucket is full again, by what was taken up to now: the "theoretical arrival time". */
  #fullMs = Number.NEGATIVE_INFINITY;
  /** By time. */
  #promises: BucketBooking[] = [];
  /** What was taken. */
  readonly #log: Deque<BucketBooking> = new Deque<BucketBooking>();
  #lastOrder = 0;

  constructor(limit: number, periodMs: number, burst: number) {
    this.#capacity = burst;
    this.#everyMs = periodMs / limit;
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
    return this.#promises.length === 0 ? this.#earliest(cost, this.#nowMs, this.#fullMs) : this.#earliestAmongPromises(cost);
  }

  /** What was booked before can give nothing back any more: nobody remembers by how much the bucket has flowed over since. */
  take(cost: number, nowMs: number): void {
    if (this.#log.size > 0) this.#log.clear();
    this.#fullMs = this.#fullAfter(this.#fullMs, nowMs, cost);
  }

  book(cost: number, atMs: number): Booking {
    const booking = new BucketBooking(atMs, cost);
    if (atMs > this.#nowMs) insertByTime(this.#promises, booking);
    else this.#take(booking);
    return booking;
  }

  /** Where nothing is promised, those who wait follow each other as closely as the bucket fills, whatever each costs. */
  bookAll(costs: Iterable<number>, totalCost: number, nowMs: number): number {
    this.#pass(nowMs);
    if (this.#promises.length > 0) return bookInTurn(this, costs, nowMs);
    this.#fullMs = this.#fullAfter(this.#fullMs, nowMs, totalCost);
    return Math.max(nowMs, this.#fullMs - this.#capacity * this.#everyMs);
  }

  /**
   * The bucket then holds `cost` more from the booking's time on, save what would have flowed over: at no time since does it hold more than it
   * can.
   */
  giveBack(booking: Booking, cost: number, nowMs: number): void {
    this.#pass(nowMs);
    const own = booking as BucketBooking;
    own.cost -= cost;
    if (own.order > 0) this.#refill(own, cost);
    else if (own.cost <= 0) this.#promises = this.#promises.filter((promise) => promise !== own);
  }

  debit(cost: number, nowMs: number): void {
    this.#pass(nowMs);
    this.#fullMs = this.#fullAfter(this.#fullMs, nowMs, cost);
  }

  isClear(nowMs: number): boolean {
    return this.promised(nowMs) === 0 && this.#fullMs <= nowMs;
  }

  /** The bucket misses as many tokens as before. */
  change({ limit, periodMs, burst }: TokenLimit, nowMs: number): void {
    const missing = this.#missing(nowMs);
    this.#capacity = burst;
    this.#everyMs = periodMs / limit;
    this.#fullMs = nowMs + missing * this.#everyMs;
  }

  counted(nowMs: number): readonly Counted[] {
    const missing = this.#missing(nowMs);
    const taken = missing > 0 ? [{ atMs: nowMs, cost: missing }] : [];
    return [...taken, ...this.#promises.map(({ atMs, cost }) => ({ atMs, cost }))];
  }

  /** As if all of it had been taken from a full bucket, and is missing in this one, too, as far as the time since has not filled it. */
  count(counted: readonly Counted[], nowMs: number): void {
    let fullMs = Number.NEGATIVE_INFINITY;
    for (const { atMs, cost } of counted) {
      if (atMs > nowMs) this.book(cost, atMs);
      else fullMs = this.#fullAfter(fullMs, atMs, cost);
    }
    this.debit(Math.max(0, fullMs - nowMs) / this.#everyMs, nowMs);
  }

  copy(): Gcra {
    const copy = new Gcra(1, this.#everyMs, this.#capacity);
    copy.#nowMs = this.#nowMs;
    copy.#fullMs = this.#fullMs;
    copy.#promises = this.#promises.map(({ atMs, cost }) => new BucketBooking(atMs, cost));
    return copy;
  }

  #earliest(cost: number, fromMs: number, fullMs: number): number {
    return Math.max(fromMs, fullMs - (this.#capacity - cost) * this.#everyMs);
  }

  /** When the bucket is full after a booking. */
  #fullAfter(fullMs: number, atMs: number, cost: number): number {
    return Math.max(fullMs, atMs) + cost * this.#everyMs;
  }

  /** Before a promise where that can be kept all the same, else behind it. */
  #earliestAmongPromises(cost: number): number {
    let fullMs = this.#fullMs;
    let atMs = this.#nowMs;
    let next = 0;
    for (;;) {
      atMs = this.#earliest(cost, atMs, fullMs);
      const broken = this.#firstBroken(next, atMs, this.#fullAfter(fullMs, atMs, cost));
      if (broken === -1) return atMs;
      for (; next <= broken; next++) {
        const promise = this.#promises[next] as BucketBooking;
        fullMs = this.#fullAfter(fullMs, promise.atMs, promise.cost);
        atMs = Math.max(atMs, promise.atMs);
      }
    }
  }

  /** The first promise from number `next` on that could not be kept by a bucket that is full at `fullMs` after a booking at `atMs`; -1: all can be. */
  #firstBroken(next: number, atMs: number, fullMs: number): number {
    let thenFullMs = fullMs;
    for (let i = next; i < this.#promises.length; i++) {
      const promise = this.#promises[i] as BucketBooking;
      const possibleMs = this.#earliest(promise.cost, atMs, thenFullMs);
      if (possibleMs > promise.atMs + ROUNDING_MS) return i;
      thenFullMs = this.#fullAfter(thenFullMs, promise.atMs, promise.cost);
    }
    return -1;
  }

  /** What was promised up to `nowMs` has been taken. */
  #pass(nowMs: number): void {
    if (nowMs <= this.#nowMs) return;
    this.#nowMs = nowMs;
    if (this.#promises.length > 0) for (const due of removeDue(this.#promises, nowMs)) this.#take(due);
  }

  /** Those who took from the bucket before it was full once more can give nothing back, and are forgotten. */
  #take(booking: BucketBooking): void {
    const { atMs, cost } = booking;
    booking.gap = Math.max(0, this.#fullMs - atMs) / this.#everyMs;
    booking.order = ++this.#lastOrder;
    const remembered = booking.gap === 0 ? 0 : MAX_REMEMBERED - 1;
    while (this.#log.size > remembered) this.#log.popFront();
    this.#log.pushBack(booking);
    this.#fullMs = this.#fullAfter(this.#fullMs, atMs, cost);
  }

  #refill(booking: BucketBooking, cost: number): void {
    const log = this.#log;
    const index = booking.order - (this.#lastOrder + 1 - log.size);
    if (log.at(index) !== booking) return;
    let back = cost;
    for (let i = index + 1; i < log.size; i++) back = Math.min(back, (log.at(i) as BucketBooking).gap);
    for (let i = index + 1; i < log.size; i++) (log.at(i) as BucketBooking).gap -= back;
    this.#fullMs -= back * this.#everyMs;
  }

  /** How many tokens the bucket is from full, debts included. */
  #missing(nowMs: number): number {
    this.#pass(nowMs);
    return Math.max(0, this.#fullMs - nowMs) / this.#everyMs;
  }
}
