import { Swappable } from '../collections/swappable.ts';
import { type Check, withMethods } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import type { Random } from './random.ts';
import { systemRandom } from './system-random.ts';

const sources = new Swappable<Random>(systemRandom);

/** A {@link Random}, by what it can do. */
export const randomCheck: Check = withMethods('a Random', 'next');

/** The source of chance for everything outside a scope; read at each call, never kept. */
export function defaultRandom(): Random {
  return sources.current;
}

/**
 * Makes `random` the default of the process until it is disposed, and returns the same object: `using random = useRandom(seededRandom(1))`.
 *
 * Nests; the one put in last of those not disposed yet counts. Disposing twice is harmless. Throws ERR_OPTION for what is no source of chance.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { listen, useRandom, withRetry } from 'keelson';
 *
 * using random = useRandom({ next: () => 0 });
 * using listening = listen('retry', (event) => assert.equal(event.type, 'retrying'));
 * let calls = 0;
 * await withRetry(() => { if (++calls < 3) throw new Error('not yet'); }, { maxAttempts: 3, baseDelay: '1h', jitter: 'full' });
 * assert.equal(calls, 3); // full jitter draws from [0, baseDelay), and chance says 0
 */
export function useRandom<R extends Random>(random: R): R & Disposable {
  if (!randomCheck.accepts(random)) throw optionError('useRandom', 'random', random, randomCheck.expected);
  return sources.use(random);
}
