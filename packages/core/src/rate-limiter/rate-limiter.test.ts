import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { compose } from '../policy/compose.ts';
import type { Call } from '../policy/policy.ts';
import { policyFrom } from '../policy/policy-from.ts';
import { again, limit, policyOf } from '../policy/test-layers.test-support.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { scriptedOperation } from '../testing/scripted-operation.ts';
import { RateLimitedError } from './rate-limited-error.ts';
import { type RateLimiter, rateLimit } from './rate-limiter.ts';
import type { RateLimitOptions } from './rate-limiter-options.ts';

const time = onVirtualTime();

/** When operations begin that are submitted now. */
const startsOf = (limiter: RateLimiter, count: number, options: object = {}): { starts: number[]; all: Promise<unknown> } => {
  const starts: number[] = [];
  const all = Promise.all(Array.from({ length: count }, () => limiter.execute(() => void starts.push(time.clock.nowMs()), options)));
  return { starts, all };
};

describe('the options', () => {
  test('have defaults', () => {
    expect(rateLimit({ limit: 5, period: '1s' }).describe()).toEqual({
      name: 'rate limit',
      kind: 'rate-limiter',
      options: { algorithm: 'gcra', limit: 5, periodMs: 1000, burst: 1, maxQueue: 1000, overflow: 'reject', adaptive: false, cost: 'none' },
      place: 6,
    });
    const forwarded = { burst: undefined, algorithm: undefined, maxQueue: undefined, cost: undefined, name: undefined };
    expect(rateLimit({ limit: 5, period: 1000, ...forwarded }).describe()).toEqual(rateLimit({ limit: 5, period: '1s' }).describe());
  });

  test.each([
    [{ limit: 0 }, 'rateLimit: limit must be a whole number of at least 1, got 0'],
    [{ limit: -1 }, 'rateLimit: limit must be a whole number of at least 1, got -1'],
    [{ limit: Number.NaN }, 'rateLimit: limit must be a whole number of at least 1, got NaN'],
    [{ limit: undefined }, 'rateLimit: limit must be a whole number of at least 1, got undefined'],
    [{ period: 0 }, /^rateLimit: period must be a finite duration above 0 .*, got 0$/],
    [{ period: Number.POSITIVE_INFINITY }, /^rateLimit: period must be a finite duration above 0 .*, got Infinity$/],
    [{ period: undefined }, /^rateLimit: period must be a finite duration above 0 .*, got undefined$/],
    [{ burst: 0 }, 'rateLimit: burst must be a whole number of at least 1, got 0'],
    [{ burst: 2, algorithm: 'sliding-window' }, /^rateLimit: burst must be left out with algorithm 'sliding-window'.*, got 2$/],
    [{ algorithm: 'token-bucket' }, "rateLimit: algorithm must be one of 'gcra', 'sliding-window', got \"token-bucket\""],
    [{ maxQueue: -1 }, 'rateLimit: maxQueue must be a whole number of at least 0, got -1'],
    [{ maxQueue: Number.POSITIVE_INFINITY }, 'rateLimit: maxQueue must be a whole number of at least 0, got Infinity'],
    [{ cost: 5 }, 'rateLimit: cost must be a text that is not empty, got 5'],
    [{ name: '' }, 'rateLimit: name must be a text that is not empty, got ""'],
    [{ rate: 5 }, /^rateLimit: unknown option "rate"/],
  ])('F2: %j is refused', (wrong, message) => {
    const options = { limit: 5, period: '1s', ...wrong } as RateLimitOptions;
    expect(() => rateLimit(options)).toThrow(message);
    expect(() => rateLimit(options)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });

  test('F2: none at all are refused', () => {
    expect(() => rateLimit(undefined as unknown as RateLimitOptions)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });
});

describe('a call', () => {
  test('P2: starts when its tokens are due, in the order it came', async () => {
    const limiter = rateLimit({ limit: 10, period: '1s', burst: 2 });
    const order: number[] = [];
    const all = Promise.all([0, 1, 2, 3, 4].map((n) => limiter.execute(() => void order.push(n, time.clock.nowMs()))));
    await time.clock.advance('1s');
    await all;
    expect(order).toEqual([0, 0, 1, 0, 2, 100, 3, 200, 4, 300]);
  });

  test('in a sliding window waits until an earlier one is a period old', async () => {
    const limiter = rateLimit({ limit: 2, period: '1s', algorithm: 'sliding-window' });
    const { starts, all } = startsOf(limiter, 5);
    await time.clock.advance('2s');
    await all;
    expect(starts).toEqual([0, 0, 1000, 1000, 2000]);
  });

  test('T4: is refused at once where its wait cannot fit, and gives its place up', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s' });
    await limiter.acquire();
    const refused = await limiter.attempt(() => expect.unreachable(), { timeout: '900ms', name: 'loadUser' });
    expect(refused).toMatchObject({
      ok: false,
      by: 'policy',
      error: { code: 'ERR_RATE_LIMITED', operation: 'loadUser', retryAfterMs: 1000 },
    });
    expect(limiter.statistics()).toMatchObject({ waiting: 0, waitMs: 1000 });
  });

  test('C1, C2: that its caller cancels leaves at once, with the caller’s reason, and its place goes to the next', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s' });
    await limiter.acquire();
    const controller = new AbortController();
    const reason = { mine: true };
    const leaving = limiter.attempt(() => expect.unreachable(), { signal: controller.signal });
    const staying = startsOf(limiter, 1);
    await time.clock.advance(500);
    controller.abort(reason);
    expect(await leaving).toEqual({ ok: false, by: 'caller', error: reason });
    const next = startsOf(limiter, 1);
    await time.clock.advance('2s');
    await Promise.all([staying.all, next.all]);
    expect([staying.starts, next.starts]).toEqual([[1000], [2000]]);
  });

  test('C2: that is cancelled already takes no token', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s' });
    await expect(limiter.acquire(1, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(limiter.tryAcquire()).toBe(true);
  });

  test('R6: takes its tokens anew for each attempt of a retry outside', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s' });
    const starts: number[] = [];
    const policy = compose(again(3, 1), limiter);
    const result = ending(
      policy.execute(() => {
        starts.push(time.clock.nowMs());
        throw new Error('down');
      }),
    );
    await time.clock.advance('3s');
    expect(await result).toMatchObject({ error: { message: 'down' } });
    expect(starts).toEqual([0, 1000, 2000]);
  });

  test('does not lose time of an attempt’s timeout inside while it waits', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s' });
    await limiter.acquire();
    const result = compose(limiter, limit(100)).execute((call) => call.remainingMs());
    await time.clock.advance('1s');
    expect(await result).toBe(100);
  });

  test('says in a later error for how long it waited, and for what', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s' });
    await limiter.acquire();
    const progress = policyOf({ fail: (step, error) => step.reject(`${(error as Error).message}: ${step.progress()}`) });
    const result = ending(compose(progress, limiter).execute(() => Promise.reject(new Error('down'))));
    await time.clock.advance('1s');
    expect(await result).toEqual({ error: 'down: waited 1s for a token' });
  });

  test('P3: goes on in the async context it was made in', async () => {
    const storage = new AsyncLocalStorage<string>();
    const limiter = rateLimit({ limit: 1, period: '1s' });
    const seen = ['a', 'b', 'c'].map((name) => storage.run(name, () => limiter.execute(() => storage.getStore())));
    await storage.run('clock', () => time.clock.advance('3s'));
    expect(await Promise.all(seen)).toEqual(['a', 'b', 'c']);
  });

  test('F1: of any shape comes through as it is', async () => {
    const limiter = rateLimit({ limit: 10, period: '1s', burst: 10 });
    expect(await limiter.execute(() => 'value')).toBe('value');
    await expect(limiter.execute(() => Promise.reject('thrown'))).rejects.toBe('thrown');
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
    expect(await limiter.execute(() => ({ then: (done: (value: string) => void) => done('thenable') }) as unknown as string)).toBe(
      'thenable',
    );
  });

  test('with an impossible cost fails instead of waiting for ever', async () => {
    const limiter = rateLimit({ limit: 100, period: '1s', burst: 10, cost: 'tokens', name: 'model' });
    await expect(limiter.execute(() => expect.unreachable(), { cost: { tokens: 11 } })).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: 'model: cost must be a number from 0 to 10 (raise burst for more), got 11',
    });
    for (const policy of [
      limiter,
      compose(
        policyFrom('stranger', (operation, options) => operation(options.parent as Call)),
        limiter,
      ),
    ]) {
      expect(await policy.attempt(() => expect.unreachable(), { cost: 11 })).toMatchObject({ by: 'caller', error: { code: 'ERR_OPTION' } });
    }
  });

  test('that turns out to cost more is paid for by those who come later', async () => {
    const limiter = rateLimit({ limit: 100, period: '1s', burst: 100, cost: 'tokens' });
    await limiter.execute((call) => call.charge({ tokens: 250 }), { cost: { tokens: 50 } });
    expect(limiter.statistics().waitMs).toBe(1510);
    const { starts, all } = startsOf(limiter, 1, { cost: { tokens: 100 } });
    await time.clock.advance('3s');
    await all;
    expect(starts).toEqual([2500]);
  });
});

describe('a call that turns out to cost less', () => {
  const limiterOf = (): RateLimiter => rateLimit({ limit: 100, period: '1s', burst: 100, cost: 'tokens' });

  test('leaves the difference to those who come later', async () => {
    const limiter = limiterOf();
    await limiter.execute((call) => call.charge({ tokens: 30 }), { cost: { tokens: 100 } });
    expect([limiter.tryAcquire(71), limiter.tryAcquire(70)]).toEqual([false, true]);
  });

  test('by attempt: each attempt of a retry outside is charged for itself', async () => {
    const limiter = limiterOf();
    const result = compose(again(2, 1), limiter).execute(
      (call) => {
        call.charge({ tokens: call.attempt * 10 });
        if (call.attempt === 1) throw new Error('down');
      },
      { cost: { tokens: 40 } },
    );
    await time.clock.advance(1);
    await result;
    expect(limiter.reserve(100)?.waitMs).toBeCloseTo(299, 6); // 10 and 20 were used, and 1 ms has passed since the first
    await time.clock.advance('1s');
  });

  test('gets nothing back once its attempt is over', async () => {
    const limiter = limiterOf();
    const work = scriptedOperation<string>();
    const result = compose(again(2, 1), limiter).execute(work.operation, { cost: { tokens: 50 } });
    const first = await work.expectCall();
    first.reject(new Error('down'));
    await time.clock.advance(1);
    const second = await work.expectCall();
    first.call.charge({ tokens: 1 });
    expect(limiter.statistics().waitMs).toBeCloseTo(9, 6);
    second.resolve('done');
    expect(await result).toBe('done');
  });
});

describe('alone', () => {
  test('tryAcquire takes what can be had now, and never waits', () => {
    const limiter = rateLimit({ limit: 10, period: '1s', burst: 3 });
    expect([limiter.tryAcquire(2), limiter.tryAcquire(2), limiter.tryAcquire()]).toEqual([true, false, true]);
    expect(() => limiter.tryAcquire(4)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });

  test('tryAcquire needs no queue', () => {
    const limiter = rateLimit({ limit: 10, period: '1s', maxQueue: 0 });
    expect([limiter.tryAcquire(), limiter.tryAcquire()]).toEqual([true, false]);
  });

  test('tryAcquire does not overtake those who wait', async () => {
    const limiter = rateLimit({ limit: 10, period: '1s', algorithm: 'sliding-window' });
    await limiter.acquire(6);
    const waiting = limiter.acquire(6);
    await time.clock.settle();
    expect(limiter.tryAcquire(1)).toBe(false);
    await time.clock.advance('1s');
    await waiting;
    expect(limiter.tryAcquire(4)).toBe(true);
  });

  test('acquire waits, and takes its options seriously', async () => {
    const limiter = rateLimit({ limit: 10, period: '1s', burst: 5, name: 'api' });
    await limiter.acquire(5);
    let isDue = false;
    const waiting = limiter.acquire(3).then(() => {
      isDue = true;
    });
    await time.clock.advance(299);
    expect(isDue).toBe(false);
    await time.clock.advance(1);
    await waiting;
    const refused = limiter.acquire(1, { timeout: 50 });
    await expect(refused).rejects.toBeInstanceOf(RateLimitedError);
    await expect(refused).rejects.toThrow(
      /^acquire was refused: api \(10 per 1s\) would let it through in 100ms, but that is beyond the deadline/,
    );
    await expect(limiter.acquire(1, { timeout: 0 })).rejects.toThrow(/^api.acquire: timeout must be a duration above 0/);
    await expect(limiter.acquire(1, { signal: 'stop' as unknown as AbortSignal })).rejects.toThrow(
      'api.acquire: signal must be an AbortSignal',
    );
    await expect(limiter.acquire(1, { wait: 1 } as object)).rejects.toThrow(/^api.acquire: unknown option "wait"/);
    await expect(limiter.acquire(6)).rejects.toThrow(/^api: cost must be a number from 0 to 5/);
    expect(limiter.statistics().waiting).toBe(0);
  });

  test('reserve says how long to wait, and takes nothing beyond maxWait', async () => {
    const limiter = rateLimit({ limit: 1, period: '10s', name: 'api' });
    expect(limiter.reserve()?.waitMs).toBe(0);
    expect(limiter.reserve()?.waitMs).toBe(10_000);
    expect(limiter.reserve(1, { maxWait: '19s' })).toBeUndefined();
    expect(limiter.reserve(1, { maxWait: '20s' })?.waitMs).toBe(20_000);
    expect(limiter.statistics()).toMatchObject({ waiting: 2, waitMs: 30_000 });
    expect(() => limiter.reserve(1, { maxWait: -1 })).toThrow(/^api.reserve: maxWait must be a duration/);
    await time.clock.advance('20s');
  });

  test.each([
    ['gcra', { limit: 10, period: '1s' }],
    ['sliding-window', { limit: 10, period: '1s', algorithm: 'sliding-window' }],
  ] as const)('reserve stays quick behind many who wait, and many reservations (%s)', async (_name, options) => {
    const limiter = rateLimit({ ...options, maxQueue: 4000 });
    const controller = new AbortController();
    const waiting = Array.from({ length: 1000 }, () => ending(limiter.acquire(1, { signal: controller.signal })));
    await time.clock.settle();
    const reserved = Array.from({ length: 1000 }, () => limiter.reserve()); // it took longer than a test may, once
    expect(limiter.statistics().waiting).toBeGreaterThanOrEqual(1980);
    for (const reservation of reserved) reservation?.cancel();
    controller.abort('enough');
    await Promise.all(waiting);
    expect(limiter.statistics().waiting).toBe(0);
  });

  test('reserve is bounded by the queue', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s', maxQueue: 1 });
    expect([limiter.reserve()?.waitMs, limiter.reserve()?.waitMs, limiter.reserve()?.waitMs]).toEqual([0, 1000, undefined]);
    await time.clock.advance('1s');
  });

  test('L2: a reservation is given back once, and only before its time', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s' });
    const first = limiter.reserve();
    first?.cancel(); // its time has come
    const second = limiter.reserve();
    const third = limiter.reserve();
    second?.cancel();
    expect(limiter.reserve()?.waitMs).toBe(1000);
    second?.cancel();
    third?.cancel();
    expect(limiter.statistics().waitMs).toBe(2000);
    await time.clock.advance('1s');
    expect(limiter.statistics()).toMatchObject({ waiting: 0, waitMs: 1000 });
  });

  test('run is execute', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s' });
    await limiter.run(() => {});
    const work = scriptedOperation<string>();
    const result = limiter.run(work.operation, { name: 'loadUser' });
    await time.clock.advance('1s');
    const call = await work.expectCall();
    expect(call.call.name).toBe('loadUser');
    call.resolve('user');
    expect(await result).toBe('user');
  });
});

describe('P5', () => {
  test('close refuses those who wait and those who come later; what was let through runs on', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s', name: 'api' });
    const work = scriptedOperation<string>();
    const running = limiter.execute(work.operation);
    const waiting = [1, 2].map(() => limiter.attempt(() => expect.unreachable()));
    limiter.close();
    limiter.close();
    const closed = { ok: false, by: 'policy', error: { code: 'ERR_CLOSED', message: 'api was closed' } };
    expect(await Promise.all(waiting)).toMatchObject([closed, closed]);
    await expect(limiter.run(() => expect.unreachable(), { name: 'loadUser' })).rejects.toThrow('loadUser was refused: api is closed');
    expect([limiter.tryAcquire(), limiter.reserve()]).toEqual([false, undefined]);
    (await work.expectCall()).resolve('done');
    expect(await running).toBe('done');
    expect(limiter.statistics()).toMatchObject({ waiting: 0, isClosed: true });
  });

  test('drain lets those who wait start, and nobody else in', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s' });
    const { starts, all } = startsOf(limiter, 3);
    let isDrained = false;
    const drained = limiter.drain().then(() => {
      isDrained = true;
    });
    await expect(limiter.acquire()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await time.clock.advance('1s');
    expect(isDrained).toBe(false);
    await time.clock.advance('1s');
    await Promise.all([all, drained]);
    expect(starts).toEqual([0, 1000, 2000]);
  });

  test('drain ends when those who wait have left', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s' });
    await limiter.acquire();
    const controller = new AbortController();
    const leaving = ending(limiter.acquire(1, { signal: controller.signal }));
    const drained = limiter.drain();
    controller.abort('gone');
    await Promise.all([leaving, drained]);
  });
});
