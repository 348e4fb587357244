import { optionError } from '../errors/option-error.ts';
import type { Random } from './random.ts';

/** Draws after which the three words of the seed have mixed; as in PractRand for a seed of 64 bits. */
const MIXING_DRAWS = 12;

/**
 * A source of chance that gives the same numbers for the same seed, for tests and simulations; never for secrets.
 *
 * Algorithm: sfc32 by Chris Doty-Humphrey, seeded as in his test suite PractRand (pracrand.sourceforge.net); 32 random bits a number, period
 * at least 2^32, 2^127 on average. `seed` is a whole number from 0 to 2^53-1; anything else throws ERR_OPTION.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { seededRandom } from 'keelson';
 *
 * const one = seededRandom(42);
 * const two = seededRandom(42);
 * assert.equal(one.next(), two.next());
 */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0) throw optionError('seededRandom', 'seed', seed, 'a whole number from 0 to 2^53-1');
  let a = 0;
  let b = seed | 0;
  let c = Math.floor(seed / 2 ** 32) | 0;
  let counter = 1;

  const draw = (): number => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (result + ((c << 21) | (c >>> 11))) | 0;
    return result >>> 0;
  };
  for (let i = 0; i < MIXING_DRAWS; i++) draw();
  return { next: () => draw() / 2 ** 32 };
}
