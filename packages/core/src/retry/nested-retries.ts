import type { Settled } from '../outcome/classify.ts';

// Law R7: three attempts around three attempts would be nine. Retries see each other by the failures that pass through them, so that they
// need not stand in one composition, nor know of one another's calls.

const MAX_DEPTH = 32;

/** Numbers every start of a call and of an attempt, over all retries of the process. */
let starts = 0;

/** For each failure that a retry gave up on: the start of the last call that did. */
const givenUp = new WeakMap<object, number>();

const isObject = (value: unknown): value is object => (typeof value === 'object' && value !== null) || typeof value === 'function';

/** The number of a call or attempt that starts now. */
export function nextStart(): number {
  return ++starts;
}

/** The retry of the call that began at `start` has given up on `outcome`. */
export function giveUpOn(outcome: Settled, start: number): void {
  const failure = outcome.ok ? outcome.value : outcome.error;
  if (isObject(failure)) givenUp.set(failure, start);
}

/**
 * Whether a retry inside the attempt that began at `start` has given up on `outcome`, or on an error that caused it.
 *
 * A call inside has begun after the attempt. So an error object that many calls share (a constant, a load that they joined) is not taken
 * for one that came through a retry inside only because another call gave up on it.
 */
export function wasGivenUpInside(outcome: Settled, start: number): boolean {
  let failure = outcome.ok ? outcome.value : outcome.error;
  for (let depth = 0; isObject(failure) && depth < MAX_DEPTH; depth++) {
    if ((givenUp.get(failure) ?? 0) > start) return true;
    if (outcome.ok) return false;
    failure = (failure as { readonly cause?: unknown }).cause;
  }
  return false;
}
