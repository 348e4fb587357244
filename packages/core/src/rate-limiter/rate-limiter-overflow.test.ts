import { describe, expect, test } from 'vitest';
import { listen } from '../observe/events.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { rateLimit } from './rate-limiter.ts';
import type { RateLimitOptions } from './rate-limiter-options.ts';

const time = onVirtualTime();

const slow = { limit: 1, period: '1s', maxQueue: 2, overflow: 'dropOldest', name: 'api' } as const;

describe('L3: dropOldest', () => {
  test('drops who has waited longest for whoever comes, with an error and an event', async () => {
    const limiter = rateLimit(slow);
    const events: unknown[] = [];
    using _listening = listen('rate-limiter', (event) => void (event.type === 'rejected' && events.push(event)));
    await limiter.acquire();
    const starts: string[] = [];
    const [oldest, ...others] = ['a', 'b', 'c'].map((name) =>
      ending(limiter.execute(() => starts.push(`${name} ${time.clock.nowMs()}`), { name })),
    );
    const ended = await oldest;
    expect(ended).toMatchObject({ error: { code: 'ERR_RATE_LIMITED', operation: 'a', policy: 'api', retryAfterMs: 3000 } });
    expect(ended).toMatchObject({
      error: {
        message:
          'a was dropped after 0ms in the queue of api (1 per 1s): a newer call took its place; raise limit or maxQueue, or slow the callers',
      },
    });
    expect(events).toMatchObject([{ operation: 'a', error: (ended as { error: unknown }).error }]);
    expect(limiter.statistics()).toMatchObject({ waiting: 2, dropped: 1, refused: 0 });
    await time.clock.advance('2s');
    await Promise.all(others);
    expect(starts).toEqual(['b 1000', 'c 2000']);
  });

  test('T4: drops nobody for a call that could not wait so long anyway, as if the oldest had gone', async () => {
    const limiter = rateLimit(slow);
    await limiter.acquire();
    const waiting = [1, 2].map(() => ending(limiter.acquire()));
    await time.clock.settle();
    const refused = limiter.attempt(() => {}, { timeout: 2000, name: 'late' });
    expect(await refused).toMatchObject({ by: 'policy', error: { operation: 'late', retryAfterMs: 2000 } });
    expect(limiter.statistics()).toMatchObject({ waiting: 2, dropped: 0, refused: 1 });
    const fits = limiter.attempt(() => time.clock.nowMs(), { timeout: 2001 });
    await time.clock.advance('2s');
    expect(await fits).toEqual({ ok: true, value: 2000 });
    await Promise.all(waiting);
  });

  test('drops one who has been called and has not started', async () => {
    const limiter = rateLimit({ ...slow, maxQueue: 1 });
    await limiter.acquire();
    let newest: Promise<unknown> | undefined;
    time.clock.schedule(1000, () => {
      limiter.reconfigure(); // calls whoever is due
      newest = ending(limiter.execute(() => time.clock.nowMs()));
    });
    const oldest = ending(limiter.acquire());
    await time.clock.advance('1s');
    expect(await oldest).toMatchObject({ error: { code: 'ERR_RATE_LIMITED' } });
    expect(await newest).toEqual({ value: 1000 });
    expect(limiter.statistics()).toMatchObject({ waiting: 0, dropped: 1 });
  });

  test('has nobody to drop where nobody may wait, or where all places are reserved', async () => {
    const none = rateLimit({ ...slow, maxQueue: 0 });
    await none.acquire();
    expect(await none.attempt(() => {})).toMatchObject({ by: 'policy' });
    const reserved = rateLimit({ ...slow, maxQueue: 1 });
    reserved.reserve();
    reserved.reserve();
    expect(await reserved.attempt(() => {})).toMatchObject({ by: 'policy', error: { code: 'ERR_RATE_LIMITED' } });
    await time.clock.advance('1s');
  });

  test('of a sliding window moves the others up by what the dropped one cost', async () => {
    const limiter = rateLimit({ limit: 3, period: '1s', algorithm: 'sliding-window', maxQueue: 2, overflow: 'dropOldest' });
    await limiter.acquire(3);
    const starts: number[] = [];
    const calls = [3, 1, 2].map((cost) => ending(limiter.execute(() => starts.push(time.clock.nowMs()), { cost })));
    expect(await calls[0]).toMatchObject({ error: { code: 'ERR_RATE_LIMITED' } });
    await time.clock.advance('1s');
    await Promise.all(calls);
    expect(starts).toEqual([1000, 1000]);
  });
});

test.each(['dropNewest', 'suspend'])('F2: %s makes no sense here, and the error says why', (overflow) => {
  const options = { limit: 1, period: '1s', overflow } as unknown as RateLimitOptions;
  expect(() => rateLimit(options)).toThrow(
    `rateLimit: overflow must be one of 'reject', 'dropOldest' (not 'dropNewest': the newest is who comes, which is 'reject'; not 'suspend': who waits is suspended, and maxQueue says how many may be), got "${overflow}"`,
  );
});
