import type { Place, TokenLine, Tokens, Waiting } from './token-line.ts';

/** Somebody who waits for so many tokens, for as long as it takes. */
export const waitingFor = (cost: number): Waiting => ({ cost, operation: 'operation', sinceMs: 0, latestMs: Number.POSITIVE_INFINITY });

/** Whoever has this place, and is due, starts. */
export function start(line: TokenLine, place: Place, nowMs: number): Tokens {
  line.leave(place);
  return line.take(place.item.cost, nowMs);
}
