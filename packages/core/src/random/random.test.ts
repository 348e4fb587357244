import { expect, test, vi } from 'vitest';
import { defaultRandom, useRandom } from './current-random.ts';
import type { Random } from './random.ts';
import { seededRandom } from './seeded-random.ts';
import { systemRandom } from './system-random.ts';

/**
 * First outputs of the reference: sfc32 as published by bryc (public domain), seeded as PractRand does, with the low and the high half of the
 * seed, a counter of 1 and 12 draws thrown away.
 */
const REFERENCE: readonly (readonly [seed: number, outputs: readonly number[]])[] = [
  [0, [1363572419, 145230303, 808754475, 4216505632, 947923937, 2491578854, 3964400089, 2091952393]],
  [1, [2012149540, 1872316204, 1707632675, 1779833415, 2026416846, 1661539736, 2729060721, 4156309426]],
  [42, [1264412219, 1947509147, 3919439299, 1251167922, 656401615, 478193053, 3278332503, 1360198844]],
];

test.each(REFERENCE)('seed %d gives the numbers of the reference sfc32', (seed, outputs) => {
  const random = seededRandom(seed);
  expect(outputs.map(() => random.next() * 2 ** 32)).toEqual(outputs);
});

test('both halves of a seed count', () => {
  const first = (seed: number): number => seededRandom(seed).next();
  expect(new Set([7, 7 + 2 ** 32, 7 + 2 ** 33, Number.MAX_SAFE_INTEGER].map(first)).size).toBe(4);
});

test('numbers are spread evenly over [0, 1)', () => {
  const random = seededRandom(3);
  const draws = 100_000;
  const counts = new Array<number>(16).fill(0);
  for (let i = 0; i < draws; i++) {
    const bucket = Math.floor(random.next() * 16);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  expect(counts).toHaveLength(16);
  const chiSquare = counts.reduce((sum, n) => sum + (n - draws / 16) ** 2 / (draws / 16), 0);
  expect(chiSquare).toBeLessThan(37.7); // 15 degrees of freedom, 0.1 %
});

test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('F2: the seed %d is refused', (seed) => {
  expect(() => seededRandom(seed)).toThrow(`seededRandom: seed must be a whole number from 0 to 2^53-1, got ${seed}`);
});

test('the default is Math.random, and useRandom puts another source in its place', () => {
  expect(defaultRandom()).toBe(systemRandom);
  const source = seededRandom(1);
  {
    using random = useRandom(source);
    expect(random).toBe(source);
    expect(defaultRandom()).toBe(source);
  }
  expect(defaultRandom()).toBe(systemRandom);
});

test('systemRandom draws from Math.random', () => {
  using spy = vi.spyOn(Math, 'random').mockReturnValue(0.25);
  expect(systemRandom.next()).toBe(0.25);
  expect(spy).toHaveBeenCalledTimes(1);
});

test.each([undefined, null, {}, Math.max])('F2: %o is no source of chance', (random) => {
  expect(() => useRandom(random as unknown as Random)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
});
