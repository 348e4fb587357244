/** A limit: so many tokens in a period, and at once. */
export interface TokenLimit {
  readonly limit: number;
  readonly periodMs: number;
  /** Only of `gcra`; a sliding window lets `limit` through at once. */
  readonly burst: number;
}

/** Tokens that are taken from a moment on. */
export interface Booking {
  readonly atMs: number;
  /** Falls when some of it is given back. */
  cost: number;
}

/** Tokens that count from a moment on, as one meter tells another. */
export interface Counted {
  readonly atMs: number;
  readonly cost: number;
}

/** What sums of times and fractions may differ by: without it a moment planned to the limit would seem not to have come. */
export const ROUNDING_MS = 1e-6;

/**
 * When tokens can be had under a limit, given those that were taken and those that are promised for a moment to come. A pure function of the times it
 * is told, which never fall.
 */
export interface TokenMeter {
  /** The most that can be taken at once. */
  readonly capacity: number;
  /** How many bookings are for a moment to come. */
  promised(nowMs: number): number;
  /** The first moment from `fromMs` on at which `cost` tokens, at most `capacity`, can be had so that all promises can still be kept. */
  earliestMs(cost: number, fromMs: number): number;
  /** Takes `cost` tokens at a moment that `earliestMs` has named and that has come, for good: nothing of them is ever given back. */
  take(cost: number, nowMs: number): void;
  /** Books `cost` tokens for a moment that `earliestMs` has named: takes them if it has come, else promises them. */
  book(cost: number, atMs: number): Booking;
  /** Books tokens for several who come at `nowMs`, each no earlier than the one before; the moment of the last. */
  bookAll(costs: Iterable<number>, totalCost: number, nowMs: number): number;
  /** Takes `cost` tokens off a booking, as far as that does not let others exceed the limit. */
  giveBack(booking: Booking, cost: number, nowMs: number): void;
  /** Takes `cost` tokens that were used already, any number: those who come later wait until they are paid for. */
  debit(cost: number, nowMs: number): void;
  /** Whether nothing is remembered at `nowMs`: the meter is as good as new. */
  isClear(nowMs: number): boolean;
  /** Another limit from now on. What was taken still counts, and promises stand, also where they exceed it. */
  change(to: TokenLimit, nowMs: number): void;
  /** What was taken and still counts, and what is promised, by time: all that another meter has to know to go on where this one is. */
  counted(nowMs: number): readonly Counted[];
  /** Counts what another meter has let through, besides its own. */
  count(counted: readonly Counted[], nowMs: number): void;
  /** Another of the same limit with the same bookings, to look ahead with. */
  copy(): TokenMeter;
}

/** Puts a promise behind all that are for its moment or earlier. */
export function insertByTime<B extends Booking>(promises: B[], booking: B): void {
  let index = promises.length;
  while (index > 0 && (promises[index - 1] as B).atMs > booking.atMs) index--;
  promises.splice(index, 0, booking);
}

/** Takes the promises for `nowMs` or earlier out, and gives them. */
export function removeDue<B extends Booking>(promises: B[], nowMs: number): readonly B[] {
  const next = promises.findIndex(({ atMs }) => atMs > nowMs);
  return promises.splice(0, next === -1 ? promises.length : next);
}

/** {@link TokenMeter.bookAll}, one by one. */
export function bookInTurn(meter: TokenMeter, costs: Iterable<number>, nowMs: number): number {
  let atMs = nowMs;
  for (const cost of costs) {
    atMs = meter.earliestMs(cost, atMs);
    meter.book(cost, atMs);
  }
  return atMs;
}
