import { Link, LinkedList } from '../collections/linked-list.ts';
import { type Booking, ROUNDING_MS, type TokenMeter } from '../policy/token-meter.ts';

/** What somebody was given: so many tokens, from a moment on. */
export class Tokens {
  readonly booking: Booking;
  cost: number;

  constructor(booking: Booking, cost: number) {
    this.booking = booking;
    this.cost = cost;
  }

  get atMs(): number {
    return this.booking.atMs;
  }
}

/** The place in the line of one who waits for so many tokens. */
export type Place = Link<number>;

/** How it will go if everybody in the line starts as soon as possible. */
interface Plan {
  readonly meter: TokenMeter;
  /** When the first starts; from then on the plan is no good. */
  readonly firstMs: number;
  /** When the last does. */
  lastMs: number;
}

/**
 * Who takes tokens when: a line, first come, first served. A pure function of the times it is told.
 *
 * Who stands in the line has taken nothing yet: it takes its tokens when it starts, however late that is, so that what really happens keeps the limit
 * (law L1). Tokens that are taken for a moment to come, by reservation, are promised: who stands in the line goes before that moment only as
 * far as the promise can be kept.
 */
export class TokenLine {
  readonly #meter: TokenMeter;
  readonly #line: LinkedList<number> = new LinkedList<number>();
  #totalCost = 0;
  /** Made when somebody asks; null when it does not hold any more. */
  #plan: Plan | null = null;

  constructor(meter: TokenMeter) {
    this.#meter = meter;
  }

  get capacity(): number {
    return this.#meter.capacity;
  }

  /** How many stand in the line. */
  get size(): number {
    return this.#line.size;
  }

  /** When `cost` tokens could be had, behind all who stand in the line. */
  earliestMs(cost: number, nowMs: number): number {
    if (this.#line.size === 0) return this.#meter.earliestMs(cost, nowMs);
    const { meter, lastMs } = this.#planned(nowMs);
    return meter.earliestMs(cost, Math.max(nowMs, lastMs));
  }

  /** Takes tokens, without standing in the line, for a moment that `earliestMs` has named: if that is still to come, they are promised. */
  take(cost: number, atMs: number): Tokens {
    this.#plan = null;
    return new Tokens(this.#meter.book(cost, atMs), cost);
  }

  join(cost: number, nowMs: number): Place {
    if (this.#plan !== null) {
      const { meter } = this.#plan;
      this.#plan.lastMs = this.earliestMs(cost, nowMs);
      meter.book(cost, this.#plan.lastMs);
    }
    const place = new Link(cost);
    this.#line.append(place);
    this.#totalCost += cost;
    return place;
  }

  leave(place: Place): void {
    place.unlink();
    this.#totalCost = this.#line.size === 0 ? 0 : this.#totalCost - place.item;
    this.#plan = null;
  }

  /** When the first in the line may start; Infinity where it is empty. */
  dueMs(nowMs: number): number {
    const { first } = this.#line;
    if (first === undefined) return Number.POSITIVE_INFINITY;
    const atMs = this.#meter.earliestMs(first.item, nowMs);
    return atMs - nowMs < ROUNDING_MS ? nowMs : atMs;
  }

  /** The first in the line, which is due, takes its tokens. */
  start(place: Place, nowMs: number): Tokens {
    this.leave(place);
    return new Tokens(this.#meter.book(place.item, nowMs), place.item);
  }

  /** Takes back tokens that were not used. */
  giveBack({ booking, cost }: Tokens, nowMs: number): void {
    this.#plan = null;
    this.#meter.giveBack(booking, cost, nowMs);
  }

  /** Says what tokens that were used came to. */
  correct(tokens: Tokens, realCost: number, nowMs: number): void {
    const more = realCost - tokens.cost;
    tokens.cost = realCost;
    this.#plan = null;
    if (more < 0) this.#meter.giveBack(tokens.booking, -more, nowMs);
    else this.debit(more, nowMs);
  }

  /** Takes tokens that were used without having been taken. */
  debit(cost: number, nowMs: number): void {
    if (cost === 0) return;
    this.#plan = null;
    this.#meter.debit(cost, nowMs);
  }

  /** How many stand in the line, or have tokens whose moment has not come. */
  waiting(nowMs: number): number {
    return this.#line.size + this.#meter.promised(nowMs);
  }

  isClear(nowMs: number): boolean {
    return this.#line.size === 0 && this.#meter.isClear(nowMs);
  }

  #planned(nowMs: number): Plan {
    if (this.#plan === null || this.#plan.firstMs < nowMs) {
      const meter = this.#meter.copy();
      this.#plan = { meter, firstMs: this.dueMs(nowMs), lastMs: meter.bookAll(this.#line, this.#totalCost, nowMs) };
    }
    return this.#plan;
  }
}
