import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Gcra } from '../policy/gcra.ts';
import { SlidingWindow } from '../policy/sliding-window.ts';
import type { TokenMeter } from '../policy/token-meter.ts';
import { TokenLine, type Tokens } from './token-line.ts';

const SEED = 20_251_121;
const TOLERANCE = 1e-6;

/** A limit under test: its meter, and the most that it may let through in a closed window of `lengthMs`. */
interface Limit {
  readonly meter: () => TokenMeter;
  readonly bound: (lengthMs: number) => number;
}

const buckets = fc
  .record({ limit: fc.integer({ min: 1, max: 20 }), periodMs: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 10 }) })
  .map(({ limit, periodMs, burst }): Limit & { readonly label: string } => ({
    label: `${limit} per ${periodMs} ms, burst ${burst}`,
    meter: () => new Gcra(limit, periodMs, burst),
    bound: (lengthMs) => burst + (lengthMs * limit) / periodMs,
  }));

const windows = fc
  .record({ limit: fc.integer({ min: 1, max: 10 }), periodMs: fc.integer({ min: 1, max: 50 }) })
  .map(({ limit, periodMs }): Limit & { readonly label: string } => ({
    label: `${limit} in any ${periodMs} ms`,
    meter: () => new SlidingWindow(limit, periodMs),
    bound: (lengthMs) => (lengthMs < periodMs - TOLERANCE ? limit : Number.POSITIVE_INFINITY), // longer ones are made of such
  }));

const limits = fc.oneof(buckets, windows);

type Act =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'take'; readonly cost: number }
  | { readonly do: 'giveBack'; readonly which: number }
  | { readonly do: 'correct'; readonly which: number; readonly cost: number };

const wait = fc.record({ do: fc.constant('wait' as const), ms: fc.double({ min: 0, max: 30, noNaN: true }) });
const take = fc.record({ do: fc.constant('take' as const), cost: fc.integer({ min: 1, max: 10 }) });
const giveBack = fc.record({ do: fc.constant('giveBack' as const), which: fc.nat() });
const correct = (max: number): fc.Arbitrary<Act> =>
  fc.record({ do: fc.constant('correct' as const), which: fc.nat(), cost: fc.integer({ min: 0, max }) });
const script = (...acts: fc.Arbitrary<Act>[]): fc.Arbitrary<Act[]> => fc.array(fc.oneof(...acts), { maxLength: 60, size: 'max' });

/** Lets a line act, and keeps a ledger of who holds what. */
class Play {
  readonly line: TokenLine;
  readonly held: Tokens[] = [];
  readonly #onTake: (tokens: Tokens, held: readonly Tokens[]) => void;
  readonly #neverMore: boolean;
  nowMs = 0;

  constructor(limit: Limit, neverMore: boolean, onTake: (tokens: Tokens, held: readonly Tokens[]) => void) {
    this.line = new TokenLine(limit.meter());
    this.#neverMore = neverMore;
    this.#onTake = onTake;
  }

  act(act: Act): void {
    const { line, held } = this;
    if (act.do === 'wait') this.nowMs += act.ms;
    else if (act.do === 'take') {
      const tokens = line.take(Math.min(act.cost, line.capacity), this.nowMs);
      expect(tokens.atMs).toBeGreaterThanOrEqual(this.nowMs);
      held.push(tokens);
      this.#onTake(tokens, held);
    } else if (act.do === 'giveBack') {
      const waiting = held.filter(({ atMs }) => atMs > this.nowMs);
      const tokens = waiting[act.which % waiting.length];
      if (tokens === undefined) return;
      line.giveBack(tokens, this.nowMs);
      held.splice(held.indexOf(tokens), 1);
    } else {
      const started = held.filter(({ atMs }) => atMs <= this.nowMs);
      const tokens = started[act.which % started.length];
      if (tokens !== undefined) line.correct(tokens, this.#neverMore ? Math.min(tokens.cost, act.cost) : act.cost, this.nowMs);
    }
  }
}

/** The most by which the held tokens exceed the bound in a window that ends at `endMs`. */
const excess = ({ bound }: Limit, held: readonly Tokens[], endMs: number): number => {
  const within = held.filter(({ atMs }) => atMs <= endMs).toSorted((a, b) => b.atMs - a.atMs);
  let sum = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (const { atMs, cost } of within) {
    sum += cost;
    most = Math.max(most, sum - bound(endMs - atMs));
  }
  return most;
};

describe('L1: no window holds more than was promised', () => {
  test('whoever comes when, gives back what or turns out to cost less', () => {
    fc.assert(
      fc.property(limits, script(wait, take, take, giveBack, correct(10)), (limit, acts) => {
        const play = new Play(limit, true, () => {});
        for (const act of acts) {
          play.act(act);
          for (const { atMs } of play.held) expect(excess(limit, play.held, atMs)).toBeLessThanOrEqual(TOLERANCE);
        }
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  test('as far as is known when tokens are taken, if some turn out to cost more', () => {
    fc.assert(
      fc.property(limits, script(wait, take, take, giveBack, correct(30)), (limit, acts) => {
        const play = new Play(limit, false, ({ atMs }, held) => expect(excess(limit, held, atMs)).toBeLessThanOrEqual(TOLERANCE));
        for (const act of acts) play.act(act);
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });
});

describe('L2: waits are exact', () => {
  test('nobody could have come a moment earlier, without overtaking', () => {
    fc.assert(
      fc.property(limits, script(wait, take, take), (limit, acts) => {
        const play = new Play(limit, true, (tokens, held) => {
          const others = held.filter((each) => each !== tokens);
          const firstMs = Math.max(play.nowMs, ...others.map(({ atMs }) => atMs));
          const earlierMs = tokens.atMs - 10 * TOLERANCE;
          if (earlierMs < firstMs) return;
          expect(excess(limit, [...others, { ...tokens, atMs: earlierMs } as Tokens], earlierMs)).toBeGreaterThan(0);
        });
        for (const act of acts) play.act(act);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('when all who wait leave, in whatever order, it is as if they had never come', () => {
    fc.assert(
      fc.property(limits, script(wait, take, take), fc.infiniteStream(fc.nat()), (limit, acts, order) => {
        const play = new Play(limit, true, () => {});
        for (const act of acts) play.act(act);
        const { line, held, nowMs } = play;
        while (line.waiting(nowMs) > 0) play.act({ do: 'giveBack', which: order.next().value });

        const anew = limit.meter();
        for (const { cost, atMs } of held) anew.book(cost, atMs);
        for (const cost of [1, anew.capacity]) expect(line.earliestMs(cost, nowMs)).toBeCloseTo(anew.earliestMs(cost, nowMs), 6);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('what is given back before its time goes to whoever comes next', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 2, max: 20 }), fc.nat(), (limit, count, which) => {
        const line = new TokenLine(limit.meter());
        const waiting = Array.from({ length: count }, () => line.take(line.capacity, 0)).filter(({ atMs }) => atMs > 0);
        const tokens = waiting[which % waiting.length] as Tokens;
        line.giveBack(tokens, 0);
        expect(line.earliestMs(line.capacity, 0)).toBeCloseTo(tokens.atMs, 6);
        expect(line.waiting(0)).toBe(waiting.length - 1);
        expect(line.take(line.capacity, 0).atMs).toBeCloseTo(tokens.atMs, 6);
      }),
      { seed: SEED },
    );
  });
});
