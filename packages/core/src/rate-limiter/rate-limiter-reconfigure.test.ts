import { describe, expect, test } from 'vitest';
import { OUTCOME } from '../outcome/classify.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { type RateLimiter, rateLimit } from './rate-limiter.ts';
import type { RateLimitChanges } from './rate-limiter-options.ts';

const time = onVirtualTime();

/** When operations begin that are submitted now. */
const startsOf = (limiter: RateLimiter, costs: readonly number[]): { starts: number[]; all: Promise<unknown> } => {
  const starts: number[] = [];
  const all = Promise.all(costs.map((cost) => limiter.execute(() => void starts.push(time.clock.nowMs()), { cost })));
  return { starts, all };
};

describe('reconfigure', () => {
  test('paces those who wait anew, in order, and counts what was taken before', async () => {
    const limiter = rateLimit({ limit: 1, period: '10s' });
    const { starts, all } = startsOf(limiter, [1, 1, 1, 1]);
    await time.clock.advance('1s');
    limiter.reconfigure({ limit: 10, period: '1s' });
    expect(limiter.statistics()).toMatchObject({ limit: 10, periodMs: 1000, limitInForce: 10, waiting: 3, waitMs: 390 });
    await time.clock.advance('1s');
    await all;
    expect(starts).toEqual([0, 1090, 1190, 1290]); // 0.9 of a token was missing after a second
  });

  test('to a lower limit holds back those who were just due', async () => {
    const limiter = rateLimit({ limit: 10, period: '1s' });
    const { starts, all } = startsOf(limiter, [1, 1, 1]);
    limiter.reconfigure({ limit: 1 });
    await time.clock.advance('2s');
    await all;
    expect(starts).toEqual([0, 1000, 2000]);
  });

  test('of a sliding window', async () => {
    const limiter = rateLimit({ limit: 2, period: '1s', algorithm: 'sliding-window' });
    const { starts, all } = startsOf(limiter, [1, 1, 1, 1, 1]);
    limiter.reconfigure({ limit: 3 });
    await time.clock.advance('1s');
    await all;
    expect(starts).toEqual([0, 0, 0, 1000, 1000]);
  });

  test('changes only what is given, and undefined is not', () => {
    const limiter = rateLimit({ limit: 10, period: '1s', burst: 5, maxQueue: 7 });
    const before = limiter.describe();
    limiter.reconfigure();
    limiter.reconfigure({ limit: undefined, burst: undefined });
    expect(limiter.describe()).toEqual(before);
    limiter.reconfigure({ maxQueue: 2, overflow: 'dropOldest' });
    expect(limiter.describe().options).toEqual({ ...before.options, maxQueue: 2, overflow: 'dropOldest' });
  });

  test.each<[RateLimitChanges, string | RegExp]>([
    [{ limit: 0 }, 'api.reconfigure: limit must be a whole number of at least 1, got 0'],
    [{ period: Number.POSITIVE_INFINITY }, /^api.reconfigure: period must be a finite duration above 0/],
    [{ burst: 1.5 }, 'api.reconfigure: burst must be a whole number of at least 1, got 1.5'],
    [{ name: 'other' } as object, 'api.reconfigure: name must be left out: it cannot change, got "other"'],
    [{ algorithm: 'gcra' } as object, 'api.reconfigure: algorithm must be left out: it cannot change, got "gcra"'],
    [{ cost: 'tokens' } as object, /^api.reconfigure: cost must be left out/],
    [{ adaptive: true } as object, /^api.reconfigure: adaptive must be left out/],
    [{ rate: 1 } as object, /^api.reconfigure: unknown option "rate"/],
    [5 as unknown as object, 'api.reconfigure: options must be an object, got 5'],
  ])('F2: %j is refused, and nothing changes', (changes, message) => {
    const limiter = rateLimit({ limit: 10, period: '1s', name: 'api' });
    const before = limiter.describe();
    const reconfigure = (): void => limiter.reconfigure({ maxQueue: 1, ...changes });
    expect(typeof changes === 'object' ? reconfigure : () => limiter.reconfigure(changes)).toThrow(message);
    expect(limiter.describe()).toEqual(before);
  });

  test('F2: what does not go together with what it has is refused', () => {
    const limiter = rateLimit({ limit: 10, period: '1s', algorithm: 'sliding-window' });
    expect(() => limiter.reconfigure({ burst: 2 })).toThrow(
      /^rate limit.reconfigure: burst must be left out with algorithm 'sliding-window'/,
    );
  });

  test('drops who could never start any more, and the others move up', async () => {
    const limiter = rateLimit({ limit: 10, period: '1s', burst: 5, name: 'api' });
    await limiter.acquire(5);
    const ends = [5, 2, 3, 1].map((cost) => ending(limiter.execute(() => time.clock.nowMs(), { cost })));
    limiter.reconfigure({ burst: 2 });
    const dropped = { error: { code: 'ERR_OPTION', message: 'api: cost must be a number from 0 to 2 (raise burst for more), got 5' } };
    expect(await ends[0]).toMatchObject(dropped);
    await time.clock.advance('1s');
    expect(await Promise.all(ends)).toMatchObject([dropped, { value: 500 }, { error: { code: 'ERR_OPTION' } }, { value: 600 }]);
    expect(limiter.statistics()).toMatchObject({ dropped: 2, waiting: 0 });
  });

  test('where fewer may wait than do, drops the first with dropOldest, and nobody with reject', async () => {
    for (const overflow of ['reject', 'dropOldest'] as const) {
      const limiter = rateLimit({ limit: 1, period: '1s', maxQueue: 3 });
      await limiter.acquire();
      const ends = ['a', 'b', 'c'].map((name) => ending(limiter.execute(() => name, { name })));
      limiter.reconfigure({ maxQueue: 1, overflow });
      expect(limiter.statistics().waiting).toBe(overflow === 'reject' ? 3 : 1);
      const newcomer = ending(limiter.execute(() => 'd', { name: 'd' }));
      await time.clock.advance('4s');
      const results = await Promise.all([...ends, newcomer]);
      const started = results.map((end) => ('value' in end ? end.value : 'dropped'));
      expect(started).toEqual(overflow === 'reject' ? ['a', 'b', 'c', 'dropped'] : ['dropped', 'dropped', 'dropped', 'd']);
      const message = /^a was dropped after 0ms in the queue of rate limit \(1 per 1s\): maxQueue was lowered to 1;/;
      if (overflow === 'dropOldest') expect(results[0]).toMatchObject({ error: { message: expect.stringMatching(message) } });
    }
  });

  test('leaves reservations as they were promised', async () => {
    const limiter = rateLimit({ limit: 10, period: '1s' });
    limiter.reserve();
    expect(limiter.reserve()?.waitMs).toBe(100);
    limiter.reconfigure({ limit: 1 });
    expect(limiter.statistics()).toMatchObject({ waiting: 1, waitMs: 2000 });
    await time.clock.advance('2s');
  });

  test('of an adaptive limiter leaves a lowered rate what it is', async () => {
    const limiter = rateLimit({ limit: 100, period: '1s', burst: 100, adaptive: true });
    const quotas = [{ remaining: 1000, resetMs: 5, limit: 10, periodMs: 1000 }];
    await limiter.execute(() => ({ [OUTCOME]: { kind: 'ok', quotas } }));
    expect(limiter.statistics().limitInForce).toBe(10);
    limiter.reconfigure({ limit: 50 });
    expect(limiter.statistics().limitInForce).toBe(10);
    limiter.reconfigure({ limit: 5 });
    expect(limiter.statistics().limitInForce).toBe(5);
  });
});
