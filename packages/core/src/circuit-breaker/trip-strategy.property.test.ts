import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Consecutive, type Counts, CountWindow, TimeWindow, type TripStrategy } from './trip-strategy.ts';

const SEED = 20_251_121;

interface Ended {
  readonly atMs: number;
  readonly failed: boolean;
}

const rules = fc.record({ failureRate: fc.double({ min: 0.01, max: 1, noNaN: true }), minimumCalls: fc.integer({ min: 1, max: 12 }) });

/** Calls that end one after the other, with pauses of all lengths between them. */
const histories = fc.array(fc.tuple(fc.oneof(fc.nat(3), fc.nat(150), fc.nat(3000)), fc.boolean()), { maxLength: 60 }).map((steps) => {
  let atMs = 0;
  return steps.map(([pauseMs, failed]): Ended => {
    atMs += pauseMs;
    return { atMs, failed };
  });
});

const countsOf = (calls: readonly Ended[]): Counts => ({ calls: calls.length, failures: calls.filter(({ failed }) => failed).length });

/** The calls since the last pause that was longer than `memoryMs`; the one up to `nowMs` is a pause, too. */
function remembered(calls: readonly Ended[], nowMs: number, memoryMs: number): readonly Ended[] {
  const afterPause = calls.findLastIndex(({ atMs }, i) => (calls[i + 1]?.atMs ?? nowMs) - atMs > memoryMs) + 1;
  return calls.slice(afterPause);
}

/** Plays `history` to a strategy, and compares it after each call, and some time later, with what `expected` counts of the calls so far. */
function agree(
  strategy: TripStrategy,
  history: readonly Ended[],
  lookMs: number,
  expected: (calls: readonly Ended[], nowMs: number) => Counts,
  trips: (counts: Counts) => boolean,
): void {
  history.forEach(({ atMs, failed }, i) => {
    const calls = history.slice(0, i + 1);
    const counts = expected(calls, atMs);
    if (failed) expect(strategy.failed(atMs)).toBe(trips(counts));
    else strategy.succeeded({ nowMs: () => atMs });
    expect(strategy.counts(atMs)).toEqual(counts);
  });
  const lastMs = (history.at(-1)?.atMs ?? 0) + lookMs;
  const left = expected(history, lastMs);
  expect(strategy.isClean(lastMs)).toBe(left.failures === 0);
  expect(strategy.counts(lastMs)).toEqual(left);
}

test('failures in a row are those since the last success, and since the last pause that was too long', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 1, max: 5 }), fc.nat(2000), fc.nat(4000), (history, threshold, memoryMs, lookMs) => {
      const inRow = (calls: readonly Ended[], nowMs: number): Counts => {
        const row = calls.slice(calls.findLastIndex(({ failed }) => !failed) + 1);
        return countsOf(remembered(row, nowMs, memoryMs));
      };
      agree(new Consecutive(threshold, memoryMs), history, lookMs, inRow, ({ failures }) => failures >= threshold);
    }),
    { seed: SEED },
  );
});

test('a window of calls counts the last ones, since the last pause that was too long', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 1, max: 20 }), rules, fc.nat(2000), fc.nat(4000), (history, size, rule, memoryMs, lookMs) => {
      agree(
        new CountWindow(size, rule, memoryMs),
        history,
        lookMs,
        (calls, nowMs) => countsOf(remembered(calls, nowMs, memoryMs).slice(-size)),
        ({ calls, failures }) => calls >= rule.minimumCalls && failures / calls >= rule.failureRate,
      );
    }),
    { seed: SEED },
  );
});

test('a window of time counts the calls of the tenth that is running and of the nine before', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 10, max: 2000 }), rules, fc.nat(4000), (history, periodMs, rule, lookMs) => {
      const tenth = (atMs: number): number => Math.floor(atMs / (periodMs / 10));
      agree(
        new TimeWindow(periodMs, rule, 'some time'),
        history,
        lookMs,
        (calls, nowMs) => countsOf(calls.filter(({ atMs }) => tenth(nowMs) - tenth(atMs) < 10)),
        ({ calls, failures }) => calls >= rule.minimumCalls && failures / calls >= rule.failureRate,
      );
    }),
    { seed: SEED },
  );
});
