// The laws of limits while the limit changes: by its owner, by a restart, by what the callee says.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CalleeQuota, OUTCOME, type Outcome } from '../../src/outcome/classify.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { type RateLimiter, rateLimit } from '../../src/rate-limiter/rate-limiter.ts';
import type { RateLimitOptions } from '../../src/rate-limiter/rate-limiter-options.ts';
import type { RateLimiterSnapshot } from '../../src/rate-limiter/rate-limiter-snapshot.ts';
import { inTime } from '../support/work.ts';

const time = onVirtualTime();
const SEED = 20_261_128;
/** Dates since 1970 are no finer than that in a snapshot. */
const TOLERANCE = 1e-2;

type Say = 'ok' | 'throttled' | 'pause' | 'quota' | 'policy';
type Limit = { readonly limit: number; readonly period: number; readonly burst: number };
type Act =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'call'; readonly cost: number; readonly takesMs: number; readonly say: Say }
  | ({ readonly do: 'reconfigure' } & Limit)
  | { readonly do: 'restart'; readonly downMs: number };

const limits = fc.record({
  limit: fc.integer({ min: 1, max: 20 }),
  period: fc.integer({ min: 50, max: 500 }),
  burst: fc.integer({ min: 1, max: 5 }),
});
const says: readonly Say[] = ['ok', 'ok', 'ok', 'throttled', 'pause', 'quota', 'policy'];
const call = fc.record({
  do: fc.constant('call' as const),
  cost: fc.integer({ min: 1, max: 5 }),
  takesMs: fc.nat(40),
  say: fc.constantFrom(...says),
});
const wait = fc.record({ do: fc.constant('wait' as const), ms: fc.nat(100) });
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: call },
    { weight: 3, arbitrary: wait },
    { weight: 1, arbitrary: limits.map((limit) => ({ do: 'reconfigure' as const, ...limit })) },
    { weight: 1, arbitrary: fc.nat(300).map((downMs) => ({ do: 'restart' as const, downMs })) },
  ),
  { minLength: 5, maxLength: 60, size: 'max' },
);

/** A limit, and since when it has been in force. */
interface Era extends Limit {
  readonly fromMs: number;
}

/** A limiter that goes through a script, restarts included, and what came of it. */
class Play {
  readonly starts: { readonly atMs: number; readonly cost: number }[] = [];
  readonly eras: Era[] = [];
  readonly pauses: { readonly fromMs: number; readonly untilMs: number }[] = [];
  readonly #options: Pick<RateLimitOptions, 'algorithm' | 'adaptive'>;
  readonly #ends: Promise<unknown>[] = [];
  #limiter: RateLimiter;
  #isDown = false;

  constructor(limit: Limit, options: Pick<RateLimitOptions, 'algorithm' | 'adaptive'>) {
    this.#options = options;
    this.eras.push({ ...limit, fromMs: time.clock.nowMs() });
    this.#limiter = rateLimit(this.#current);
  }

  async run(script: readonly Act[]): Promise<void> {
    for (const act of script) {
      await this.#act(act);
      this.#look();
    }
    await time.clock.advance('10m');
    await Promise.all(this.#ends);
    this.#look();
  }

  get #current(): RateLimitOptions {
    const { limit, period, burst } = this.eras.at(-1) as Era;
    return this.#options.algorithm === 'sliding-window' ? { ...this.#options, limit, period } : { ...this.#options, limit, period, burst };
  }

  async #act(act: Act): Promise<void> {
    const { clock } = time;
    if (act.do === 'wait') await clock.advance(act.ms);
    else if (act.do === 'call') this.#call(act);
    else if (act.do === 'reconfigure') {
      this.eras.push({ ...act, fromMs: clock.nowMs() });
      const { limit, period, burst } = this.#current;
      this.#limiter.reconfigure({ limit, period, burst });
    } else {
      const snapshot = JSON.parse(JSON.stringify(this.#limiter.snapshot())) as RateLimiterSnapshot;
      this.#limiter.close();
      this.#isDown = true;
      await clock.advance(act.downMs);
      this.#isDown = false;
      this.#limiter = rateLimit(this.#current);
      this.#limiter.restore(snapshot);
    }
  }

  #call({ cost: wanted, takesMs, say }: Extract<Act, { do: 'call' }>): void {
    const limiter = this.#limiter;
    const { limit, burst } = this.eras.at(-1) as Era;
    const cost = Math.min(wanted, this.#options.algorithm === 'sliding-window' ? limit : burst);
    const operation = async (): Promise<object> => {
      this.starts.push({ atMs: time.clock.nowMs(), cost });
      await inTime(takesMs, 0);
      if (limiter === this.#limiter && !this.#isDown) this.#heard(say);
      return { [OUTCOME]: SAID[say] };
    };
    this.#ends.push(ending(limiter.execute(operation, { cost })));
  }

  #heard(say: Say): void {
    const fromMs = time.clock.nowMs();
    if (say === 'pause') this.pauses.push({ fromMs, untilMs: fromMs + PAUSE_MS });
  }

  /** Whatever happens, what can be seen makes sense. */
  #look(): void {
    const statistics = this.#limiter.statistics();
    expect(JSON.parse(JSON.stringify(statistics))).toEqual(statistics);
    const { waitMs, waiting, limit, limitInForce, pausedMs, remaining } = statistics;
    for (const value of [waitMs, waiting, pausedMs, remaining ?? 0]) expect(value).toBeGreaterThanOrEqual(0);
    expect(limitInForce).toBeLessThanOrEqual(limit);
    expect(limitInForce).toBeGreaterThan(0);
  }
}

const PAUSE_MS = 120;
const quota: CalleeQuota = { remaining: 2, resetMs: 200 };
const SAID: Readonly<Record<Say, Partial<Outcome>>> = {
  ok: { kind: 'ok' },
  throttled: { kind: 'throttled' },
  pause: { kind: 'throttled', retryAfterMs: PAUSE_MS },
  quota: { kind: 'ok', quotas: [quota] },
  policy: { kind: 'ok', quotas: [{ ...quota, remaining: 100, limit: 10, periodMs: 1000 }] },
};

/** The eras that a stretch of time touches. */
const erasIn = (eras: readonly Era[], fromMs: number, toMs: number): readonly Era[] =>
  eras.filter((era, index) => era.fromMs <= toMs && (eras[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY) >= fromMs);

/** What a bucket may let through from `fromMs` to `toMs`: what it held at most, and what came due. */
function bound(eras: readonly Era[], fromMs: number, toMs: number): number {
  const touched = erasIn(eras, fromMs, toMs);
  const due = touched.map((era) => {
    const endMs = Math.min(toMs, eras[eras.indexOf(era) + 1]?.fromMs ?? Number.POSITIVE_INFINITY);
    return (Math.max(0, endMs - Math.max(fromMs, era.fromMs)) * era.limit) / era.period;
  });
  return Math.max(...touched.map(({ burst }) => burst)) + due.reduce((a, b) => a + b, 0);
}

describe.each([[false], [true]])('L1 across reconfiguring and restarts, adaptive: %s', (adaptive) => {
  test('in any window a bucket lets through what it held and what came due', async () => {
    await fc.assert(
      fc.asyncProperty(limits, acts, async (limit, script) => {
        const play = new Play(limit, { algorithm: 'gcra', adaptive });
        await play.run(script);
        for (const [index, { atMs: fromMs }] of play.starts.entries()) {
          let sum = 0;
          for (const { atMs, cost } of play.starts.slice(index)) {
            sum += cost;
            expect(sum).toBeLessThanOrEqual(bound(play.eras, fromMs, atMs) + TOLERANCE);
          }
        }
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  test('no more than the limit in force starts in a period', async () => {
    await fc.assert(
      fc.asyncProperty(limits, acts, async (limit, script) => {
        const play = new Play(limit, { algorithm: 'sliding-window', adaptive });
        await play.run(script);
        for (const [index, { atMs }] of play.starts.entries()) {
          const era = play.eras.findLast(({ fromMs }) => fromMs <= atMs) as Era;
          const periodMs = Math.min(...erasIn(play.eras, atMs - era.period, atMs).map(({ period }) => period));
          const within = play.starts.slice(0, index + 1).filter((start) => start.atMs > atMs - periodMs + TOLERANCE);
          const sum = within.reduce((total, { cost }) => total + cost, 0);
          expect(sum).toBeLessThanOrEqual(Math.max(...erasIn(play.eras, atMs, atMs).map((touched) => touched.limit)));
        }
      }),
      { seed: SEED, numRuns: 100 },
    );
  });
});

test('L1 an adaptive limiter starts nobody while its callee wants a pause, also after a restart', async () => {
  await fc.assert(
    fc.asyncProperty(limits, acts, fc.constantFrom('gcra' as const, 'sliding-window' as const), async (limit, script, algorithm) => {
      const play = new Play(limit, { algorithm, adaptive: true });
      await play.run(script);
      for (const { fromMs, untilMs } of play.pauses) {
        for (const { atMs } of play.starts) expect(atMs <= fromMs || atMs >= untilMs - TOLERANCE).toBe(true);
      }
    }),
    { seed: SEED, numRuns: 100 },
  );
});

const refused = (outcome: Partial<Outcome>): Promise<never> => Promise.reject(Object.assign(new Error('busy'), { [OUTCOME]: outcome }));

describe('L1 an adaptive limiter', () => {
  test('starts no more than its callee’s quota leaves, less what is on its way, until that is reset', async () => {
    const limiter = rateLimit({ limit: 100, period: '1s', burst: 100, adaptive: true });
    const slow = limiter.execute(() => inTime(5000, 1));
    await limiter.execute(() => ({ [OUTCOME]: { kind: 'ok', quotas: [{ remaining: 4, resetMs: 2000 }] } }));
    const starts: number[] = [];
    const results = Array.from({ length: 5 }, () => limiter.execute(() => starts.push(time.clock.nowMs())));
    await time.clock.advance('5s');
    await Promise.all([...results, slow]);
    expect(starts).toEqual([0, 0, 0, 2000, 2000]);
  });

  test('starts at no higher rate than its callee’s policy says', async () => {
    const limiter = rateLimit({ limit: 100, period: '1s', adaptive: true });
    await limiter.execute(() => ({ [OUTCOME]: { kind: 'ok', quotas: [{ remaining: 100, resetMs: 2000, limit: 10, periodMs: 1000 }] } }));
    const starts: number[] = [];
    const results = [1, 2, 3].map(() => limiter.execute(() => starts.push(time.clock.nowMs())));
    await time.clock.advance('1s');
    await Promise.all(results);
    expect(starts).toEqual([100, 200, 300]);
  });

  test('is slower after a refusal, and recovers to its limit and no further', async () => {
    const limiter = rateLimit({ limit: 100, period: '1s', adaptive: true });
    const results: Promise<unknown>[] = [];
    const inForce: number[] = [];
    for (let i = 0; i < 2000; i++) {
      results.push(ending(limiter.execute(() => (i === 500 ? refused({ kind: 'throttled' }) : i))));
      inForce.push(limiter.statistics().limitInForce);
      await time.clock.advance(10);
    }
    await time.clock.advance('1m');
    await Promise.all(results);
    expect(Math.min(...inForce)).toBeCloseTo(70, 0);
    expect(Math.max(...inForce)).toBe(100);
    expect(inForce.at(-1)).toBe(100);
  });

  test('never falls below a twentieth of its limit', async () => {
    const limiter = rateLimit({ limit: 100, period: '1s', adaptive: true });
    for (let i = 0; i < 50; i++) {
      await ending(limiter.execute(() => refused({ kind: 'throttled' })));
      await time.clock.advance(250);
    }
    expect(limiter.statistics().limitInForce).toBeCloseTo(5, 9);
  });
});

describe('L3 who may wait for tokens', () => {
  const full = { limit: 10, period: '1s', maxQueue: 2 } as const;

  test.each([
    ['reject', ['a', 'b', 'c'], ['d']],
    ['dropOldest', ['a', 'c', 'd'], ['b']],
  ] as const)('%s', async (overflow, started, dropped) => {
    const limiter = rateLimit({ ...full, overflow });
    const order: string[] = [];
    const names = ['a', 'b', 'c', 'd'];
    const results = names.map((name) => ending(limiter.execute(() => order.push(name))));
    expect(limiter.statistics().waiting).toBe(2);
    await time.clock.advance('1s');
    const ends = await Promise.all(results);
    expect(order).toEqual(started);
    expect(names.filter((_, index) => 'error' in (ends[index] as object))).toEqual(dropped);
  });

  test('fewer than do, by its owner’s word: with dropOldest the first go', async () => {
    const limiter = rateLimit({ ...full, maxQueue: 3, overflow: 'dropOldest' });
    const order: number[] = [];
    const results = [1, 2, 3, 4].map((n) => ending(limiter.execute(() => order.push(n))));
    limiter.reconfigure({ maxQueue: 1 });
    await time.clock.advance('1s');
    await Promise.all(results);
    expect(order).toEqual([1, 4]);
  });
});
