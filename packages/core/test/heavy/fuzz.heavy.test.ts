// A hundred thousand of the stacks of ../fuzz, from another seed on: FUZZ_SEED and FUZZ_STACKS as there.
import { test } from 'vitest';
import { fuzzStacks } from '../fuzz/fuzz-stacks.ts';

const STACKS = Number(process.env['FUZZ_STACKS'] ?? 100_000);
const FIRST_SEED = Number(process.env['FUZZ_SEED'] ?? 1_000_000);
const SLICE = 5000;
const slices = Array.from({ length: Math.ceil(STACKS / SLICE) }, (_, index) => FIRST_SEED + index * SLICE);

test.each(slices)('stacks from seed %i', async (seed) => {
  await fuzzStacks(seed, Math.min(SLICE, FIRST_SEED + STACKS - seed));
});
