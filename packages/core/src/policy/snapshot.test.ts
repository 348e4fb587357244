import { describe, expect, test } from 'vitest';
import { wholeNumber } from '../errors/check-options.ts';
import { checkSnapshot, elapsedMs, type Snapshot } from './snapshot.ts';

interface CounterSnapshot extends Snapshot<'counter'> {
  readonly count: number;
}

const good: CounterSnapshot = { version: 1, kind: 'counter', takenAtMs: 5000, count: 3 };
const check = (snapshot: unknown): void =>
  checkSnapshot<CounterSnapshot>('counter.restore', 'counter', snapshot as CounterSnapshot, { count: wholeNumber({ min: 0 }) });

describe('checkSnapshot', () => {
  test('lets through what snapshot() gave, also by way of JSON', () => {
    expect(() => check(JSON.parse(JSON.stringify(good)))).not.toThrow();
  });

  test.each([
    ['of another version', { ...good, version: 2 }, 'counter.restore: version must be 1, got 2'],
    ['of another policy', { ...good, kind: 'gauge' }, 'counter.restore: kind must be "counter", got "gauge"'],
    [
      'without a date',
      { ...good, takenAtMs: undefined },
      'counter.restore: takenAtMs must be a date in milliseconds since 1970, got undefined',
    ],
    ['with a wrong value', { ...good, count: -1 }, 'counter.restore: count must be a whole number of at least 0, got -1'],
    [
      'without a value',
      { version: 1, kind: 'counter', takenAtMs: 0 },
      'counter.restore: count must be a whole number of at least 0, got undefined',
    ],
    ['with an unknown field', { ...good, sum: 1 }, 'counter.restore: unknown option "sum"; there are version, kind, takenAtMs, count'],
    ['that is none', 'open', 'counter.restore: snapshot must be what snapshot() gave, got "open"'],
    ['that is missing', undefined, 'counter.restore: snapshot must be what snapshot() gave, got undefined'],
  ])('refuses one %s', (_what, snapshot, message) => {
    expect(() => check(snapshot)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message }));
  });
});

test('elapsedMs is the time since, and nothing for a date that lies ahead', () => {
  expect([elapsedMs(good, 7000), elapsedMs(good, 4000)]).toEqual([2000, 0]);
});
