import type { Random } from './random.ts';

/** `Math.random()`: the default wherever no other source was put in its place. */
export const systemRandom: Random = { next: () => Math.random() };
