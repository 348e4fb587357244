import { promisify } from 'node:util';
import async, { type AsyncFunction } from 'async';
import pTimeout from 'p-timeout';
import type { Group } from '../harness/case.ts';
import { returnsTheValue, timesOut } from '../harness/checks.ts';
import { SHAPES } from '../harness/shapes.ts';
import { asAsyncFunction } from './async.ts';
import { cockatielTimeout, tunedCockatielTimeout } from './cockatiel.ts';
import { callOf, effectOf, loopOf, withTimeout } from './effect.ts';
import { endAfter } from './hand-written.ts';
import { ourTimeout } from './keelson.ts';

export const timeoutGroup: Group = {
  name: 'timeout',
  about: 'a timeout of a minute that never comes',
  shapes: SHAPES,
  async check(subject) {
    await returnsTheValue(subject);
    await timesOut(subject);
  },
  subjects: [
    {
      library: 'keelson',
      make(work, settings) {
        const policy = ourTimeout(settings);
        return () => policy.execute(work);
      },
    },
    {
      library: 'hand-written',
      make:
        (work, { timeoutMs }) =>
        () =>
          endAfter(work, timeoutMs),
    },
    {
      library: 'cockatiel',
      make(work, settings) {
        const policy = cockatielTimeout(settings);
        return () => policy.execute(work);
      },
    },
    {
      library: 'cockatiel',
      variant: 'tuned',
      make(work, settings) {
        const policy = tunedCockatielTimeout(settings);
        return () => policy.execute(work);
      },
    },
    {
      library: 'async',
      make(work, { timeoutMs }) {
        const limited = async.timeout(asAsyncFunction<AsyncFunction<number>>(work), timeoutMs);
        return promisify(limited);
      },
    },
    {
      library: 'p-timeout',
      make:
        (work, { timeoutMs }) =>
        () =>
          pTimeout(work(), { milliseconds: timeoutMs }),
    },
    {
      library: 'p-timeout',
      variant: 'tuned',
      make(work, { timeoutMs }) {
        const options = { milliseconds: timeoutMs, message: new Error('timed out') };
        return () => pTimeout(work(), options);
      },
    },
    { library: 'effect', make: (work, settings) => callOf(withTimeout(effectOf(work), settings)) },
    {
      library: 'effect',
      variant: 'inside one fiber',
      make: (work, settings) => callOf(withTimeout(effectOf(work), settings)),
      makeLoop: (work, settings) => loopOf(withTimeout(effectOf(work), settings)),
    },
  ],
};
