import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chance, FAULTS, faultOf } from './faults.ts';

test('the same seed and text give the same chance, another seed another', () => {
  expect(chance(1, '/a 1')).toBe(chance(1, '/a 1'));
  expect(chance(1, '/a 1')).not.toBe(chance(2, '/a 1'));
});

test('chances lie from 0 to below 1', () => {
  fc.assert(
    fc.property(fc.integer(), fc.string(), (seed, text) => {
      const value = chance(seed, text);
      expect(value >= 0 && value < 1).toBe(true);
    }),
  );
});

test('each fault gets its share', () => {
  const n = 20_000;
  const counts = new Map<string | undefined, number>();
  for (let i = 0; i < n; i++) {
    const fault = faultOf(chance(7, `/file ${i}`));
    counts.set(fault, (counts.get(fault) ?? 0) + 1);
  }
  for (const [fault, share] of Object.entries(FAULTS)) expect((counts.get(fault) ?? 0) / n).toBeCloseTo(share, 2);
});
