import { describe, expect, test } from 'vitest';
import { OUTCOME } from '../outcome/classify.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { type RateLimiter, rateLimit } from './rate-limiter.ts';
import type { RateLimitOptions } from './rate-limiter-options.ts';
import type { RateLimiterSnapshot } from './rate-limiter-snapshot.ts';

const time = onVirtualTime();

const bucket = { limit: 10, period: '1s', burst: 5 } as const satisfies RateLimitOptions;
const window = { limit: 5, period: '1s', algorithm: 'sliding-window' } as const satisfies RateLimitOptions;

/** As another process would read it. */
const written = (limiter: RateLimiter): RateLimiterSnapshot => JSON.parse(JSON.stringify(limiter.snapshot())) as RateLimiterSnapshot;

const restored = (snapshot: RateLimiterSnapshot, options: RateLimitOptions): RateLimiter => {
  const limiter = rateLimit(options);
  limiter.restore(snapshot);
  return limiter;
};

describe('a snapshot', () => {
  test('is frozen and plain, and says what is missing in a bucket', () => {
    const limiter = rateLimit(bucket);
    limiter.tryAcquire(3);
    const snapshot = limiter.snapshot();
    expect(snapshot).toEqual({
      version: 1,
      kind: 'rate-limiter',
      takenAtMs: time.clock.epochMs(),
      algorithm: 'gcra',
      taken: [{ tokens: 3, agoMs: 0 }],
      limitInForce: 10,
      periodMs: 1000,
      pausedMs: 0,
    });
    expect([snapshot, snapshot.taken, snapshot.taken[0]].every((part) => Object.isFrozen(part))).toBe(true);
    expect(written(limiter)).toEqual(snapshot);
  });

  test('of a window says what was taken when; reservations are to come', async () => {
    const limiter = rateLimit(window);
    limiter.tryAcquire(5);
    await time.clock.advance(400);
    limiter.reserve(2);
    expect(limiter.snapshot().taken).toEqual([
      { tokens: 5, agoMs: 400 },
      { tokens: 2, agoMs: -600 },
    ]);
    await time.clock.advance(600);
  });

  test('has no more than a thousand entries: neighbours count from the last of them', async () => {
    const limiter = rateLimit({ ...window, limit: 2500 });
    for (let i = 0; i < 250; i++) {
      await time.clock.advance(1);
      for (let j = 0; j < 10; j++) limiter.tryAcquire();
    }
    const { taken } = limiter.snapshot();
    expect(taken.length).toBeLessThanOrEqual(1000);
    expect(taken.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(2500);
    expect([taken[0], taken.at(-1)]).toEqual([
      { tokens: 3, agoMs: 249 },
      { tokens: 1, agoMs: 0 },
    ]);
  });

  test('of a fresh limiter is empty', () => {
    expect([rateLimit(bucket).snapshot().taken, rateLimit(window).snapshot().taken]).toEqual([[], []]);
  });
});

describe.each([
  ['gcra', bucket, 500],
  ['sliding-window', window, 1000],
] as const)('restoring %s', (_name, options, fullMs) => {
  test('L1: what was taken before still counts', async () => {
    const limiter = rateLimit(options);
    limiter.tryAcquire(5);
    const snapshot = written(limiter);
    expect(restored(snapshot, options).statistics().waitMs).toBe(options === bucket ? 100 : 1000);
    await time.clock.advance(fullMs - 1);
    expect(restored(snapshot, options).tryAcquire(5)).toBe(false);
    await time.clock.advance(1.001); // dates since 1970 are no finer
    expect(restored(snapshot, options).tryAcquire(5)).toBe(true);
  });

  test('counts what the limiter has taken itself, too', () => {
    const limiter = rateLimit(options);
    limiter.tryAcquire(2);
    const next = rateLimit(options);
    next.tryAcquire(2);
    next.restore(written(limiter));
    expect([next.tryAcquire(2), next.tryAcquire(1)]).toEqual([false, true]);
  });

  test('paces those who wait anew', async () => {
    const limiter = rateLimit(options);
    limiter.tryAcquire(5);
    const next = rateLimit(options);
    next.tryAcquire(5);
    const waiting = next.execute(() => time.clock.nowMs(), { cost: 5 });
    await time.clock.advance(100);
    next.restore(written(limiter));
    await time.clock.advance(1000);
    expect(await waiting).toBeCloseTo(options === bucket ? 900 : 1000, 3);
  });

  test('of reservations keeps them', async () => {
    const limiter = rateLimit(options);
    limiter.tryAcquire(5);
    limiter.reserve(2);
    const next = restored(written(limiter), options);
    expect(next.statistics().waiting).toBe(1);
    await time.clock.advance('1s');
    expect(next.statistics().waiting).toBe(0);
  });

  test('a date that lies ahead is now', () => {
    const limiter = rateLimit(options);
    limiter.tryAcquire(5);
    const next = restored({ ...written(limiter), takenAtMs: time.clock.epochMs() + 1e9 }, options);
    expect(next.tryAcquire()).toBe(false);
  });

  test('nothing lasts longer than the options allow', async () => {
    const empty = written(rateLimit(options));
    const taken = [
      { tokens: 1e12, agoMs: 0 },
      { tokens: 1, agoMs: -1e12 },
    ];
    const next = restored({ ...empty, taken }, { ...options, maxQueue: 2 });
    expect(next.statistics().waiting).toBe(1);
    expect(next.statistics().waitMs).toBeLessThanOrEqual(options === bucket ? 1100 : 1000);
    await time.clock.advance(3 * fullMs);
    expect(next.statistics().waiting).toBe(0);
  });
});

test('a debt is restored, too, up to what comes due in a period', async () => {
  const options = { ...bucket, cost: 'tokens' };
  const limiter = rateLimit(options);
  await limiter.execute((call) => call.charge({ tokens: 12 }));
  expect(restored(written(limiter), options).statistics().waitMs).toBeCloseTo(800, 3);
  await limiter.execute((call) => call.charge({ tokens: 1000 }), { cost: 0 });
  expect(restored(written(limiter), options).statistics().waitMs).toBeCloseTo(1100, 3);
});

describe('an adaptive limiter', () => {
  const options = { ...bucket, adaptive: true };

  test('goes on with a pause', async () => {
    const limiter = rateLimit(options);
    await ending(
      limiter.execute(() => Promise.reject(Object.assign(new Error('busy'), { [OUTCOME]: { kind: 'throttled', retryAfterMs: 5000 } }))),
    );
    const snapshot = written(limiter);
    expect(snapshot.pausedMs).toBe(5000);
    await time.clock.advance('2s');
    expect(restored(snapshot, options).statistics().pausedMs).toBeCloseTo(3000, 3);
    expect(restored(snapshot, bucket).statistics().pausedMs).toBe(0);
  });

  test('goes on with a lowered limit, which recovers, and never with a raised one', async () => {
    const limiter = rateLimit(options);
    await ending(limiter.execute(() => Promise.reject(Object.assign(new Error('busy'), { [OUTCOME]: { kind: 'throttled' } }))));
    const { limitInForce } = limiter.statistics();
    expect(limitInForce).toBeLessThan(10);
    const next = restored(written(limiter), options);
    expect(next.statistics().limitInForce).toBeCloseTo(limitInForce, 9);
    expect(restored(written(limiter), { ...options, limit: 20, period: '2s' }).statistics().limitInForce).toBeCloseTo(2 * limitInForce, 9);
    expect(restored({ ...written(limiter), limitInForce: 1e9 }, options).statistics().limitInForce).toBe(10);
    await time.clock.advance('1m');
    await next.execute(() => {});
    expect(next.statistics().limitInForce).toBe(10);
  });
});

test.each<[object | null, string | RegExp]>([
  [null, 'rateLimit.restore: snapshot must be what snapshot() gave, got null'],
  [{ version: 2 }, 'rateLimit.restore: version must be 1, got 2'],
  [{ kind: 'bulkhead' }, 'rateLimit.restore: kind must be "rate-limiter", got "bulkhead"'],
  [{ takenAtMs: 'today' }, /^rateLimit.restore: takenAtMs must be a date/],
  [{ algorithm: 'sliding-window' }, "rateLimit.restore: algorithm must be 'gcra', as this limiter's, got \"sliding-window\""],
  [{ algorithm: 'leaky' }, /^rateLimit.restore: algorithm must be one of/],
  [{ taken: undefined }, /^rateLimit.restore: taken must be a list of { tokens, agoMs }, got undefined/],
  [{ taken: [{ tokens: -1, agoMs: 0 }] }, /^rateLimit.restore: taken must be/],
  [{ taken: [{ tokens: 1 }] }, /^rateLimit.restore: taken must be/],
  [{ taken: [null] }, /^rateLimit.restore: taken must be/],
  [{ limitInForce: 0 }, 'rateLimit.restore: limitInForce must be a number above 0, got 0'],
  [{ periodMs: null }, 'rateLimit.restore: periodMs must be a number above 0, got null'],
  [{ pausedMs: -1 }, 'rateLimit.restore: pausedMs must be a number of at least 0, got -1'],
  [{ more: 1 }, /^rateLimit.restore: unknown option "more"/],
])('F2: what is no snapshot is refused, and nothing changes: %j', (wrong, message) => {
  const limiter = rateLimit(bucket);
  const snapshot = wrong === null ? null : { ...written(limiter), taken: [{ tokens: 5, agoMs: 0 }], ...wrong };
  expect(() => limiter.restore(snapshot as RateLimiterSnapshot)).toThrow(message);
  expect(() => limiter.restore(snapshot as RateLimiterSnapshot)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  expect(limiter.tryAcquire(5)).toBe(true);
});
