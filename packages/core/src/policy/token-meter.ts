/** Tokens that are taken from a moment on. */
export interface Booking {
  /** Rises with each booking of its meter. */
  readonly order: number;
  readonly atMs: number;
  /** Falls when some of it is given back. */
  cost: number;
}

/**
 * When tokens can be had under a limit: a plan of bookings, one behind the other. A pure function of the times it is told.
 *
 * A plan from which something was taken out still keeps the limit; so whoever gives a booking back may also lend out its very moment anew,
 * as long as it has not told the meter.
 */
export interface TokenMeter {
  /** The most that can be taken at once. */
  readonly capacity: number;
  /** The `order` of the last booking that stands. */
  readonly lastOrder: number;
  /** When `cost` tokens could be had: from `nowMs` on, and behind all that is booked. */
  earliestMs(cost: number, nowMs: number): number;
  /** Books `cost` tokens, at most `capacity`, for their earliest time. */
  book(cost: number, nowMs: number): Booking;
  /** Takes `cost` tokens off a booking, as far as that does not let others exceed the limit. */
  giveBack(booking: Booking, cost: number): void;
  /** Takes `cost` tokens that were used already, any number: those who come later wait until they are paid for. */
  debit(cost: number, nowMs: number): void;
  /** Whether nothing is remembered at `nowMs`: the meter is as good as new. */
  isClear(nowMs: number): boolean;
}
