import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Gcra } from '../policy/gcra.ts';
import { SlidingWindow } from '../policy/sliding-window.ts';
import type { TokenMeter } from '../policy/token-meter.ts';
import { start, waitingFor } from './token-line.test-support.ts';
import { type Place, TokenLine, type Tokens } from './token-line.ts';

const SEED = 20_251_121;
const TOLERANCE = 1e-5;

/** A limit under test: its meter, and the most that it may let through in a closed window of `lengthMs`. */
interface Limit {
  readonly label: string;
  readonly meter: () => TokenMeter;
  readonly bound: (lengthMs: number) => number;
}

const buckets = fc
  .record({ limit: fc.integer({ min: 1, max: 20 }), periodMs: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 10 }) })
  .map(
    ({ limit, periodMs, burst }): Limit => ({
      label: `${limit} per ${periodMs} ms, burst ${burst}`,
      meter: () => new Gcra(limit, periodMs, burst),
      bound: (lengthMs) => burst + (lengthMs * limit) / periodMs,
    }),
  );

const windows = fc.record({ limit: fc.integer({ min: 1, max: 10 }), periodMs: fc.integer({ min: 1, max: 50 }) }).map(
  ({ limit, periodMs }): Limit => ({
    label: `${limit} in any ${periodMs} ms`,
    meter: () => new SlidingWindow(limit, periodMs),
    bound: (lengthMs) => (lengthMs < periodMs - TOLERANCE ? limit : Number.POSITIVE_INFINITY), // longer ones are made of such
  }),
);

const limits = fc.oneof(buckets, windows);

type Act =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'take'; readonly cost: number }
  | { readonly do: 'join'; readonly cost: number }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'leave'; readonly which: number }
  | { readonly do: 'correct'; readonly which: number; readonly cost: number }
  | { readonly do: 'serve' };

const wait = fc.record({ do: fc.constant('wait' as const), ms: fc.double({ min: 0, max: 30, noNaN: true }) });
const come = (how: 'take' | 'join'): fc.Arbitrary<Act> =>
  fc.record({ cost: fc.integer({ min: 1, max: 10 }) }).map(({ cost }) => ({ do: how, cost }));
const go = (how: 'cancel' | 'leave'): fc.Arbitrary<Act> => fc.nat().map((which) => ({ do: how, which }));
const correct = (max: number): fc.Arbitrary<Act> =>
  fc.record({ do: fc.constant('correct' as const), which: fc.nat(), cost: fc.integer({ min: 0, max }) });
const serve = fc.constant<Act>({ do: 'serve' });
const script = (...acts: fc.Arbitrary<Act>[]): fc.Arbitrary<Act[]> => fc.array(fc.oneof(...acts), { maxLength: 60, size: 'max' });

/** Lets a line act, and keeps a ledger of who stands in it and who holds what. Nobody starts but when somebody serves, which may be late. */
class Play {
  readonly line: TokenLine;
  readonly held: Tokens[] = [];
  readonly waiting: { readonly place: Place; readonly expectedMs: number }[] = [];
  readonly #neverMore: boolean;
  nowMs = 0;

  constructor(limit: Limit, neverMore: boolean) {
    this.line = new TokenLine(limit.meter());
    this.#neverMore = neverMore;
  }

  act(act: Act): void {
    const { line, nowMs } = this;
    if (act.do === 'wait') this.nowMs += act.ms;
    else if (act.do === 'serve') this.serve(nowMs);
    else if (act.do === 'take' || act.do === 'join') this.#come(act.do, Math.min(act.cost, line.capacity));
    else if (act.do === 'leave') {
      const [left] = this.waiting.splice(act.which % this.waiting.length, 1);
      if (left !== undefined) line.leave(left.place);
    } else if (act.do === 'cancel') {
      const tokens = pick(this.held, act.which, ({ atMs }) => atMs > nowMs);
      if (tokens === undefined) return;
      line.giveBack(tokens, nowMs);
      this.held.splice(this.held.indexOf(tokens), 1);
    } else {
      const tokens = pick(this.held, act.which, ({ atMs }) => atMs <= nowMs);
      if (tokens !== undefined) line.correct(tokens, this.#neverMore ? Math.min(tokens.cost, act.cost) : act.cost, nowMs);
    }
  }

  /** Whoever is due starts. */
  serve(nowMs: number): void {
    while (this.waiting.length > 0 && this.line.dueMs(nowMs) <= nowMs) {
      this.held.push(start(this.line, (this.waiting.shift() as { place: Place }).place, nowMs));
    }
  }

  #come(how: 'take' | 'join', cost: number): void {
    const { line, nowMs } = this;
    const expectedMs = line.earliestMs(cost, nowMs);
    expect(expectedMs).toBeGreaterThanOrEqual(nowMs);
    if (how === 'take') this.held.push(line.take(cost, expectedMs));
    else this.waiting.push({ place: line.join(waitingFor(cost), nowMs), expectedMs });
  }
}

function pick(all: readonly Tokens[], which: number, fits: (tokens: Tokens) => boolean): Tokens | undefined {
  const fitting = all.filter(fits);
  return fitting[which % fitting.length];
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

const expectWithin = (limit: Limit, held: readonly Tokens[]): void => {
  for (const { atMs } of held) expect(excess(limit, held, atMs)).toBeLessThanOrEqual(TOLERANCE);
};

describe('L1: no window holds more than was promised', () => {
  test('whoever comes when, starts how late, leaves, gives back what or turns out to cost less', () => {
    fc.assert(
      fc.property(
        limits,
        script(wait, wait, come('take'), come('join'), come('join'), go('cancel'), go('leave'), correct(10), serve),
        (limit, acts) => {
          const play = new Play(limit, true);
          for (const act of acts) {
            play.act(act);
            expectWithin(limit, play.held);
          }
        },
      ),
      { seed: SEED, numRuns: 1000 },
    );
  });

  test('as far as is known when tokens are taken, if some turn out to cost more', () => {
    fc.assert(
      fc.property(limits, script(wait, come('join'), correct(30), serve), (limit, acts) => {
        const play = new Play(limit, false);
        for (const act of acts) {
          const before = play.held.length;
          play.act(act);
          for (const { atMs } of play.held.slice(before)) expect(excess(limit, play.held, atMs)).toBeLessThanOrEqual(TOLERANCE);
        }
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});

describe('L2: waits are exact', () => {
  test('who stands in the line and is served in time starts when that was expected', () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 30 }),
        fc.nat(3),
        (limit, costs, promises) => {
          const play = new Play(limit, true);
          const { line } = play;
          for (const [index, cost] of costs.entries()) play.act({ do: index < promises ? 'take' : 'join', cost });
          const expected = play.waiting.map(({ expectedMs }) => expectedMs);
          const before = play.held.length;
          for (let nowMs = line.dueMs(0); play.waiting.length > 0; nowMs = line.dueMs(nowMs)) play.serve(nowMs);
          const starts = play.held.slice(before).map(({ atMs }) => atMs);
          expect(starts).toEqual(expected.map((atMs) => expect.closeTo(atMs, 5)));
        },
      ),
      { seed: SEED, numRuns: 500 },
    );
  });

  test('nobody could have come a moment earlier, without overtaking', () => {
    fc.assert(
      fc.property(limits, script(wait, come('take')), (limit, acts) => {
        const play = new Play(limit, true);
        for (const act of acts) {
          play.act(act);
          if (act.do !== 'take') continue;
          const tokens = play.held.at(-1) as Tokens;
          const others = play.held.slice(0, -1);
          const earlierMs = tokens.atMs - 10 * TOLERANCE;
          if (earlierMs < Math.max(play.nowMs, ...others.map(({ atMs }) => atMs))) continue;
          expect(excess(limit, [...others, { ...tokens, atMs: earlierMs } as Tokens], earlierMs)).toBeGreaterThan(0);
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('when all who wait leave, in whatever order, it is as if they had never come', () => {
    fc.assert(
      fc.property(limits, script(wait, come('take'), come('join'), serve), fc.infiniteStream(fc.nat()), (limit, acts, order) => {
        const play = new Play(limit, true);
        for (const act of acts) play.act(act);
        const { line, held, nowMs } = play;
        while (line.size > 0) play.act({ do: 'leave', which: order.next().value });
        while (line.waiting(nowMs) > 0) play.act({ do: 'cancel', which: order.next().value });

        const anew = limit.meter();
        for (const { cost, atMs } of held.toSorted((a, b) => a.atMs - b.atMs)) anew.book(cost, Math.max(atMs, anew.earliestMs(cost, atMs)));
        for (const cost of [1, anew.capacity]) expect(line.earliestMs(cost, nowMs)).toBeCloseTo(anew.earliestMs(cost, nowMs), 4);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('what is given back before its time goes to whoever comes next', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 2, max: 20 }), fc.nat(), (limit, count, which) => {
        const line = new TokenLine(limit.meter());
        const { capacity } = line;
        const taken = Array.from({ length: count }, () => line.take(capacity, line.earliestMs(capacity, 0)));
        const waiting = taken.filter(({ atMs }) => atMs > 0);
        const tokens = waiting[which % waiting.length] as Tokens;
        line.giveBack(tokens, 0);
        expect(line.earliestMs(capacity, 0)).toBeCloseTo(tokens.atMs, 6);
        expect(line.waiting(0)).toBe(waiting.length - 1);
      }),
      { seed: SEED },
    );
  });

  test('who comes in place of the first is told what it will be without', () => {
    fc.assert(
      fc.property(limits, script(wait, come('take'), come('join'), serve), fc.integer({ min: 1, max: 10 }), (limit, acts, cost) => {
        const play = new Play(limit, true);
        for (const act of acts) play.act(act);
        const { line, nowMs } = play;
        const { first, capacity } = line;
        if (first === undefined) return;
        const expectedMs = line.earliestInsteadMs(Math.min(cost, capacity), nowMs);
        line.leave(first);
        expect(line.earliestMs(Math.min(cost, capacity), nowMs)).toBeCloseTo(expectedMs, 5);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});
