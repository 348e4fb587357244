import fc from 'fast-check';
import { expect, test } from 'vitest';
import { temporaryTree } from '../lib/temporary-tree.test-support.ts';
import { chance, FAULTS, faultOf, projectFiles } from './faulty-origin.ts';

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

test('what belongs to the project is served, under names that a URL can hold', () => {
  const root = temporaryTree({
    'a b/ü?.txt': 'x',
    'node_modules/m/i.js': '',
    '.git/HEAD': '',
    'packages/p/dist/i.js': '',
    'large.bin': 'x'.repeat(1 << 21),
  });
  const files = projectFiles(root);
  expect([...files.keys()]).toEqual(['/a%20b/%C3%BC%3F.txt']);
  expect(files.get('/a%20b/%C3%BC%3F.txt')?.toString()).toBe('x');
});
