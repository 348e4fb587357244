import PQueue from 'p-queue';
import pThrottle from 'p-throttle';
import type { Group } from '../harness/case.ts';
import { limitsTheRate, returnsTheValue } from '../harness/checks.ts';
import { SHAPES } from '../harness/shapes.ts';
import { callOf, effectOf, loopOf, makeRateLimiter } from './effect.ts';
import { ourRateLimit } from './keelson.ts';

export const rateLimitGroup: Group = {
  name: 'rate limit',
  about: 'a limit of rate that is never reached',
  shapes: SHAPES,
  async check(subject) {
    await returnsTheValue(subject);
    await limitsTheRate(subject);
  },
  subjects: [
    {
      library: 'keelson',
      make(work, settings) {
        const policy = ourRateLimit(settings);
        return () => policy.execute(work);
      },
    },
    {
      library: 'p-throttle',
      make(work, { limit, periodMs }) {
        const throttled = pThrottle({ limit, interval: periodMs })(() => work());
        return () => throttled();
      },
    },
    {
      library: 'p-queue',
      make(work, { limit, periodMs }) {
        const queue = new PQueue({ intervalCap: limit, interval: periodMs });
        return () => queue.add(() => work());
      },
    },
    { library: 'effect', make: async (work, settings) => callOf((await makeRateLimiter(settings))(effectOf(work))) },
    {
      library: 'effect',
      variant: 'inside one fiber',
      make: async (work, settings) => callOf((await makeRateLimiter(settings))(effectOf(work))),
      makeLoop: async (work, settings) => loopOf((await makeRateLimiter(settings))(effectOf(work))),
    },
  ],
};
