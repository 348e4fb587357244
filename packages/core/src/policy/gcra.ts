// The generic cell rate algorithm, as virtual scheduling: ITU-T Recommendation I.371 (2004), annex A. It is a bucket of `burst` tokens that
// fills by one each `period / limit`, seen from its end: one number, the time at which it will be full again.
import { Deque } from '../collections/deque.ts';
import type { Booking, TokenMeter } from './token-meter.ts';

class BucketBooking implements Booking {
  readonly order: number;
  readonly atMs: number;
  cost: number;
  /** How far the bucket is from full just before, in the time it takes to fill. */
  gapMs: number;

  constructor(order: number, atMs: number, cost: number, gapMs: number) {
    this.order = order;
    this.atMs = atMs;
    this.cost = cost;
    this.gapMs = gapMs;
  }
}

/** So many bookings are remembered; those before them can give nothing back. */
const MAX_REMEMBERED = 1024;

/** Lets at most `burst + W * limit / periodMs` tokens through in any window of length W (law L1). */
export class Gcra implements TokenMeter {
  readonly capacity: number;
  readonly #everyMs: number;
  /** When the bucket is full again: the "theoretical arrival time". */
  #fullMs = Number.NEGATIVE_INFINITY;
  readonly #log: Deque<BucketBooking> = new Deque<BucketBooking>();
  #lastOrder = 0;

  constructor(limit: number, periodMs: number, burst: number) {
    this.capacity = burst;
    this.#everyMs = periodMs / limit;
  }

  get lastOrder(): number {
    return this.#lastOrder;
  }

  earliestMs(cost: number, nowMs: number): number {
    const lastMs = this.#log.at(this.#log.size - 1)?.atMs ?? nowMs;
    return Math.max(nowMs, lastMs, this.#fullMs - (this.capacity - cost) * this.#everyMs);
  }

  book(cost: number, nowMs: number): Booking {
    const atMs = this.earliestMs(cost, nowMs);
    const gapMs = Math.max(0, this.#fullMs - atMs);
    const booking = new BucketBooking(++this.#lastOrder, atMs, cost, gapMs);
    this.#forgetUpTo(gapMs === 0 && atMs <= nowMs ? 0 : MAX_REMEMBERED - 1);
    this.#log.pushBack(booking);
    this.#fullMs = Math.max(this.#fullMs, atMs) + cost * this.#everyMs;
    return booking;
  }

  /**
   * The bucket then holds `cost` more from the booking's time on, save what would have flowed over: at no time since, and at none that is
   * planned, does it hold more than it can.
   */
  giveBack(booking: Booking, cost: number): void {
    const log = this.#log;
    const index = booking.order - (this.#lastOrder + 1 - log.size);
    booking.cost -= cost;
    if (log.at(index) !== booking) return;
    let backMs = cost * this.#everyMs;
    for (let i = index + 1; i < log.size; i++) backMs = Math.min(backMs, (log.at(i) as BucketBooking).gapMs);
    for (let i = index + 1; i < log.size; i++) (log.at(i) as BucketBooking).gapMs -= backMs;
    this.#fullMs -= backMs;
    if (booking.cost > 0 || booking.order !== this.#lastOrder) return;
    log.popBack();
    this.#lastOrder--;
  }

  debit(cost: number, nowMs: number): void {
    this.#fullMs = Math.max(this.#fullMs, nowMs) + cost * this.#everyMs;
  }

  isClear(nowMs: number): boolean {
    return this.#fullMs <= nowMs;
  }

  /** Who took from the bucket before it was full once more can give nothing back. */
  #forgetUpTo(size: number): void {
    while (this.#log.size > size) this.#log.popFront();
  }
}
