import { expect, test } from 'vitest';
import { type LineVerdict, LineVerdicts } from './line-verdicts.ts';

test('keeps the verdict on every line, and has none on others', () => {
  const verdicts = new LineVerdicts();
  const given: readonly (readonly [number, LineVerdict])[] = [
    [1, 'call'],
    [1023, 'leave out'],
    [1024, 'call'],
    [5_000_000, 'leave out'],
    [3, 'call'],
    [3, 'leave out'],
  ];
  for (const [line, verdict] of given) verdicts.set(line, verdict);
  expect([1, 1023, 1024, 5_000_000, 3].map((line) => verdicts.of(line))).toEqual(['call', 'leave out', 'call', 'leave out', 'leave out']);
  expect([0, 2, 1025, 4_999_999, 5_000_001, 2 ** 31].map((line) => verdicts.of(line))).toEqual(Array(6).fill('no job'));
});
