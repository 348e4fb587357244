// The fuzz of random stacks is the specification of the engine: 1 to 8 layers in any order, 12 calls, and everything users and operations do to
// them. Afterwards no call, permit, abandoned work, listener or timer may be left, and every layer's contract was kept. More of it, or one seed
// alone: FUZZ_STACKS and FUZZ_SEED.
import { expect, test } from 'vitest';
import { fuzzStacks } from './fuzz-stacks.ts';
import { REACHED } from './reached.ts';

const STACKS = Number(process.env['FUZZ_STACKS'] ?? 2000);
const FIRST_SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const SLICE = 250;
const slices = Array.from({ length: Math.ceil(STACKS / SLICE) }, (_, index) => FIRST_SEED + index * SLICE);
const seen = new Map<string, number>();

test.each(slices)('stacks from seed %i', { timeout: 60_000 }, async (seed) => {
  const count = Math.min(SLICE, FIRST_SEED + STACKS - seed);
  for (const [what, times] of await fuzzStacks(seed, count)) seen.set(what, (seen.get(what) ?? 0) + times);
});

test.runIf(STACKS >= 2000)('reach every verdict of every hook, every kind of operation and every ending', () => {
  const missing = REACHED.filter((what) => !seen.has(what));
  expect(missing).toEqual([]);
});
