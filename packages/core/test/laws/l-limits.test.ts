import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BulkheadOptions, bulkhead } from '../../src/bulkhead/bulkhead.ts';
import { isKeelsonError } from '../../src/errors/keelson-error.ts';
import { compose } from '../../src/policy/compose.ts';
import type { Call, ExecuteOptions, Policy } from '../../src/policy/policy.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { type RateLimiter, rateLimit } from '../../src/rate-limiter/rate-limiter.ts';
import type { RateLimitOptions } from '../../src/rate-limiter/rate-limiter-options.ts';
import { useClock } from '../../src/time/current-clock.ts';
import { timeout } from '../../src/timeout/timeout.ts';
import { LateClock } from '../support/late-clock.ts';
import { failIn, inTime } from '../support/work.ts';
import { stranger, threeAttempts } from './orders.ts';

const time = onVirtualTime();
type AnyPolicy = Policy<unknown, unknown>;

/** Where a limiter may stand. */
const places: readonly (readonly [string, (limiter: RateLimiter) => AnyPolicy])[] = [
  ['alone', (limiter) => limiter],
  ['inside a retry', (limiter) => compose(threeAttempts(), limiter)],
  ['inside a bulkhead, around a timeout', (limiter) => compose(bulkhead({ maxConcurrency: 3 }), limiter, timeout(20))],
  ['between strangers', (limiter) => compose(stranger(), limiter, stranger())],
];

/** What happens: calls at some times, of which some fail, some are given up, some take long. */
const calls = fc.array(
  fc.record({
    atMs: fc.integer({ min: 0, max: 2000 }),
    takesMs: fc.integer({ min: 0, max: 50 }),
    fails: fc.boolean(),
    leavesMs: fc.option(fc.integer({ min: 0, max: 500 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 40 },
);
type Calls = typeof calls extends fc.Arbitrary<infer T> ? T : never;

/** When attempts were let through. */
async function startsOf(limiter: RateLimiter, around: (limiter: RateLimiter) => AnyPolicy, plan: Calls): Promise<number[]> {
  const { clock } = time;
  const policy = around(limiter);
  const starts: number[] = [];
  const results: Promise<unknown>[] = [];
  for (const { atMs, takesMs, fails, leavesMs } of plan) {
    clock.schedule(atMs, () => {
      const controller = new AbortController();
      if (leavesMs !== undefined) clock.schedule(leavesMs, () => controller.abort('gone'));
      const operation = (): Promise<unknown> => {
        starts.push(clock.nowMs());
        return fails ? failIn(takesMs, new Error('down')) : inTime(takesMs, 1);
      };
      results.push(ending(policy.execute(operation, { signal: controller.signal })));
    });
  }
  await clock.advance('1h');
  await Promise.all(results);
  return starts;
}

describe.each(places)('L1 %s', (_name, around) => {
  test('gcra lets at most burst + W * limit / period through in any window W', async () => {
    const limits = fc.record({ limit: fc.integer({ min: 1, max: 20 }), burst: fc.integer({ min: 1, max: 5 }) });
    await fc.assert(
      fc.asyncProperty(limits, calls, async ({ limit, burst }, plan) => {
        const limiter = rateLimit({ limit, burst, period: '1s' });
        const starts = await startsOf(limiter, around, plan);
        for (let first = 0; first < starts.length; first++) {
          for (let last = first; last < starts.length; last++) {
            const windowMs = (starts[last] as number) - (starts[first] as number);
            expect(last - first + 1).toBeLessThanOrEqual(burst + (windowMs * limit) / 1000 + 1e-6);
          }
        }
      }),
      { numRuns: 40, seed: 20_261_121 },
    );
  });

  test('a sliding window lets at most limit through in any period', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 10 }), calls, async (limit, plan) => {
        const limiter = rateLimit({ limit, period: 300, algorithm: 'sliding-window' });
        const starts = await startsOf(limiter, around, plan);
        for (let first = 0; first + limit < starts.length; first++) {
          expect((starts[first + limit] as number) - (starts[first] as number)).toBeGreaterThanOrEqual(300 - 1e-6);
        }
      }),
      { numRuns: 40, seed: 20_261_121 },
    );
  });
});

/** When calls start that all come at once, on a clock whose timers are late, if every so many of them keep the event loop busy. */
async function lateStarts(policy: AnyPolicy, seed: number, busyMs: number): Promise<number[]> {
  using clock = useClock(new LateClock(seed, 5));
  const starts: number[] = [];
  const results = Array.from({ length: 60 }, (_, index) =>
    policy.execute(() => {
      starts.push(clock.nowMs());
      if (index % 7 === 3) clock.keepBusy(busyMs);
    }),
  );
  await clock.advance(60_000);
  await Promise.all(results);
  return starts;
}

/** Where nothing of a stranger's stands between the limiter and the operation, which could hold back what was let through. */
const strangerFree: typeof places = [...places.slice(0, 3), ['inside a stranger', (limiter) => compose(stranger(), limiter)]];

describe.each(strangerFree)('L1 on a clock that wakes late, and an event loop that is kept busy, %s', (_name, around) => {
  const circumstances = fc.record({ seed: fc.nat(), busyMs: fc.integer({ min: 0, max: 300 }) });

  test('gcra holds for when calls really start', async () => {
    await fc.assert(
      fc.asyncProperty(circumstances, fc.integer({ min: 1, max: 5 }), async ({ seed, busyMs }, burst) => {
        const starts = await lateStarts(around(rateLimit({ limit: 50, burst, period: '1s' })), seed, busyMs);
        expect(starts).toHaveLength(60);
        for (const [first, fromMs] of starts.entries()) {
          for (let last = first; last < starts.length; last++) {
            const windowMs = (starts[last] as number) - fromMs;
            expect(last - first + 1).toBeLessThanOrEqual(burst + (windowMs * 50) / 1000 + 1e-4);
          }
        }
      }),
      { numRuns: 20, seed: 20_261_128 },
    );
  });

  test('a sliding window holds for when calls really start', async () => {
    await fc.assert(
      fc.asyncProperty(circumstances, async ({ seed, busyMs }) => {
        const starts = await lateStarts(around(rateLimit({ limit: 5, period: 100, algorithm: 'sliding-window' })), seed, busyMs);
        expect(starts).toHaveLength(60);
        for (let first = 0; first + 5 < starts.length; first++) {
          expect((starts[first + 5] as number) - (starts[first] as number)).toBeGreaterThanOrEqual(100 - 1e-4);
        }
      }),
      { numRuns: 20, seed: 20_261_128 },
    );
  });
});

test('L1 by default calls are spaced evenly, and a thousand may wait', async () => {
  const limiter = rateLimit({ limit: 1000, period: '1s' });
  const starts: number[] = [];
  const results = Array.from({ length: 1002 }, () => ending(limiter.execute(() => starts.push(time.clock.nowMs()))));
  expect(limiter.statistics()).toMatchObject({ waiting: 1000, maxQueue: 1000 });
  await time.clock.advance('1m');
  const ends = await Promise.all(results);
  expect(starts).toEqual(Array.from({ length: 1001 }, (_, index) => expect.closeTo(index, 6)));
  expect(ends.at(-1)).toMatchObject({ error: { code: 'ERR_RATE_LIMITED' } });
});

describe('L3 a queue is bounded', () => {
  const full = { maxConcurrency: 1, maxQueue: 2 } as const;
  type Wish = readonly [name: string, options?: ExecuteOptions];
  const of = (tenant: string): ExecuteOptions => ({ keys: { tenant } });

  /** What becomes of calls that find the only permit taken: who runs in the end, in this order, and who is refused or dropped. */
  async function fates(options: BulkheadOptions, wishes: readonly Wish[]): Promise<{ readonly ran: string[]; readonly refused: string[] }> {
    const permits = bulkhead(options);
    const first = permits.execute(() => inTime(10, 0));
    const [ran, refused]: [string[], string[]] = [[], []];
    const results = wishes.map(([name, wish]) =>
      permits
        .execute(() => ran.push(name), wish)
        .catch((error: unknown) => refused.push(`${name}: ${isKeelsonError(error) ? error.code : String(error)}`)),
    );
    expect(permits.statistics().waiting).toBeLessThanOrEqual(options.maxQueue ?? 100);
    await time.clock.advance(10);
    await Promise.all([first, ...results]);
    return { ran, refused };
  }

  test('reject: who comes too late is refused, however urgent, and nobody who waits is dropped', async () => {
    const wishes: Wish[] = [['a', { priority: 'low' }], ['b'], ['c', { priority: 'critical' }]];
    expect(await fates(full, wishes)).toEqual({ ran: ['b', 'a'], refused: ['c: ERR_BULKHEAD_FULL'] });
  });

  test('dropOldest: the one that has waited longest of the least urgent priority', async () => {
    const options = { ...full, overflow: 'dropOldest' } as const;
    expect(await fates(options, [['a'], ['b'], ['c']])).toEqual({ ran: ['b', 'c'], refused: ['a: ERR_BULKHEAD_FULL'] });
    const urgent: Wish[] = [['a', { priority: 'high' }], ['b', { priority: 'low' }], ['c']];
    expect(await fates(options, urgent)).toEqual({ ran: ['a', 'c'], refused: ['b: ERR_BULKHEAD_FULL'] });
    const humble: Wish[] = [['a'], ['b'], ['c', { priority: 'low' }]];
    expect(await fates(options, humble)).toEqual({ ran: ['a', 'b'], refused: ['c: ERR_BULKHEAD_FULL'] });
  });

  test('dropNewest: the one that came last of the least urgent priority', async () => {
    const options = { ...full, overflow: 'dropNewest' } as const;
    expect(await fates(options, [['a'], ['b'], ['c']])).toEqual({ ran: ['a', 'b'], refused: ['c: ERR_BULKHEAD_FULL'] });
    const urgent: Wish[] = [['a'], ['b'], ['c', { priority: 'high' }]];
    expect(await fates(options, urgent)).toEqual({ ran: ['c', 'a'], refused: ['b: ERR_BULKHEAD_FULL'] });
  });

  test('with fairness a key that fills it makes room for the others', async () => {
    const wishes: Wish[] = [
      ['a1', of('a')],
      ['a2', of('a')],
      ['b1', of('b')],
      ['a3', of('a')],
    ];
    const options = { ...full, fairBy: 'tenant' } as const;
    expect((await fates({ ...options, overflow: 'dropNewest' }, wishes)).ran).toEqual(['a1', 'b1']);
    expect((await fates({ ...options, overflow: 'dropOldest' }, wishes)).ran).toEqual(['b1', 'a3']);
  });

  test('so is one that is made shorter', async () => {
    const permits = bulkhead({ maxConcurrency: 1, maxQueue: 3, overflow: 'dropOldest' });
    const results = ['first', 'a', 'b', 'c'].map((name) => ending(permits.execute(() => inTime(10, name))));
    permits.reconfigure({ maxQueue: 1 });
    expect(permits.statistics()).toMatchObject({ waiting: 1, dropped: 2 });
    await time.clock.advance(20);
    const isFull = { error: { code: 'ERR_BULKHEAD_FULL' } };
    expect(await Promise.all(results)).toMatchObject([{ value: 'first' }, isFull, isFull, { value: 'c' }]);
  });

  test('so is that for tokens', async () => {
    const limiter = rateLimit({ limit: 10, period: '1s', maxQueue: 1 });
    const results = [1, 2, 3].map((n) => ending(limiter.execute(() => n)));
    await time.clock.advance(100);
    expect(await Promise.all(results)).toMatchObject([{ value: 1 }, { value: 2 }, { error: { code: 'ERR_RATE_LIMITED' } }]);
  });
});

/** How somebody may leave who has tokens that are not due yet. */
const leaving: readonly (readonly [string, (limiter: RateLimiter) => Promise<void>])[] = [
  ['a reservation that is cancelled', async (limiter) => limiter.reserve()?.cancel()],
  [
    'a call that leaves',
    async (limiter) => {
      const controller = new AbortController();
      const call = ending(limiter.execute(() => 1, { signal: controller.signal }));
      controller.abort('gone');
      await call;
    },
  ],
  ['a call that cannot wait so long', async (limiter) => void (await ending(limiter.execute(() => 1, { timeout: 50 })))],
  ['a call beneath a limit that passes', async (limiter) => void (await ending(compose(timeout(50), limiter).execute(() => 1)))],
];

describe.each([
  ['gcra', { limit: 10, period: '1s' }],
  ['sliding-window', { limit: 1, period: 100, algorithm: 'sliding-window' }],
] as const satisfies readonly (readonly [string, RateLimitOptions])[])('L2 tokens of %s', (_name, options) => {
  test('can be reserved, and the wait that is said is exact', async () => {
    const limiter = rateLimit(options);
    expect([limiter.reserve(), limiter.reserve(), limiter.reserve()].map((reservation) => reservation?.waitMs)).toEqual([0, 100, 200]);
    expect(limiter.reserve(1, { maxWait: 299 })).toBeUndefined();
    const result: Promise<number> = limiter.execute((): number => time.clock.nowMs());
    await time.clock.advance(300);
    expect(await result).toBe(300);
  });

  test.each(leaving)('are given back by %s', async (_what, leave) => {
    const limiter = rateLimit(options);
    limiter.reserve();
    await leave(limiter);
    expect(limiter.statistics()).toMatchObject({ waiting: 0, waitMs: 100 });
  });

  test('that a call leaves behind let those behind it move up', async () => {
    const limiter = rateLimit(options);
    limiter.reserve();
    const controller = new AbortController();
    const leaving = ending(limiter.execute(() => 1, { signal: controller.signal }));
    const staying = limiter.execute(() => time.clock.nowMs());
    await time.clock.advance(50);
    controller.abort('gone');
    await leaving;
    await time.clock.advance(50);
    expect(await staying).toBe(100);
  });

  test('that are given back go to whoever comes next, and to one only', async () => {
    const limiter = rateLimit(options);
    const [, second] = [limiter.reserve(), limiter.reserve(), limiter.reserve()];
    second?.cancel();
    second?.cancel();
    expect(limiter.reserve()?.waitMs).toBe(100);
    expect(limiter.reserve()?.waitMs).toBe(300);
    await time.clock.advance(400);
  });

  test('wait in order', async () => {
    const limiter = rateLimit(options);
    const order: number[] = [];
    const results = [1, 2, 3, 4].map((index) => limiter.execute(() => order.push(index)));
    await time.clock.advance(300);
    await Promise.all(results);
    expect(order).toEqual([1, 2, 3, 4]);
  });
});

describe.each(places)('L2 what a call really cost is charged afterwards, %s', (_name, around) => {
  test.each([
    ['more, which those who come later wait for', 300, 201],
    ['less, which is given back', 20, 0],
  ])('%s', async (_what, tokens, waitMs) => {
    const limiter = rateLimit({ limit: 1000, period: '1s', burst: 100, cost: 'tokens' });
    await around(limiter).execute((call) => call.charge({ tokens }), { cost: { tokens: 100 } });
    expect(limiter.statistics().waitMs).toBeCloseTo(waitMs, 6);
  });

  test('by each attempt for itself', async () => {
    const limiter = rateLimit({ limit: 1000, period: '1s', burst: 100, cost: 'tokens' });
    let starts = 0;
    const result = ending(
      around(limiter).execute(
        (call) => {
          call.charge({ tokens: 20 });
          if (starts++ === 0) throw new Error('down');
        },
        { cost: { tokens: 60 } },
      ),
    );
    await time.clock.advance(100);
    await result;
    expect(limiter.statistics().waitMs).toBe(0);
    expect(limiter.reserve(79)?.waitMs).toBe(0);
  });
});

test('L2 an attempt that is over charges what it cost more, and takes nothing from the one that goes on', async () => {
  const limiter = rateLimit({ limit: 1000, period: '1s', burst: 100, cost: 'tokens' });
  let first: Call | undefined;
  const result = compose(threeAttempts(), limiter).execute(
    (call) => {
      if (first !== undefined) return 'second';
      first = call;
      throw new Error('down');
    },
    { cost: { tokens: 50 } },
  );
  await time.clock.advance(100);
  await result;
  first?.charge({ tokens: 10 });
  expect(limiter.statistics().waitMs).toBe(0);
  expect(limiter.reserve(50)?.waitMs).toBe(0);
  expect(limiter.reserve(1)?.waitMs).toBe(1);
  await time.clock.advance(1);
});
