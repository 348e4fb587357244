import { Heap, type HeapEntry } from '../collections/heap.ts';
import type { Booking, TokenMeter } from '../policy/token-meter.ts';

/** A moment of the plan that was given back before it came; free for as long as it has not passed. */
interface FreeSlot {
  readonly booking: Booking;
  /** What is free of it. */
  cost: number;
}

/** What somebody was given: so many tokens, from a moment on. */
export class Tokens {
  readonly booking: Booking;
  cost: number;
  /** Among those whose moment has not come; undefined where there was nothing to wait for. */
  place: HeapEntry<Tokens> | undefined;

  constructor(booking: Booking, cost: number) {
    this.booking = booking;
    this.cost = cost;
  }

  get atMs(): number {
    return this.booking.atMs;
  }
}

const isEarlier = (a: { readonly booking: Booking }, b: { readonly booking: Booking }): boolean => a.booking.order < b.booking.order;

/**
 * Who takes tokens when: each behind those before, except where a moment has become free. A pure function of the times it is told.
 *
 * A moment that is given back before it comes is handed to whoever asks next and has a use for it; the others keep their moments. One that
 * nobody took in time goes back to the meter, and so does the end of the plan at once, so that a plan which everybody has left is empty.
 */
export class TokenLine {
  readonly #meter: TokenMeter;
  readonly #free: Heap<FreeSlot> = new Heap<FreeSlot>(isEarlier);
  /** Of the free slots, by the order of their bookings. */
  readonly #freeByOrder: Map<number, HeapEntry<FreeSlot>> = new Map();
  readonly #waiting: Heap<Tokens> = new Heap<Tokens>(isEarlier);
  /** The moments up to here were planned without a debt that was made since; they cannot be lent out anew. */
  #debtOrder = 0;

  constructor(meter: TokenMeter) {
    this.#meter = meter;
  }

  get capacity(): number {
    return this.#meter.capacity;
  }

  /** When `cost` tokens could be had. */
  earliestMs(cost: number, nowMs: number): number {
    return this.#slotFor(cost, nowMs)?.booking.atMs ?? this.#meter.earliestMs(cost, nowMs);
  }

  take(cost: number, nowMs: number): Tokens {
    const slot = this.#slotFor(cost, nowMs);
    const tokens = new Tokens(slot === undefined ? this.#meter.book(cost, nowMs) : this.#lend(slot, cost), cost);
    if (tokens.atMs > nowMs) tokens.place = this.#waiting.add(tokens);
    return tokens;
  }

  /** Takes back tokens that were not used. */
  giveBack(tokens: Tokens, nowMs: number): void {
    const { booking, cost, place } = tokens;
    if (place !== undefined) this.#waiting.remove(place);
    if (booking.atMs <= nowMs || booking.order <= this.#debtOrder) this.#meter.giveBack(booking, cost);
    else {
      this.#setFree(booking, cost);
      this.#shorten();
    }
  }

  /** Says what tokens that were used came to. */
  correct(tokens: Tokens, realCost: number, nowMs: number): void {
    const more = realCost - tokens.cost;
    tokens.cost = realCost;
    if (more < 0) this.#meter.giveBack(tokens.booking, -more);
    else this.debit(more, nowMs);
  }

  /** Takes tokens that were used without having been taken. */
  debit(cost: number, nowMs: number): void {
    if (cost === 0) return;
    while (this.#free.size > 0) this.#drop(this.#free.peek() as FreeSlot);
    this.#debtOrder = this.#meter.lastOrder;
    this.#meter.debit(cost, nowMs);
  }

  /** How many have tokens whose moment has not come. */
  waiting(nowMs: number): number {
    for (let first = this.#waiting.peek(); first !== undefined && first.atMs <= nowMs; first = this.#waiting.peek()) this.#waiting.take();
    return this.#waiting.size;
  }

  isClear(nowMs: number): boolean {
    return this.#meter.isClear(nowMs);
  }

  #slotFor(cost: number, nowMs: number): FreeSlot | undefined {
    let first = this.#free.peek();
    for (; first !== undefined && first.booking.atMs < nowMs; first = this.#free.peek()) this.#drop(first);
    return first !== undefined && first.cost >= cost ? first : undefined;
  }

  #lend(slot: FreeSlot, cost: number): Booking {
    slot.cost -= cost;
    if (slot.cost === 0) this.#remove(slot.booking.order);
    return slot.booking;
  }

  #setFree(booking: Booking, cost: number): void {
    const entry = this.#freeByOrder.get(booking.order);
    if (entry === undefined) this.#freeByOrder.set(booking.order, this.#free.add({ booking, cost }));
    else entry.item.cost += cost;
  }

  /** Takes free slots off the end of the plan. */
  #shorten(): void {
    for (let last = this.#freeByOrder.get(this.#meter.lastOrder); last !== undefined; last = this.#freeByOrder.get(this.#meter.lastOrder))
      this.#drop(last.item);
  }

  #drop(slot: FreeSlot): void {
    this.#remove(slot.booking.order);
    this.#meter.giveBack(slot.booking, slot.cost);
  }

  #remove(order: number): void {
    this.#free.remove(this.#freeByOrder.get(order) as HeapEntry<FreeSlot>);
    this.#freeByOrder.delete(order);
  }
}
