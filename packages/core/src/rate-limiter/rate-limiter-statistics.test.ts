import { describe, expect, test } from 'vitest';
import { watchLive } from '../observe/live.ts';
import { OUTCOME } from '../outcome/classify.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { rateLimit } from './rate-limiter.ts';

const time = onVirtualTime();

describe('statistics', () => {
  test('are frozen and plain, and only look', async () => {
    const limiter = rateLimit({ limit: 2, period: '1s', name: 'api', maxQueue: 5 });
    await limiter.acquire();
    const waiting = limiter.acquire();
    await time.clock.settle();
    const statistics = limiter.statistics();
    expect(Object.isFrozen(statistics)).toBe(true);
    expect(JSON.parse(JSON.stringify(statistics))).toEqual({
      name: 'api',
      algorithm: 'gcra',
      limit: 2,
      periodMs: 1000,
      burst: 1,
      limitInForce: 2,
      pausedMs: 0,
      remaining: null,
      waiting: 1,
      oldestWaitMs: 0,
      refused: 0,
      dropped: 0,
      maxQueue: 5,
      waitMs: 1000,
      isClosed: false,
    });
    expect(limiter.statistics()).toEqual(statistics);
    await time.clock.advance('1s');
    await waiting;
  });

  test('are seen by whoever looks', () => {
    using live = watchLive();
    const limiter = rateLimit({ limit: 1, period: '1s' });
    expect(live.objects()).toContain(limiter);
  });

  test('count who was refused, and say how long the first has waited', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s', maxQueue: 1 });
    await limiter.acquire();
    const waiting = limiter.acquire();
    await ending(limiter.acquire());
    await time.clock.advance(400);
    await ending(limiter.acquire(1, { timeout: 100 }));
    expect(limiter.statistics()).toMatchObject({ refused: 2, dropped: 0, oldestWaitMs: 400, waiting: 1 });
    await time.clock.advance(600);
    await waiting;
    await ending(limiter.acquire(1, { timeout: 100 }));
    expect(limiter.statistics()).toMatchObject({ refused: 3, oldestWaitMs: null });
  });

  test('of a sliding window have no burst', () => {
    expect(rateLimit({ limit: 3, period: '1s', algorithm: 'sliding-window' }).statistics()).toMatchObject({ burst: null, limit: 3 });
  });

  test('of an adaptive limiter say what its callee has said', async () => {
    const limiter = rateLimit({ limit: 100, period: '1s', burst: 100, adaptive: true });
    const outcome = { kind: 'throttled', retryAfterMs: 300, quotas: [{ remaining: 7, resetMs: 1000, limit: 50, periodMs: 1000 }] };
    await limiter.execute(() => ({ [OUTCOME]: outcome }));
    expect(limiter.statistics()).toMatchObject({ limit: 100, limitInForce: 50, pausedMs: 300, remaining: 7, waitMs: 300 });
  });
});
