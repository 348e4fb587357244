import async from 'async';
import pRetry from 'p-retry';
import type { Group } from '../harness/case.ts';
import { returnsTheValue, triesAgain } from '../harness/checks.ts';
import { SHAPES } from '../harness/shapes.ts';
import { cockatielRetry } from './cockatiel.ts';
import { callOf, effectOf, loopOf, withRetry } from './effect.ts';
import { tryAgain } from './hand-written.ts';
import { ourRetry } from './keelson.ts';

export const retryGroup: Group = {
  name: 'retry',
  about: 'a retry, and the work succeeds at once',
  shapes: SHAPES,
  async check(subject) {
    await returnsTheValue(subject);
    await triesAgain(subject);
  },
  subjects: [
    {
      library: 'keelson',
      make(work, settings) {
        const policy = ourRetry(settings);
        return () => policy.execute(work);
      },
    },
    {
      library: 'hand-written',
      make:
        (work, { maxAttempts, baseDelayMs }) =>
        () =>
          tryAgain(work, maxAttempts, baseDelayMs),
    },
    {
      library: 'cockatiel',
      make(work, settings) {
        const policy = cockatielRetry(settings);
        return () => policy.execute(work);
      },
    },
    {
      library: 'async',
      make(work, { maxAttempts, baseDelayMs }) {
        const options = { times: maxAttempts, interval: (attempt: number) => baseDelayMs * 2 ** attempt };
        return () => async.retry(options, async () => await work());
      },
    },
    {
      library: 'p-retry',
      make(work, { maxAttempts, baseDelayMs }) {
        const options = { retries: maxAttempts - 1, minTimeout: baseDelayMs };
        return () => pRetry(() => work(), options);
      },
    },
    { library: 'effect', make: (work, settings) => callOf(withRetry(effectOf(work), settings)) },
    {
      library: 'effect',
      variant: 'inside one fiber',
      make: (work, settings) => callOf(withRetry(effectOf(work), settings)),
      makeLoop: (work, settings) => loopOf(withRetry(effectOf(work), settings)),
    },
  ],
};
