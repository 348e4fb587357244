import { describe, expect, test } from 'vitest';
import { checkOptions } from '../errors/check-options.ts';
import { Backoff, type BackoffInfo, type BackoffOptions, backoffChecks, backoffDefaults } from './backoff.ts';

const failed = (attempts: number, previousDelayMs = 0): BackoffInfo => ({
  attempts,
  outcome: { ok: false, error: new Error('reset') },
  previousDelayMs,
});
const delays = (options: BackoffOptions, chance = 0.5): number[] => {
  const backoff = new Backoff('retry', options);
  return [1, 2, 3, 4, 5].map((attempts) => backoff.delayMs(failed(attempts), chance, chance));
};

describe('without jitter', () => {
  test.each<[string, BackoffOptions, number[]]>([
    ['exponential is the default', {}, [200, 400, 800, 1600, 3200]],
    ['another factor', { backoffFactor: 3, baseDelay: 1 }, [1, 3, 9, 27, 81]],
    ['a factor of 1', { backoffFactor: 1, baseDelay: '1s' }, [1000, 1000, 1000, 1000, 1000]],
    ['linear', { backoff: 'linear', baseDelay: '1s' }, [1000, 2000, 3000, 4000, 5000]],
    ['constant', { backoff: 'constant', baseDelay: '1s', backoffFactor: 5 }, [1000, 1000, 1000, 1000, 1000]],
    ['capped', { maxDelay: 1000 }, [200, 400, 800, 1000, 1000]],
    ['a base above the cap', { baseDelay: '1m', maxDelay: '1s', backoff: 'constant' }, [1000, 1000, 1000, 1000, 1000]],
    ['at once', { baseDelay: 0 }, [0, 0, 0, 0, 0]],
    ['a function', { backoff: ({ attempts }) => (attempts === 1 ? '1s' : attempts) }, [1000, 2, 3, 4, 5]],
    ['a function, capped', { backoff: () => Number.POSITIVE_INFINITY, maxDelay: '5s' }, [5000, 5000, 5000, 5000, 5000]],
  ])('%s', (_, options, expected) => {
    expect(delays({ jitter: 'none', ...options })).toEqual(expected);
  });

  test('an exponent beyond all numbers stays at the cap, and 0 stays 0', () => {
    expect(new Backoff('retry', { jitter: 'none' }).delayMs(failed(5000), 0, 0)).toBe(30_000);
    expect(new Backoff('retry', { jitter: 'none', baseDelay: 0 }).delayMs(failed(5000), 0, 0)).toBe(0);
  });
});

describe('R1: jitter spreads what is left after the cap', () => {
  test.each<[BackoffOptions['jitter'], number, number[]]>([
    ['full', 0, [0, 0, 0, 0, 0]],
    ['full', 0.5, [100, 200, 400, 500, 500]],
    [undefined, 0.5, [100, 200, 400, 500, 500]],
    ['equal', 0, [100, 200, 400, 500, 500]],
    ['equal', 0.5, [150, 300, 600, 750, 750]],
    ['decorrelated', 0, [200, 200, 200, 200, 200]],
    [{ plusOrMinus: 0.25 }, 0, [150, 300, 600, 600, 600]],
    [{ plusOrMinus: 0.25 }, 0.5, [200, 400, 800, 800, 800]],
    [{ plusOrMinus: 1 }, 0.5, [200, 400, 500, 500, 500]],
  ])('%j, chance %d', (jitter, chance, expected) => {
    expect(delays({ jitter, maxDelay: '1s' }, chance)).toEqual(expected);
  });

  test('decorrelated grows from its own last delay, and backoff has no part in it', () => {
    const backoff = new Backoff('retry', { jitter: 'decorrelated', maxDelay: '1s', backoff: 'constant', backoffFactor: 9 });
    expect(backoff.delayMs(failed(1), 0.5, 0)).toBe(400); // from 200 to 600
    expect(backoff.delayMs(failed(2, 300), 0.5, 0)).toBe(550); // from 200 to 900
    expect(backoff.delayMs(failed(3, 1000), 0.5, 0)).toBe(600); // from 200 to 1000
  });

  test('decorrelated with a base above the cap stays at the cap', () => {
    expect(delays({ jitter: 'decorrelated', baseDelay: '1m', maxDelay: '1s' })).toEqual([1000, 1000, 1000, 1000, 1000]);
  });
});

describe('smooth jitter', () => {
  /** As it is published: rises by f(t) with t = step + chance, uncapped. */
  const f = (t: number): number => 2 ** t * Math.tanh(Math.sqrt(4 * t));
  const published = (attempts: number, chance: number, previousChance: number): number => {
    const before = attempts === 1 ? 0 : f(attempts - 2 + previousChance);
    return ((f(attempts - 1 + chance) - before) * 200) / 1.4;
  };

  test.each([
    [1, 0, 0],
    [1, 0.5, 0.9],
    [2, 0.1, 0.8],
    [3, 0.999, 0],
    [12, 0.3, 0.3],
  ])('is as published below the cap: attempt %d, chance %d after %d', (attempts, chance, previousChance) => {
    const backoff = new Backoff('retry', { jitter: 'smooth', maxDelay: '10h' });
    expect(backoff.delayMs(failed(attempts), chance, previousChance)).toBeCloseTo(published(attempts, chance, previousChance), 6);
  });

  test('R1: keeps its spread at the cap, and reaches it at most', () => {
    const backoff = new Backoff('retry', { jitter: 'smooth', maxDelay: '1s' });
    const at = (chance: number, previousChance: number): number => backoff.delayMs(failed(20), chance, previousChance);
    expect(at(0, 1)).toBe(0);
    expect(at(0.5, 0.5)).toBeCloseTo(471.4, 1);
    expect(at(1, 0)).toBeCloseTo(1000, 9);
  });

  test('stays a number however many attempts there were (t beyond 1024)', () => {
    const backoff = new Backoff('retry', { jitter: 'smooth', maxDelay: '1s' });
    expect(backoff.delayMs(failed(5000), 0.5, 0.5)).toBeCloseTo(471.4, 1);
    expect(new Backoff('retry', { jitter: 'smooth', baseDelay: 0 }).delayMs(failed(5000), 0.5, 0)).toBe(0);
  });
});

test('a function is told what happened', () => {
  const seen: BackoffInfo[] = [];
  const backoff = new Backoff('retry', { backoff: (info) => seen.push(info) });
  const info = failed(2, 70);
  backoff.delayMs(info, 0, 0);
  expect(seen).toEqual([info]);
});

test.each([-1, Number.NaN, 'soon', undefined, null])('F2: a function that returns %s is refused, in its owner’s name', (returned) => {
  const backoff = new Backoff('retry', { backoff: () => returned as number });
  expect(() => backoff.delayMs(failed(1), 0, 0)).toThrow('retry: backoff must be a duration');
});

test('describes the options in force', () => {
  expect(new Backoff('retry', {}).describe()).toEqual({
    baseDelayMs: 200,
    maxDelayMs: 30_000,
    backoffFactor: 2,
    backoff: 'exponential',
    jitter: 'full',
  });
  expect(new Backoff('retry', { backoff: () => 1, baseDelay: '1s' }).describe()).toMatchObject({ baseDelayMs: 1000, backoff: 'function' });
  const jitter = { plusOrMinus: 0.1 };
  expect(new Backoff('retry', { jitter }).describe()['jitter']).toEqual(jitter);
  expect(Object.isFrozen(backoffDefaults)).toBe(true);
});

describe('F2: the options', () => {
  const check = (options: unknown): void => checkOptions<BackoffOptions>('retry', options as BackoffOptions, backoffChecks);

  test.each<[BackoffOptions]>([
    [{}],
    [{ baseDelay: 0, maxDelay: 1, backoffFactor: 1, backoff: 'linear', jitter: 'none' }],
    [{ baseDelay: '1s', maxDelay: '1h', backoffFactor: 1.5, backoff: () => 1, jitter: 'decorrelated' }],
    [{ jitter: 'smooth' }],
    [{ jitter: { plusOrMinus: 1 } }],
  ])('%j is fine', (options) => {
    expect(() => check(options)).not.toThrow();
  });

  test.each([
    [{ baseDelay: -1 }, 'baseDelay must be a finite duration ('],
    [{ baseDelay: Number.POSITIVE_INFINITY }, 'baseDelay must be a finite duration ('],
    [{ maxDelay: 0 }, 'maxDelay must be a finite duration above 0'],
    [{ maxDelay: Number.POSITIVE_INFINITY }, 'maxDelay must be a finite duration above 0'],
    [{ backoffFactor: 0.9 }, 'backoffFactor must be a finite number of at least 1, got 0.9'],
    [{ backoffFactor: Number.POSITIVE_INFINITY }, 'backoffFactor must be a finite number of at least 1, got Infinity'],
    [{ backoffFactor: '2' }, 'backoffFactor must be a finite number of at least 1, got "2"'],
    [{ backoff: 'fibonacci' }, "backoff must be one of 'exponential', 'linear', 'constant', or a function, got \"fibonacci\""],
    [
      { jitter: true },
      "jitter must be one of 'full', 'equal', 'decorrelated', 'smooth', 'none', or { plusOrMinus } with a number above 0, at most 1, got true",
    ],
    [{ jitter: { plusOrMinus: 0 } }, 'jitter must be'],
    [{ jitter: { plusOrMinus: 1.1 } }, 'jitter must be'],
    [{ jitter: { plusOrMinus: Number.NaN } }, 'jitter must be'],
    [{ jitter: { plusOrMinus: '0.1' } }, 'jitter must be'],
    [{ jitter: { plusOrMinus: 0.1, cap: 5 } }, 'jitter must be'],
    [{ jitter: {} }, 'jitter must be'],
    [{ jitter: null }, 'jitter must be'],
  ])('%j is refused', (options, message) => {
    expect(() => check(options)).toThrow(`retry: ${message}`);
  });
});
