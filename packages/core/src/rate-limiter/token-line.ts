import { Link, LinkedList } from '../collections/linked-list.ts';
import { type Booking, type Counted, ROUNDING_MS, type TokenLimit, type TokenMeter } from '../policy/token-meter.ts';

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

/** Somebody who waits for tokens. */
export interface Waiting {
  readonly cost: number;
  readonly operation: string;
  readonly sinceMs: number;
  /** It is of use to start until then. */
  readonly latestMs: number;
}

/** The place in the line of one who waits. */
export type Place = Link<Waiting>;

/** What else has to let a start through, besides the limit. A pure function of the times it is told. */
export interface Gate {
  /** When it will let through `cost` tokens in all, of those who come next: at `nowMs` or earlier if it is open. */
  opensMs(cost: number, nowMs: number): number;
}

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
  readonly #gate: Gate | null;
  readonly #line: LinkedList<Waiting> = new LinkedList<Waiting>();
  #totalCost = 0;
  /** Made when somebody asks; null when it does not hold any more. */
  #plan: Plan | null = null;

  constructor(meter: TokenMeter, gate: Gate | null = null) {
    this.#meter = meter;
    this.#gate = gate;
  }

  get capacity(): number {
    return this.#meter.capacity;
  }

  /** How many stand in the line. */
  get size(): number {
    return this.#line.size;
  }

  /** Whoever came first of those who stand in the line. */
  get first(): Place | undefined {
    return this.#line.first;
  }

  /** All who stand in the line, the first first. */
  places(): Place[] {
    return [...from(this.#line.first)];
  }

  /** Whether `cost` tokens can be had now, and nobody stands in the line. What costs nothing waits for no tokens. */
  isFree(cost: number, nowMs: number): boolean {
    if (this.#gate !== null && this.#gate.opensMs(cost, nowMs) > nowMs) return false;
    return cost === 0 || (this.#line.size === 0 && this.#meter.earliestMs(cost, nowMs) <= nowMs);
  }

  /** When `cost` tokens could be had, behind all who stand in the line. */
  earliestMs(cost: number, nowMs: number): number {
    if (this.#line.size === 0) return this.#earliestAlone(cost, nowMs);
    const { meter, lastMs } = this.#planned(nowMs);
    return meter.earliestMs(cost, Math.max(nowMs, lastMs, this.#opensMs(this.#totalCost + cost, nowMs)));
  }

  /** When `cost` tokens could be had behind all who stand in the line but the first. */
  earliestInsteadMs(cost: number, nowMs: number): number {
    const meter = this.#meter.copy();
    const { item, next } = this.#line.first as Place;
    const totalCost = this.#totalCost - item.cost;
    const lastMs = this.#bookAll(meter, costsFrom(next), totalCost, nowMs);
    return meter.earliestMs(cost, Math.max(nowMs, lastMs, this.#opensMs(totalCost + cost, nowMs)));
  }

  /** Takes tokens that are free, for good. */
  use(cost: number, nowMs: number): void {
    this.#plan = null;
    this.#meter.take(cost, nowMs);
  }

  /** Takes tokens, without standing in the line, for a moment that `earliestMs` has named: if that is still to come, they are promised. */
  take(cost: number, atMs: number): Tokens {
    if (this.#plan !== null && atMs >= this.#plan.lastMs) this.#plan.meter.book(cost, atMs);
    else this.#plan = null;
    return new Tokens(this.#meter.book(cost, atMs), cost);
  }

  join(waiting: Waiting, nowMs: number): Place {
    const { cost } = waiting;
    if (this.#plan !== null) {
      const lastMs = this.earliestMs(cost, nowMs);
      this.#plan.meter.book(cost, lastMs);
      this.#plan.lastMs = lastMs;
    }
    const place = new Link(waiting);
    this.#line.append(place);
    this.#totalCost += cost;
    return place;
  }

  /** Idempotent. */
  leave(place: Place): void {
    if (place.list === null) return;
    place.unlink();
    this.#totalCost = this.#line.size === 0 ? 0 : this.#totalCost - place.item.cost;
    this.#plan = null;
  }

  /** When the first in the line may start; Infinity where it is empty. */
  dueMs(nowMs: number): number {
    const { first } = this.#line;
    if (first === undefined) return Number.POSITIVE_INFINITY;
    const atMs = this.#earliestAlone(first.item.cost, nowMs);
    return atMs - nowMs < ROUNDING_MS ? nowMs : atMs;
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

  /** Another limit from now on, for those who wait, too. What was taken still counts. */
  change(to: TokenLimit, nowMs: number): void {
    this.#plan = null;
    this.#meter.change(to, nowMs);
  }

  /** The gate lets through at other times than before. */
  gateMoved(): void {
    this.#plan = null;
  }

  counted(nowMs: number): readonly Counted[] {
    return this.#meter.counted(nowMs);
  }

  /** Counts what another line has let through, besides its own. */
  count(counted: readonly Counted[], nowMs: number): void {
    this.#plan = null;
    this.#meter.count(counted, nowMs);
  }

  /** How many stand in the line, or have tokens whose moment has not come. */
  waiting(nowMs: number): number {
    return this.#line.size + this.#meter.promised(nowMs);
  }

  isClear(nowMs: number): boolean {
    return this.#line.size === 0 && this.#meter.isClear(nowMs);
  }

  #opensMs(cost: number, nowMs: number): number {
    return this.#gate === null ? nowMs : this.#gate.opensMs(cost, nowMs);
  }

  #earliestAlone(cost: number, nowMs: number): number {
    const opensMs = this.#opensMs(cost, nowMs);
    return opensMs <= nowMs ? this.#meter.earliestMs(cost, nowMs) : this.#meter.copy().earliestMs(cost, opensMs);
  }

  #planned(nowMs: number): Plan {
    if (this.#plan === null || this.#plan.firstMs < nowMs) {
      const meter = this.#meter.copy();
      this.#plan = { meter, firstMs: this.dueMs(nowMs), lastMs: this.#bookAll(meter, costsFrom(this.#line.first), this.#totalCost, nowMs) };
    }
    return this.#plan;
  }

  /** Books for those who stand in the line; when the last of them starts. */
  #bookAll(meter: TokenMeter, costs: Iterable<number>, totalCost: number, nowMs: number): number {
    if (this.#opensMs(totalCost, nowMs) <= nowMs) return meter.bookAll(costs, totalCost, nowMs);
    let atMs = nowMs;
    let sum = 0;
    for (const cost of costs) {
      sum += cost;
      atMs = meter.earliestMs(cost, Math.max(atMs, this.#opensMs(sum, nowMs)));
      meter.book(cost, atMs);
    }
    return atMs;
  }
}

/** Those who stand in a line, from one of them on. */
function* from(first: Place | undefined): Generator<Place> {
  for (let place = first; place !== undefined && place.list !== null; place = place.next) yield place;
}

function* costsFrom(first: Place | undefined): Generator<number> {
  for (const { item } of from(first)) yield item.cost;
}
