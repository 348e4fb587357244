import type { OutcomeKind } from '../outcome/classify.ts';

/** What was taken for one retry. Means something only to whoever it was taken from. */
export type RetryPayment = number;

/**
 * What bounds the retries of all that share it (law R3): asked before each, and told what becomes of calls.
 *
 * Time is given, so that all it does is a function of it. It may come from several clocks: one that lies behind the last moves nothing.
 */
export interface RetryAllowance {
  readonly name: string;
  /** A call begins. */
  began(nowMs: number): void;
  /** Pays for a retry that is about to wait, of what failed as `kind`; undefined where there is nothing to pay with. */
  tryTake(kind: OutcomeKind, nowMs: number): RetryPayment | undefined;
  /** Takes back what was paid for a retry that never began. */
  refund(payment: RetryPayment): void;
  /** A call has succeeded; `payment` is what its last retry had cost, if one was paid for. */
  succeeded(payment: RetryPayment | undefined): void;
}

/** Ten deposits of 0.1 come to 0.9999999999999999, and have to buy a retry. */
export const TOLERANCE = 1e-9;
