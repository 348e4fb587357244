import { describe, expect, test } from 'vitest';
import { PROCEED } from '../policy/layer.ts';
import { type Decision, type FakeStep, fakeStep } from '../testing/fake-step.ts';
import { RateLimitedError } from './rate-limited-error.ts';
import { RateLimiterLayer } from './rate-limiter-layer.ts';
import type { RateLimiterRules } from './rate-limiter-options.ts';

const layerOf = (rules: Partial<RateLimiterRules> = {}): RateLimiterLayer =>
  new RateLimiterLayer({
    name: 'api',
    algorithm: 'gcra',
    limit: 10,
    periodMs: 1000,
    burst: 1,
    maxQueue: 1000,
    overflow: 'reject',
    adaptive: false,
    cost: undefined,
    ...rules,
  });

/** One call's entry: what was decided, and the step to go on with. */
const enter = (layer: RateLimiterLayer, given: Parameters<typeof fakeStep>[0] = {}): { decision: Decision | undefined; step: FakeStep } => {
  const step = fakeStep({ operation: 'loadUser', ...given });
  return { decision: step.decided(layer.enter(step)), step };
};

const waitOf = (decision: Decision | undefined): number =>
  typeof decision === 'object' && 'expectedMs' in decision ? decision.expectedMs : Number.NaN;

describe('entering', () => {
  test('proceeds while there are tokens, then waits, each for its own', () => {
    const layer = layerOf();
    const decisions = [0, 0, 0].map(() => enter(layer).decision);
    expect(decisions[0]).toBe('pass');
    expect(decisions.slice(1).map(waitOf)).toEqual([100, 200]);
    expect(layer.line.waiting(0)).toBe(2);
  });

  test('L1: whoever waited takes tokens when it starts, however late; until it may, it stays the first', () => {
    const layer = layerOf();
    const [, second, third] = [enter(layer), enter(layer), enter(layer)] as const;
    const due = (step: FakeStep, nowMs: number): Decision | undefined => {
      step.given.nowMs = nowMs;
      return step.decided(layer.due(step));
    };
    expect(waitOf(due(second.step, 99))).toBe(100);
    expect(due(second.step, 250)).toBe('pass');
    expect(layer.line.size).toBe(1);
    expect(waitOf(due(third.step, 250))).toBe(350);
    expect(due(third.step, 350)).toBe('pass');
    expect(layer.isEmpty).toBe(true);
  });

  test('P2: nobody overtakes who waits, not even with tokens for both', () => {
    const layer = layerOf({ burst: 5 });
    enter(layer, { options: { cost: 5 } });
    enter(layer, { options: { cost: 5 } });
    expect(waitOf(enter(layer, { nowMs: 100 }).decision)).toBe(600);
  });

  test('says in numbers why a wait that cannot fit is refused', () => {
    const layer = layerOf();
    enter(layer);
    const { decision } = enter(layer);
    const { refusal } = decision as { refusal: RateLimitedError };
    expect(refusal).toBeInstanceOf(RateLimitedError);
    expect(refusal).toMatchObject({ code: 'ERR_RATE_LIMITED', policy: 'api', operation: 'loadUser', retryAfterMs: 100 });
    expect(refusal.message).toBe(
      'loadUser was refused: api (10 per 1s) would let it through in 100ms, but that is beyond the deadline; raise limit or the deadline, or slow the callers',
    );
  });

  test('L3: refuses at once where the queue is full, and takes no token for it', () => {
    const layer = layerOf({ maxQueue: 2 });
    const [, second] = [enter(layer), enter(layer), enter(layer)] as const;
    for (let i = 0; i < 2; i++) {
      const { reject } = enter(layer).decision as { reject: RateLimitedError };
      expect(reject.retryAfterMs).toBe(300);
      expect(reject.message).toBe(
        'loadUser was refused: api (10 per 1s) would let it through in 300ms, but its queue is full (2 waiting); raise limit or maxQueue, or slow the callers',
      );
      expect(reject.stack).toBe(`RateLimitedError: ${reject.message}`);
    }
    second.step.given.nowMs = 100;
    layer.due(second.step);
    expect(waitOf(enter(layer, { nowMs: 100 }).decision)).toBe(300);
  });

  test('a queue of none refuses whoever would have to wait', () => {
    const layer = layerOf({ maxQueue: 0 });
    expect(enter(layer).decision).toBe('pass');
    expect(enter(layer).decision).toHaveProperty('reject');
    expect(enter(layer, { nowMs: 100 }).decision).toBe('pass');
  });

  test('takes a sliding window’s whole limit at once', () => {
    const layer = layerOf({ algorithm: 'sliding-window', limit: 2 });
    expect([enter(layer).decision, enter(layer).decision]).toEqual(['pass', 'pass']);
    expect(waitOf(enter(layer, { nowMs: 300 }).decision)).toBe(1000);
  });
});

describe('the cost', () => {
  test('is 1 unless the call says otherwise, as a number for every limiter or by name', () => {
    const layer = layerOf({ burst: 10, cost: 'tokens' });
    const takes = (options: object): number => {
      const before = layer.line.earliestMs(10, 0);
      enter(layer, { options });
      return (layer.line.earliestMs(10, 0) - before) / 100;
    };
    expect(takes({})).toBe(1);
    expect(takes({ cost: 2 })).toBe(2);
    expect(takes({ cost: { tokens: 3, requests: 9 } })).toBe(3);
    expect(takes({ cost: { requests: 9 } })).toBe(1);
  });

  test('K4: may have any name', () => {
    for (const cost of ['constructor', '__proto__', 'toString']) {
      const layer = layerOf({ burst: 10, cost });
      const { step } = enter(layer, { options: { cost: { tokens: 5 } } });
      layer.charge(step.options, { tokens: 7 }, 0, step.ticket);
      expect(layer.line.earliestMs(10, 0)).toBe(100);
      layer.charge(step.options, Object.fromEntries([[cost, 3]]), 0, step.ticket);
      expect(layer.line.earliestMs(10, 0)).toBe(300);
    }
  });

  test('by name is not for a limiter that counts calls', () => {
    const layer = layerOf({ burst: 2 });
    enter(layer, { options: { cost: { tokens: 2 } } });
    expect(enter(layer).decision).toBe('pass');
    expect(waitOf(enter(layer).decision)).toBe(100);
  });

  test('of 0 takes nothing, and waits for nothing', () => {
    const layer = layerOf({ maxQueue: 1 });
    enter(layer);
    enter(layer);
    expect(enter(layer, { options: { cost: 0 } }).decision).toBe('pass');
    expect(layer.line.earliestMs(1, 0)).toBe(200);
  });

  test.each([
    [{ burst: 4 }, 5, 'api: cost must be a number from 0 to 4 (raise burst for more), got 5'],
    [{ algorithm: 'sliding-window', limit: 4 } as const, 5, 'api: cost must be a number from 0 to 4 (raise limit for more), got 5'],
    [{}, -1, 'api: cost must be a number from 0 to 1 (raise burst for more), got -1'],
    [{}, Number.NaN, 'api: cost must be a number from 0 to 1 (raise burst for more), got NaN'],
    [{}, '1', 'api: cost must be a number from 0 to 1 (raise burst for more), got "1"'],
  ])('that no wait makes possible is a wrong option: %j, %s', (rules, cost, message) => {
    const layer = layerOf(rules);
    const expected = expect.objectContaining({ code: 'ERR_OPTION', message });
    expect(() => enter(layer, { options: { cost: cost as number } })).toThrow(expected);
    expect(() => enter(layer, { options: { cost: { tokens: 1 } } })).not.toThrow();
  });
});

describe('L2: a call that leaves while it waits', () => {
  test('has taken nothing: those behind move up', () => {
    const layer = layerOf();
    const [, second] = [enter(layer), enter(layer), enter(layer)] as const;
    layer.abandon(second.step, true);
    expect(layer.line.waiting(0)).toBe(1);
    expect(waitOf(enter(layer).decision)).toBe(200);
  });

  test('leaves nothing behind when it was refused for its deadline', () => {
    const layer = layerOf({ burst: 5 });
    enter(layer, { options: { cost: 5 } });
    const { step } = enter(layer, { options: { cost: 5 } });
    layer.abandon(step, true);
    expect(waitOf(enter(layer).decision)).toBe(100);
  });

  test('gives nothing back once it was let through', () => {
    const layer = layerOf();
    layer.abandon(enter(layer).step, false);
    expect(waitOf(enter(layer).decision)).toBe(100);
  });
});

describe('charging', () => {
  const tokens = { limit: 10, burst: 10, cost: 'tokens' };

  test('more than was estimated is a debt for those who come later', () => {
    const layer = layerOf(tokens);
    const { step } = enter(layer, { options: { cost: { tokens: 5 } } });
    layer.charge(step.options, { tokens: 25 }, 0, step.ticket);
    expect(layer.line.earliestMs(1, 0)).toBe(1600);
  });

  test('less than was estimated is given back', () => {
    const layer = layerOf(tokens);
    const { step } = enter(layer, { options: { cost: { tokens: 10 } } });
    expect(layer.line.earliestMs(7, 0)).toBe(700);
    layer.charge(step.options, { tokens: 3 }, 0, step.ticket);
    expect(layer.line.earliestMs(7, 0)).toBe(0);
    layer.charge(step.options, { tokens: 0 }, 0, step.ticket);
    expect(layer.line.earliestMs(10, 0)).toBe(0);
  });

  test('says what the call cost in all, however often it is said', () => {
    const layer = layerOf(tokens);
    const { step } = enter(layer, { options: { cost: 5 } });
    for (const real of [8, 8, 9, 6]) layer.charge(step.options, { tokens: real }, 0, step.ticket);
    expect(layer.line.earliestMs(10, 0)).toBe(600);
  });

  test('of a call that was to cost nothing is what it cost in all, too', () => {
    const layer = layerOf(tokens);
    const { step } = enter(layer, { options: { cost: { tokens: 0 } } });
    for (const real of [4, 9]) layer.charge(step.options, { tokens: real }, 0, step.ticket);
    expect(layer.line.earliestMs(10, 0)).toBe(900);
  });

  test('of a call that waited counts like any other', () => {
    const layer = layerOf(tokens);
    enter(layer, { options: { cost: 10 } });
    const { step } = enter(layer, { options: { cost: 10 } });
    step.given.nowMs = 1000;
    expect(layer.due(step)).toBe(PROCEED);
    layer.charge(step.options, { tokens: 4 }, 1000, step.ticket);
    expect(layer.line.earliestMs(6, 1000)).toBe(1000);
  });

  test('without its ticket a call can be charged for more, but gets nothing back', () => {
    const layer = layerOf(tokens);
    const options = { cost: { tokens: 5 } };
    enter(layer, { options });
    layer.charge(options, { tokens: 1 }, 0, undefined);
    expect(layer.line.earliestMs(10, 0)).toBe(500);
    layer.charge(options, { tokens: 7 }, 0, undefined);
    expect(layer.line.earliestMs(10, 0)).toBe(700);
  });

  test('is nothing to a limiter that counts calls, or something else', () => {
    for (const cost of [undefined, 'requests']) {
      const layer = layerOf({ ...tokens, cost });
      const { step } = enter(layer);
      layer.charge(step.options, { tokens: 9 }, 0, step.ticket);
      expect(layer.line.earliestMs(10, 0)).toBe(100);
    }
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '3'])('F2: %s is no cost', (real) => {
    const message = `api: charge.tokens must be a finite number of at least 0, got ${typeof real === 'string' ? `"${real}"` : real}`;
    expect(() => layerOf(tokens).charge({}, { tokens: real as number }, 0, undefined)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message }),
    );
  });
});

describe('P5: closing', () => {
  test('refuses whoever comes, and is empty when nobody waits', () => {
    const layer = layerOf();
    const [, second] = [enter(layer), enter(layer)] as const;
    layer.admission.close();
    expect(enter(layer).decision).toMatchObject({ reject: { code: 'ERR_CLOSED', message: 'loadUser was refused: api is closed' } });
    expect([layer.isEmpty, layer.isIdle(1000)]).toEqual([true, false]);
    layer.abandon(second.step, true); // which it learns later
    expect(layer.line.waiting(0)).toBe(0);
  });
});

test('is idle when nothing is remembered', () => {
  const layer = layerOf();
  expect(layer.isIdle(0)).toBe(true);
  expect(layer.enter(fakeStep())).toBe(PROCEED);
  expect(layer.isIdle(99)).toBe(false);
  expect(layer.isIdle(100)).toBe(true);
});

test('describes itself with every option in force', () => {
  expect(layerOf({ burst: 2, cost: 'tokens' }).describe()).toEqual({
    name: 'api',
    kind: 'rate-limiter',
    options: {
      algorithm: 'gcra',
      limit: 10,
      periodMs: 1000,
      burst: 2,
      maxQueue: 1000,
      overflow: 'reject',
      adaptive: false,
      cost: 'tokens',
    },
    place: 6,
  });
  expect(layerOf({ algorithm: 'sliding-window' }).describe().options).toEqual({
    algorithm: 'sliding-window',
    limit: 10,
    periodMs: 1000,
    maxQueue: 1000,
    overflow: 'reject',
    adaptive: false,
    cost: 'none',
  });
});
