import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Consecutive, type Counts, CountWindow, type RateRule, TimeWindow, type TripStrategy } from './trip-strategy.ts';

const SEED = 20_251_121;

/** A call, from when it counts on. */
interface Counted {
  readonly atMs: number;
  readonly isSlow: boolean;
  failed: boolean;
}

/** What is told next: how a call ended, that one is slow, or that one of those which were slow has failed. */
interface Told {
  readonly pauseMs: number;
  readonly what: 'success' | 'failure' | 'slow' | 'late failure';
  readonly which: number;
}

const rules: fc.Arbitrary<RateRule> = fc.record({
  failureRate: fc.double({ min: 0.01, max: 1, noNaN: true }),
  minimumCalls: fc.integer({ min: 1, max: 12 }),
  slow: fc.option(fc.record({ rate: fc.double({ min: 0.01, max: 1, noNaN: true }), text: fc.constant('1s') }), { nil: undefined }),
});

/** With pauses of all lengths between them. */
const histories: fc.Arbitrary<readonly Told[]> = fc.array(
  fc.record({
    pauseMs: fc.oneof(fc.nat(3), fc.nat(150), fc.nat(3000)),
    what: fc.constantFrom('success', 'failure', 'slow', 'late failure'),
    which: fc.nat(20),
  }),
  { maxLength: 60 },
);

const countsOf = (calls: readonly Counted[]): Counts => ({
  calls: calls.length,
  failures: calls.filter(({ failed }) => failed).length,
  slowCalls: calls.filter(({ isSlow }) => isSlow).length,
});

const isClean = ({ failures, slowCalls }: Counts): boolean => failures === 0 && slowCalls === 0;

/** The calls since the last pause that was longer than `memoryMs`; the one up to `nowMs` is a pause, too. */
function remembered(calls: readonly Counted[], nowMs: number, memoryMs: number): readonly Counted[] {
  const afterPause = calls.findLastIndex(({ atMs }, i) => (calls[i + 1]?.atMs ?? nowMs) - atMs > memoryMs) + 1;
  return calls.slice(afterPause);
}

/** What a strategy is to come to. */
interface Expected {
  /** The calls that count. */
  counted(calls: readonly Counted[], nowMs: number): readonly Counted[];
  tooManyFailures(counts: Counts): boolean;
  tooManySlow(counts: Counts): boolean;
}

const byRate = ({ failureRate, minimumCalls, slow }: RateRule): Pick<Expected, 'tooManyFailures' | 'tooManySlow'> => ({
  tooManyFailures: ({ calls, failures }) => calls >= minimumCalls && failures / calls >= failureRate,
  tooManySlow: ({ calls, slowCalls }) => slow !== undefined && calls >= minimumCalls && slowCalls / calls >= slow.rate,
});

/** Plays `history` to a strategy, and compares it after each thing that it is told, and some time later. */
function agree(strategy: TripStrategy, history: readonly Told[], lookMs: number, expected: Expected): void {
  const calls: Counted[] = [];
  const marks = new Map<Counted, number>();
  let nowMs = 0;
  const counts = (): Counts => countsOf(expected.counted(calls, nowMs));
  for (const { pauseMs, what, which } of history) {
    nowMs += pauseMs;
    if (what === 'late failure') {
      const [call, mark] = [...marks][which % Math.max(1, marks.size)] ?? [];
      if (call === undefined || mark === undefined) continue;
      marks.delete(call);
      call.failed = true;
      const counts = expected.counted(calls, nowMs).includes(call);
      expect(strategy.slowFailed(mark, nowMs)).toBe(counts && expected.tooManyFailures(countsOf(expected.counted(calls, nowMs))));
    } else {
      const call = { atMs: nowMs, isSlow: what === 'slow', failed: what === 'failure' };
      calls.push(call);
      if (what === 'success') strategy.succeeded({ nowMs: () => nowMs });
      else if (what === 'slow') {
        marks.set(call, strategy.slowed(nowMs));
        expect(strategy.isTooSlow(nowMs)).toBe(expected.tooManySlow(counts()));
      } else expect(strategy.failed(nowMs)).toBe(expected.tooManyFailures(counts()));
    }
    expect(strategy.counts(nowMs)).toEqual(counts());
  }
  nowMs += lookMs;
  expect(strategy.isClean(nowMs)).toBe(isClean(counts()));
  expect(strategy.counts(nowMs)).toEqual(counts());
}

test('calls in a row are those since the last success, and since the last pause that was too long', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 1, max: 5 }), fc.nat(2000), fc.nat(4000), (history, threshold, memoryMs, lookMs) => {
      const inRow = (calls: readonly Counted[], nowMs: number): readonly Counted[] => {
        const row = calls.slice(calls.findLastIndex(({ failed, isSlow }) => !failed && !isSlow) + 1);
        return remembered(row, nowMs, memoryMs);
      };
      // no late failure makes the row longer
      const expected = { counted: inRow, tooManySlow: ({ calls }: Counts) => calls >= threshold };
      const told = history.filter(({ what }) => what !== 'late failure');
      agree(new Consecutive(threshold, memoryMs), told, lookMs, { ...expected, tooManyFailures: expected.tooManySlow });
      agree(new Consecutive(1000, memoryMs), history, lookMs, { ...expected, tooManySlow: () => false, tooManyFailures: () => false });
    }),
    { seed: SEED },
  );
});

test('a window of calls counts the last ones, since the last pause that was too long', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 1, max: 20 }), rules, fc.nat(2000), fc.nat(4000), (history, size, rule, memoryMs, lookMs) => {
      agree(new CountWindow(size, rule, memoryMs), history, lookMs, {
        counted: (calls, nowMs) => remembered(calls, nowMs, memoryMs).slice(-size),
        ...byRate(rule),
      });
    }),
    { seed: SEED },
  );
});

test('a window of time counts the calls of the tenth that is running and of the nine before', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 10, max: 2000 }), rules, fc.nat(4000), (history, periodMs, rule, lookMs) => {
      const tenth = (atMs: number): number => Math.floor(atMs / (periodMs / 10));
      agree(new TimeWindow(periodMs, rule, 'some time'), history, lookMs, {
        counted: (calls, nowMs) => calls.filter(({ atMs }) => tenth(nowMs) - tenth(atMs) < 10),
        ...byRate(rule),
      });
    }),
    { seed: SEED },
  );
});

test('a window of calls that takes the place of another goes on as if it had been there from the start, as far as both reach', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), rules, (history, before, size, rule) => {
      const old = new CountWindow(before, rule, Number.POSITIVE_INFINITY);
      const whole = new CountWindow(Math.min(before, size), rule, Number.POSITIVE_INFINITY);
      for (const [i, { what }] of history.entries()) {
        for (const strategy of [old, whole]) {
          if (what === 'success') strategy.succeeded({ nowMs: () => i });
          else if (what === 'slow') strategy.slowed(i);
          else strategy.failed(i);
        }
      }
      const strategy = new CountWindow(size, rule, Number.POSITIVE_INFINITY);
      strategy.takeOver(old);
      expect(strategy.counts(history.length)).toEqual(whole.counts(history.length));
    }),
    { seed: SEED },
  );
});
