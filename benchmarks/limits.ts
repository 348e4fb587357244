// What `npm run bench -- gate` holds the library to. `limit` is what it reaches today, with room for a noisy machine; `goal` is where it
// is to get to. Whoever makes it faster lowers the limit; whoever has to raise one says why in the commit.
import type { Chosen } from './harness/request.ts';
import { ONE_TICK, QUEUED_10000, SEQUENTIAL, type Shape } from './harness/shapes.ts';

/** One figure, how it may be at worst, and how it is meant to be. */
export interface Limit {
  readonly of: Chosen;
  /** Bare awaits of time or bytes, of which there may be so many; or how many times faster than a peer it has to be. */
  readonly figure:
    | { readonly is: 'ratio'; readonly shape: Shape }
    | { readonly is: 'bytes' }
    | { readonly is: 'lead'; readonly over: string; readonly shape: Shape };
  readonly limit: number;
  readonly goal: number;
}

const THREE = 'keelson, retry > breaker > timeout';

const ratio = (group: string, subject: string, shape: Shape, limit: number, goal: number): Limit => ({
  of: { group, subject },
  figure: { is: 'ratio', shape },
  limit,
  goal,
});

const bytes = (group: string, subject: string, limit: number, goal: number): Limit => ({
  of: { group, subject },
  figure: { is: 'bytes' },
  limit,
  goal,
});

const lead = (group: string, subject: string, over: string, limit: number, goal: number): Limit => ({
  of: { group, subject },
  figure: { is: 'lead', over, shape: SEQUENTIAL },
  limit,
  goal,
});

export const LIMITS: readonly Limit[] = [
  ratio('retry', 'keelson', SEQUENTIAL, 5.9, 3.3),
  ratio('circuit breaker', 'keelson', SEQUENTIAL, 5.9, 3.3),
  ratio('bulkhead', 'keelson', SEQUENTIAL, 5.6, 3.3),
  ratio('timeout', 'keelson', SEQUENTIAL, 6.2, 4.5),
  ratio('rate limit', 'keelson', SEQUENTIAL, 7.8, 4.5),
  ratio('retry, breaker, timeout', THREE, SEQUENTIAL, 9.6, 5.5),
  ratio('retry, breaker, timeout', THREE, ONE_TICK, 8.2, 7),
  ratio('standard stack', 'keelson', SEQUENTIAL, 18, 10),
  ratio('standard stack', 'keelson', ONE_TICK, 16, 14),
  ratio('backlog', 'keelson', QUEUED_10000, 18, 9),
  bytes('retry, breaker, timeout', THREE, 1300, 1300),
  lead('bulkhead', 'keelson', 'cockatiel', 0.5, 1),
  lead('retry, breaker, timeout', THREE, 'hand-written', 1.3, 1),
  lead('retry, breaker, timeout', THREE, 'p-retry over opossum, tuned', 2.8, 4.5),
  lead('retry, breaker, timeout', THREE, 'cockatiel, tuned', 4.7, 11),
  lead('retry, breaker, timeout', THREE, 'effect, inside one fiber', 25, 40),
  lead('open circuit', 'keelson', 'cockatiel', 1.6, 5),
  lead('open circuit', 'keelson', 'opossum', 1.6, 5),
];
