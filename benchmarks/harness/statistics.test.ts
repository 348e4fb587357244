import fc from 'fast-check';
import { expect, test } from 'vitest';
import { median, quantile, slope, spread } from './statistics.ts';

const samples = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 });

test('quantiles lie between the samples', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([4, 1, 3, 2, 5], 0.25)).toBe(2);
  expect(spread([5, 4, 3, 2, 1])).toEqual({ median: 3, lowerQuartile: 2, upperQuartile: 4 });
  expect(median([])).toBeNaN();
});

test('half of the samples are at or below the median, half at or above, in whatever order they come', () => {
  fc.assert(
    fc.property(samples, (values) => {
      const middle = median(values);
      expect(values.filter((value) => value <= middle).length * 2).toBeGreaterThanOrEqual(values.length);
      expect(values.filter((value) => value >= middle).length * 2).toBeGreaterThanOrEqual(values.length);
      expect(median(values.toReversed())).toBe(middle);
    }),
    { seed: 1 },
  );
});

test('the slope is that of the line through the samples', () => {
  expect(slope([1, 2, 3, 4], [7, 9, 11, 13])).toBe(2);
  expect(slope([1, 2, 3], [5, 5, 5])).toBe(0);
  expect(slope([0, 1, 2], [0, 3, 0])).toBe(0);
});
