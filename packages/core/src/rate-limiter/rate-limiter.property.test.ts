import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expectNoLeaks } from '../testing/expect-no-leaks.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from '../time/current-clock.ts';
import { rateLimit } from './rate-limiter.ts';
import type { RateLimitOptions } from './rate-limiter-options.ts';

const SEED = 20_251_121;
const TOLERANCE = 1e-6;

const rates = fc.record({ limit: fc.integer({ min: 5, max: 10 }), period: fc.integer({ min: 1, max: 200 }) });
const limits = fc.oneof(
  fc.record({ rate: rates, burst: fc.integer({ min: 1, max: 5 }) }).map(({ rate, burst }) => ({
    options: { ...rate, burst } as RateLimitOptions,
    maxCost: burst,
    bound: (lengthMs: number) => burst + (lengthMs * rate.limit) / rate.period,
  })),
  rates.map((rate) => ({
    options: { ...rate, algorithm: 'sliding-window' } as RateLimitOptions,
    maxCost: 5,
    bound: (lengthMs: number) => (lengthMs < rate.period - TOLERANCE ? rate.limit : Number.POSITIVE_INFINITY),
  })),
);

const calls = fc.array(
  fc.record({
    afterMs: fc.nat(40),
    cost: fc.integer({ min: 1, max: 5 }),
    timeout: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
    leavesAfterMs: fc.option(fc.nat(200), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 30, size: 'max' },
);

const queues = fc.record({ maxQueue: fc.integer({ min: 0, max: 30 }), overflow: fc.constantFrom('reject', 'dropOldest') });

test('L1, P2: whoever comes, waits, leaves or is refused, in no window do more start than may, and all in order', async () => {
  await fc.assert(
    fc.asyncProperty(limits, calls, queues, async ({ options, maxCost, bound }, script, { maxQueue, overflow }) => {
      using clock = useClock(new VirtualClock());
      await using _leaks = expectNoLeaks({ clock });
      const limiter = rateLimit({ ...options, maxQueue, overflow });
      const starts: { readonly atMs: number; readonly cost: number }[] = [];
      const results: Promise<unknown>[] = [];
      const order: number[] = [];
      for (const [index, { afterMs, cost: wanted, timeout, leavesAfterMs }] of script.entries()) {
        await clock.advance(afterMs);
        const cost = Math.min(wanted, maxCost);
        const controller = new AbortController();
        if (leavesAfterMs !== undefined) clock.schedule(leavesAfterMs, () => controller.abort('left'));
        const start = (): void => {
          starts.push({ atMs: clock.nowMs(), cost });
          order.push(index);
        };
        results.push(limiter.attempt(start, { cost, timeout, signal: controller.signal }));
        expect(limiter.statistics().waiting).toBeLessThanOrEqual(maxQueue);
      }
      await clock.advance('1m');
      await Promise.all(results);

      for (const [from, first] of starts.entries()) {
        let sum = 0;
        for (const { atMs, cost } of starts.slice(from)) {
          sum += cost;
          expect(sum).toBeLessThanOrEqual(bound(atMs - first.atMs) + TOLERANCE);
        }
      }
      expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect(limiter.statistics()).toMatchObject({ waiting: 0, waitMs: 0 });
    }),
    { seed: SEED, numRuns: 200 },
  );
});
