import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../random/seeded-random.ts';
import { Backoff, type BackoffInfo, type BackoffOptions, type BackoffShape, type Jitter } from './backoff.ts';

const SEED = 20_251_121;
const SHAPES: readonly BackoffShape[] = ['exponential', 'linear', 'constant'];
const JITTERED: readonly Jitter[] = ['full', 'equal', 'decorrelated', 'smooth', { plusOrMinus: 0.25 }];

const outcome = { ok: false, error: new Error('reset') } as const;
const settings = fc.record({
  baseDelay: fc.double({ min: 0, max: 60_000, noNaN: true }),
  maxDelay: fc.double({ min: 1, max: 120_000, noNaN: true }),
  backoffFactor: fc.double({ min: 1, max: 10, noNaN: true }),
  backoff: fc.constantFrom(...SHAPES, ({ attempts }: BackoffInfo): number => attempts ** 3),
  jitter: fc.oneof(
    fc.constantFrom<Jitter>(...JITTERED, 'none'),
    fc.double({ min: 0.01, max: 1, noNaN: true }).map((plusOrMinus): Jitter => ({ plusOrMinus })),
  ),
});

interface Settings extends BackoffOptions {
  readonly baseDelay: number;
  readonly maxDelay: number;
  readonly jitter: Jitter;
}

/** The delays of one call, each told the one before. */
function delaysOf(options: BackoffOptions, attempts: number, seed: number): number[] {
  const backoff = new Backoff('retry', options);
  const random = seededRandom(seed);
  const delays: number[] = [];
  let previousChance = 0;
  for (let n = 1; n <= attempts; n++) {
    const chance = random.next();
    delays.push(backoff.delayMs({ attempts: n, outcome, previousDelayMs: delays.at(-1) ?? 0 }, chance, previousChance));
    previousChance = chance;
  }
  return delays;
}

test('R1: every delay is a number from 0 to the cap, however many attempts there are', () => {
  fc.assert(
    fc.property(settings, fc.integer({ min: 1, max: 2000 }), fc.nat(), (options, attempts, seed) => {
      const backoff = new Backoff('retry', options);
      const random = seededRandom(seed);
      const info = { attempts, outcome, previousDelayMs: random.next() * options.maxDelay };
      const delayMs = backoff.delayMs(info, random.next(), random.next());
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(options.maxDelay);
    }),
    { seed: SEED },
  );
});

test('without jitter delays never shrink', () => {
  fc.assert(
    fc.property(settings, fc.integer({ min: 2, max: 50 }), (options, attempts) => {
      const delays = delaysOf({ ...options, jitter: 'none' }, attempts, 1);
      expect(delays).toEqual(delays.toSorted((a, b) => a - b));
    }),
    { seed: SEED },
  );
});

test.each(JITTERED)('R1: %j jitter is alive at the cap: callers that failed together do not come back together', (jitter) => {
  fc.assert(
    fc.property(fc.constantFrom(...SHAPES), fc.nat(), (backoff, seed) => {
      const maxDelay = 1000;
      const callers = Array.from({ length: 40 }, (_, caller) => {
        return delaysOf({ baseDelay: 600, maxDelay, backoff, jitter }, 20, seed + caller).at(-1) as number;
      });
      expect(new Set(callers).size).toBe(callers.length);
      expect(Math.max(...callers) - Math.min(...callers)).toBeGreaterThan(0.1 * maxDelay);
      expect(callers.filter((delayMs) => delayMs === maxDelay)).toEqual([]);
    }),
    { seed: SEED, numRuns: 50 },
  );
});

/** From where to where a delay may be whose plain length, after the cap, is `d`. */
function rangeOf({ jitter, baseDelay, maxDelay }: Settings, d: number, lastMs: number): readonly [number, number] {
  if (typeof jitter === 'object') {
    const { plusOrMinus } = jitter;
    const middle = Math.min(d, maxDelay / (1 + plusOrMinus));
    return [middle * (1 - plusOrMinus) - 1e-6, middle * (1 + plusOrMinus) + 1e-6]; // rounded otherwise
  }
  const ranges: { readonly [jitter in Exclude<Jitter, object>]: readonly [number, number] } = {
    full: [0, d],
    equal: [d / 2, d],
    none: [d, d],
    decorrelated: [Math.min(baseDelay, maxDelay), Math.min(maxDelay, 3 * Math.max(baseDelay, lastMs))],
    smooth: [0, maxDelay],
  };
  return ranges[jitter];
}

test('delays stay within the range of their jitter', () => {
  fc.assert(
    fc.property(settings, fc.integer({ min: 1, max: 20 }), fc.nat(), (options, attempts, seed) => {
      const plain = delaysOf({ ...options, jitter: 'none' }, attempts, seed);
      const delays = delaysOf(options, attempts, seed);
      delays.forEach((delayMs, i) => {
        const [low, high] = rangeOf(options, plain[i] as number, delays[i - 1] ?? 0);
        expect(delayMs).toBeGreaterThanOrEqual(low);
        expect(delayMs).toBeLessThanOrEqual(high);
      });
    }),
    { seed: SEED },
  );
});

test('smooth: below the cap, n waits together end between where step n begins and where it ends', () => {
  const f = (t: number): number => 2 ** t * Math.tanh(Math.sqrt(4 * t));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(), (attempts, seed) => {
      const sumMs = delaysOf({ baseDelay: 1.4, maxDelay: 1e12, jitter: 'smooth' }, attempts, seed).reduce((sum, ms) => sum + ms, 0);
      expect(sumMs).toBeGreaterThanOrEqual(f(attempts - 1) * (1 - 1e-9));
      expect(sumMs).toBeLessThanOrEqual(f(attempts) * (1 + 1e-9));
    }),
    { seed: SEED },
  );
});
