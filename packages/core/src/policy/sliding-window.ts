// The exact log of a sliding window: every booking that can share a period with one to come is kept, with its time.
import { Deque } from '../collections/deque.ts';
import type { Booking, TokenMeter } from './token-meter.ts';

/** Lets at most `limit` tokens through in any stretch of time shorter than, or as long as and half open, the period (law L1). */
export class SlidingWindow implements TokenMeter {
  readonly capacity: number;
  readonly #periodMs: number;
  readonly #log: Deque<Booking> = new Deque<Booking>();
  /** Index of the first entry of the log that shares its period with the next booking; those before are over by then. */
  #start = 0;
  /** Of the costs from there on. Above the limit only after a debit. */
  #sum = 0;
  #lastOrder = 0;

  constructor(limit: number, periodMs: number) {
    this.capacity = limit;
    this.#periodMs = periodMs;
  }

  get lastOrder(): number {
    return this.#lastOrder;
  }

  earliestMs(cost: number, nowMs: number): number {
    this.#forget(nowMs);
    this.#slide(cost);
    const lastMs = this.#log.at(this.#log.size - 1)?.atMs ?? nowMs;
    const over = this.#log.at(this.#start - 1);
    return Math.max(nowMs, lastMs, over === undefined ? nowMs : over.atMs + this.#periodMs);
  }

  book(cost: number, nowMs: number): Booking {
    return this.#append(cost, this.earliestMs(cost, nowMs));
  }

  giveBack(booking: Booking, cost: number): void {
    const log = this.#log;
    const index = booking.order - (log.at(0)?.order ?? Number.POSITIVE_INFINITY);
    booking.cost -= cost;
    if (log.at(index) !== booking) return; // more than a period old
    if (index >= this.#start) this.#sum -= cost;
    if (booking.cost > 0 || booking.order !== this.#lastOrder) return;
    log.popBack();
    this.#lastOrder--;
    this.#start = Math.min(this.#start, log.size);
  }

  debit(cost: number, nowMs: number): void {
    this.#append(cost, Math.max(nowMs, this.#log.at(this.#log.size - 1)?.atMs ?? nowMs));
  }

  isClear(nowMs: number): boolean {
    this.#forget(nowMs);
    return this.#log.size === 0;
  }

  #append(cost: number, atMs: number): Booking {
    const booking = { order: ++this.#lastOrder, atMs, cost };
    this.#log.pushBack(booking);
    this.#sum += cost;
    return booking;
  }

  /** Drops what shares no period with anything from `nowMs` on. */
  #forget(nowMs: number): void {
    for (let oldest = this.#log.at(0); oldest !== undefined && oldest.atMs + this.#periodMs <= nowMs; oldest = this.#log.at(0)) {
      this.#log.popFront();
      if (this.#start > 0) this.#start--;
      else this.#sum -= oldest.cost;
    }
    if (this.#start === this.#log.size) this.#sum = 0; // exactly, whatever fractions have come and gone
  }

  /** Moves the start to where `cost` more just fit: back, where something was given back since, or forward. */
  #slide(cost: number): void {
    const log = this.#log;
    for (let before = log.at(this.#start - 1); before !== undefined; before = log.at(this.#start - 1)) {
      if (this.#sum + before.cost + cost > this.capacity) break;
      this.#sum += before.cost;
      this.#start--;
    }
    while (this.#start < log.size && this.#sum + cost > this.capacity) {
      this.#sum -= (log.at(this.#start) as Booking).cost;
      this.#start++;
    }
  }
}
