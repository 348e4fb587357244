import { describe, expect, test } from 'vitest';
import { type CalleeQuota, OUTCOME, type Outcome } from '../outcome/classify.ts';
import { DONE } from '../policy/layer.ts';
import { type Decision, type FakeStep, fakeStep } from '../testing/fake-step.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { AdaptiveLayer } from './adaptive-layer.ts';
import type { RateLimitedError } from './rate-limited-error.ts';
import type { RateLimiterRules } from './rate-limiter-options.ts';

const layerOf = (rules: Partial<RateLimiterRules> = {}): AdaptiveLayer =>
  new AdaptiveLayer({
    name: 'api',
    algorithm: 'gcra',
    limit: 100,
    periodMs: 1000,
    burst: 100,
    maxQueue: 1000,
    overflow: 'reject',
    adaptive: true,
    cost: undefined,
    ...rules,
  });

const saying = (outcome: Partial<Outcome>): object => ({ [OUTCOME]: outcome });

const enter = (layer: AdaptiveLayer, given: Parameters<typeof fakeStep>[0] = {}): { decision: Decision | undefined; step: FakeStep } => {
  const step = fakeStep({ operation: 'loadUser', ...given });
  return { decision: step.decided(layer.enter(step)), step };
};

/** A call that the layer lets through, and that comes to `outcome` at `atMs`. */
function call(layer: AdaptiveLayer, outcome: Partial<Outcome>, atMs = 0, given: Parameters<typeof fakeStep>[0] = {}): FakeStep {
  const { decision, step } = enter(layer, { nowMs: atMs, ...given });
  expect(decision).toBe('pass');
  const hook = outcome.kind === 'ok' ? layer.succeed(step, saying(outcome)) : layer.fail(step, saying(outcome));
  expect(hook).toBe(DONE);
  layer.release(step.ticket);
  return step;
}

const startsAtMs = (decision: Decision | undefined): unknown =>
  typeof decision === 'object' && 'expectedMs' in decision ? decision.expectedMs : decision;

describe('a pause', () => {
  test.each(['throttled', 'overloaded'] as const)('follows the Retry-After of what is %s: nobody starts before', (kind) => {
    const layer = layerOf();
    const step = call(layer, { kind, retryAfterMs: 5000 }, 100);
    expect([layer.pausedMs(100), layer.pausedMs(5000), layer.pausedMs(5100)]).toEqual([5000, 100, 0]);
    expect(step.events).toEqual([{ type: 'paused', pausedMs: 5000 }]);
    expect(startsAtMs(enter(layer, { nowMs: 200 }).decision)).toBe(5100);
    expect(layer.limitInForce).toBe(100);
  });

  test('is as long as the longest that was asked for, and told of once', () => {
    const layer = layerOf();
    const steps = [enter(layer).step, enter(layer).step];
    layer.fail(steps[0] as FakeStep, saying({ kind: 'throttled', retryAfterMs: 5000 }));
    layer.fail(steps[1] as FakeStep, saying({ kind: 'throttled', retryAfterMs: 1000 }));
    expect([layer.pausedMs(0), steps[1]?.events]).toEqual([5000, []]);
  });

  test('follows a value that says so, too, and costs nothing while nobody listens', () => {
    const layer = layerOf();
    const { step } = enter(layer, { isObserved: false });
    layer.succeed(step, saying({ kind: 'throttled', retryAfterMs: 70 }));
    expect([layer.pausedMs(0), step.events]).toEqual([70, []]);
  });

  test.each<[Partial<Outcome>]>([
    [{ kind: 'transient', retryAfterMs: 5000 }],
    [{ kind: 'permanent', retryAfterMs: 5000 }],
    [{ kind: 'ok', retryAfterMs: 5000 }],
    [{ kind: 'overloaded' }],
    [{ kind: 'overloaded', retryAfterMs: Number.POSITIVE_INFINITY }],
    [{ kind: 'throttled', origin: 'local', retryAfterMs: 5000 }],
    [{ kind: 'cancelled', retryAfterMs: 5000 }],
  ])('does not follow %j', (outcome) => {
    const layer = layerOf();
    call(layer, outcome);
    expect([layer.pausedMs(0), layer.limitInForce]).toEqual([0, 100]);
  });

  test('T4: refuses at once who cannot wait so long, of those who wait, too; the others stay in order', () => {
    const layer = layerOf({ burst: 1 });
    const running = enter(layer).step;
    const waiting = [50, Number.POSITIVE_INFINITY, 4000, 9000].map((timeLeftMs) => enter(layer, { timeLeftMs }));
    expect(waiting.map(({ decision }) => startsAtMs(decision))).toEqual([10, 20, 30, 40]);
    const refused: unknown[] = [];
    const clock = new VirtualClock();
    for (const [index] of waiting.entries()) layer.queue.add({ clock, called: () => {}, refused: (error) => refused.push(error, index) });
    layer.fail(running, saying({ kind: 'throttled', retryAfterMs: 5000 }));
    expect([refused[1], refused[3], refused.length]).toEqual([0, 2, 4]);
    expect(refused[0]).toMatchObject({ code: 'ERR_RATE_LIMITED', operation: 'loadUser', retryAfterMs: 5000 });
    expect((refused[0] as RateLimitedError).message).toBe(
      'loadUser was refused: api (100 per 1s) would let it through in 5s, as its callee asks for a pause of 5s, but that is beyond the deadline; raise limit or the deadline, or slow the callers',
    );
    expect([layer.dropped, layer.line.size, layer.line.dueMs(0)]).toEqual([2, 2, 5000]);
    expect(layer.line.earliestMs(1, 0)).toBe(5020);
  });

  test('holds up what costs nothing, too', () => {
    const layer = layerOf();
    call(layer, { kind: 'throttled', retryAfterMs: 50 });
    expect(startsAtMs(enter(layer, { options: { cost: 0 } }).decision)).toBe(50);
    expect(enter(layer, { nowMs: 50, options: { cost: 0 } }).decision).toBe('pass');
  });
});

describe('a quota', () => {
  const remaining = (count: number): readonly CalleeQuota[] => [{ remaining: count, resetMs: 10_000 }];

  test('lets no more start than it leaves, less what is on its way', () => {
    const layer = layerOf();
    const [first] = [enter(layer).step, enter(layer).step];
    layer.succeed(first as FakeStep, saying({ kind: 'ok', quotas: remaining(3) }));
    expect(layer.remaining(0)).toBe(2);
    expect([1, 2, 3].map(() => startsAtMs(enter(layer).decision))).toEqual(['pass', 'pass', 10_000]);
    expect(startsAtMs(enter(layer).decision)).toBe(10_000);
    expect([layer.remaining(0), layer.remaining(10_000)]).toEqual([0, null]);
  });

  test('says so in a refusal', () => {
    const layer = layerOf();
    call(layer, { kind: 'ok', quotas: remaining(0) });
    const { refusal } = enter(layer).decision as { refusal: RateLimitedError };
    expect(refusal.message).toMatch(/would let it through in 10s, as its callee’s quota leaves 0, but that is beyond/);
  });

  test('counts what was let go as on its way until it has ended', () => {
    const layer = layerOf();
    const [left, late, last] = [enter(layer).step, enter(layer).step, enter(layer).step];
    layer.abandon(left, false);
    layer.fail(late, saying({ kind: 'transient' }));
    layer.succeed(last, saying({ kind: 'ok', quotas: remaining(5) }));
    expect(layer.remaining(0)).toBe(3);
    for (const step of [left, late, last]) layer.release(step.ticket);
    call(layer, { kind: 'ok', quotas: remaining(4) }, 1);
    expect(layer.remaining(1)).toBe(4);
  });

  test('with a failure that is no answer is heard all the same', () => {
    const layer = layerOf();
    call(layer, { kind: 'transient', quotas: remaining(1) });
    expect(layer.remaining(0)).toBe(1);
  });

  test('of what the limiter does not count is another’s affair', () => {
    const tokens = layerOf({ cost: 'tokens' });
    const quotas = [
      { remaining: 1, resetMs: 500 },
      { remaining: 7, resetMs: 500, cost: 'tokens' },
      { remaining: Number.NaN, resetMs: 5, cost: 'tokens' },
    ];
    call(tokens, { kind: 'ok', quotas }, 0, { classify: () => ({ kind: 'ok', origin: 'remote', quotas }) });
    expect(tokens.remaining(0)).toBe(7);
    const calls = layerOf();
    call(calls, { kind: 'ok', quotas });
    expect(calls.remaining(0)).toBe(1);
  });

  test('that a refusal brings along is hint enough: the rate stays', () => {
    const layer = layerOf();
    call(layer, { kind: 'throttled', quotas: remaining(0) });
    expect([layer.limitInForce, layer.remaining(0)]).toEqual([100, 0]);
    const misled = layerOf();
    call(misled, { kind: 'throttled', quotas: remaining(9) });
    expect(misled.limitInForce).toBeLessThan(100);
    call(misled, { kind: 'throttled', quotas: remaining(1) }, 10);
  });

  test('plans for all who wait: as many as it leaves, then the others after the reset', () => {
    const layer = layerOf({ burst: 1, limit: 10 });
    call(layer, { kind: 'ok', quotas: remaining(2) });
    expect([1, 2, 3, 4].map(() => startsAtMs(enter(layer).decision))).toEqual([100, 200, 10_000, 10_100]);
    expect(layer.line.earliestMs(1, 0)).toBe(10_200);
  });

  test('that is heard of while calls wait plans them anew, and lets those start that it has room for', () => {
    const layer = layerOf({ burst: 1, limit: 10 });
    const [first, second] = [enter(layer).step, enter(layer).step] as const;
    const clock = new VirtualClock();
    let called = 0;
    layer.queue.add({ clock, called: () => called++, refused: () => expect.unreachable() });
    expect(layer.line.earliestMs(1, 0)).toBe(200);
    layer.succeed(first, saying({ kind: 'ok', quotas: remaining(0) }));
    expect([layer.line.dueMs(0), layer.line.earliestMs(1, 0), layer.line.earliestMs(1, 0)]).toEqual([10_000, 10_100, 10_100]);
    expect(layer.line.earliestInsteadMs(1, 0)).toBe(10_000);
    second.given.nowMs = 10_000;
    layer.due(second);
    expect(called).toBe(0);
  });

  test('that has more left again calls who waits for it', async () => {
    const layer = layerOf();
    const slow = enter(layer).step;
    call(layer, { kind: 'ok', quotas: remaining(2) });
    const later = enter(layer).step;
    expect(startsAtMs(enter(layer).decision)).toBe(10_000);
    const clock = new VirtualClock();
    let calledMs = -1;
    layer.queue.add({ clock, called: () => (calledMs = clock.nowMs()), refused: () => expect.unreachable() });
    layer.release(slow.ticket);
    layer.succeed(later, saying({ kind: 'ok', quotas: remaining(50) }));
    expect([calledMs, layer.line.dueMs(0)]).toEqual([0, 0]);
    await clock.advance(0);
  });

  test('plans those who wait one after the other when somebody leaves', () => {
    const layer = layerOf({ burst: 1, limit: 10 });
    call(layer, { kind: 'ok', quotas: remaining(2) });
    const waiting = [1, 2, 3, 4].map(() => enter(layer).step);
    layer.abandon(waiting[1] as FakeStep, true);
    expect(layer.line.earliestMs(1, 0)).toBe(10_100);
    layer.abandon(waiting[2] as FakeStep, true);
    expect(layer.line.earliestMs(1, 0)).toBe(10_000);
    expect(layer.line.earliestInsteadMs(1, 0)).toBe(200);
  });

  test('is used up by what is taken without a call, if it is taken now', () => {
    const layer = layerOf();
    call(layer, { kind: 'ok', quotas: remaining(5) });
    layer.reserve(2, 0, 0);
    layer.reserve(1, 50, 0);
    expect(layer.remaining(0)).toBe(3);
    layer.line.debit(300, 0); // of which it knows nothing
    expect(startsAtMs(enter(layer, { nowMs: 5000 }).decision)).toBe('pass');
    const { refusal } = enter(layer, { nowMs: 5000, options: { cost: 100 } }).decision as { refusal: RateLimitedError };
    expect(refusal.message).toMatch(/as its callee’s quota leaves 2, but/);
  });
});

describe('a policy', () => {
  const quotas = (limit: number, periodMs: number): readonly CalleeQuota[] => [{ remaining: 1000, resetMs: 1000, limit, periodMs }];

  test('that is lower is in force instead of ours, and told of', () => {
    const layer = layerOf({ burst: 1 });
    const step = call(layer, { kind: 'ok', quotas: quotas(600, 60_000) });
    expect([layer.limitInForce, layer.line.earliestMs(1, 0)]).toEqual([10, 100]);
    expect(step.events).toEqual([{ type: 'limit-changed', limitInForce: 10, reason: 'policy' }]);
    const { refusal } = enter(layer).decision as { refusal: RateLimitedError };
    expect(refusal.message).toMatch(/^loadUser was refused: api \(10 of 100 per 1s\) would let it through in 100ms/);
  });

  test('that is higher is not', () => {
    const layer = layerOf({ burst: 1 });
    expect(call(layer, { kind: 'ok', quotas: quotas(600, 1000) }).events).toEqual([]);
    expect(layer.limitInForce).toBe(100);
  });

  test('lets a sliding window have as many at once, in a longer period', () => {
    const layer = layerOf({ algorithm: 'sliding-window', limit: 4 });
    call(layer, { kind: 'ok', quotas: quotas(1, 1000) });
    for (const cost of [3, 4]) enter(layer, { options: { cost } });
    expect([layer.limitInForce, layer.line.dueMs(0)]).toEqual([1, 4000]);
  });
});

describe('a refusal without a hint', () => {
  test.each([undefined, 0])('lowers the rate; answers let it recover, each change is told of', (retryAfterMs) => {
    const layer = layerOf({ burst: 10 });
    const events: unknown[] = [];
    for (let nowMs = 0; nowMs < 5000; nowMs += 20) call(layer, { kind: 'ok' }, nowMs);
    events.push(...call(layer, { kind: 'throttled', retryAfterMs }, 5000).events);
    const lowest = layer.limitInForce;
    expect(lowest).toBeCloseTo(35, 0);
    for (let nowMs = 5100; nowMs < 20_000; nowMs += 20) {
      const { decision, step } = enter(layer, { nowMs });
      if (decision !== 'pass') layer.abandon(step, true);
      else {
        layer.succeed(step, undefined);
        layer.release(step.ticket);
        events.push(...step.events);
      }
    }
    expect(layer.limitInForce).toBe(100);
    expect(events.slice(0, 1)).toEqual([{ type: 'limit-changed', limitInForce: lowest, reason: 'throttled' }]);
    expect(events.slice(1).every((event) => (event as { reason: string }).reason === 'recovering')).toBe(true);
    expect(events.at(-1)).toEqual({ type: 'limit-changed', limitInForce: 100, reason: 'recovering' });
  });

  test('is neutral if it is our own, or the call was cancelled', () => {
    const layer = layerOf();
    call(layer, { kind: 'throttled', origin: 'local' });
    call(layer, { kind: 'cancelled', quotas: [{ remaining: 1, resetMs: 1000 }] });
    expect(layer.remaining(0)).toBeNull();
    layer.abandon(enter(layer).step, false);
    expect(layer.limitInForce).toBe(100);
  });

  test('what is permanent is an answer, and what is transient or overloaded is none', () => {
    const layer = layerOf();
    call(layer, { kind: 'throttled' }, 0);
    const { limitInForce } = layer;
    for (const kind of ['transient', 'overloaded'] as const) call(layer, { kind }, 60_000);
    expect(layer.limitInForce).toBe(limitInForce);
    call(layer, { kind: 'permanent' }, 60_000);
    expect(layer.limitInForce).toBe(100);
  });

  test('of several that were under way lowers it once', () => {
    const layer = layerOf();
    const steps = Array.from({ length: 50 }, () => enter(layer).step);
    const limits = steps.map((step) => {
      layer.fail(step, saying({ kind: 'throttled' }));
      return layer.limitInForce;
    });
    expect(new Set(limits).size).toBe(1);
  });
});

describe('other rules', () => {
  const rules = { name: 'api', algorithm: 'gcra', maxQueue: 1000, overflow: 'reject', adaptive: true, cost: undefined } as const;

  test('are in force at once, and leave a lowered rate what it is', () => {
    const layer = layerOf();
    for (let nowMs = 0; nowMs < 5000; nowMs += 20) call(layer, { kind: 'ok' }, nowMs);
    call(layer, { kind: 'throttled' }, 5000);
    const lowered = layer.limitInForce;
    layer.changeRules({ ...rules, limit: 400, periodMs: 2000, burst: 1 }, 5000);
    expect(layer.limitInForce).toBeCloseTo(2 * lowered, 9);
    expect([layer.rules.limit, layer.line.capacity]).toEqual([400, 1]);
    expect(layer.line.earliestMs(1, 60_000)).toBe(60_000);
    enter(layer, { nowMs: 60_000 });
    expect(layer.line.earliestMs(1, 60_000)).toBeCloseTo(60_000 + 1000 / lowered, 6);
  });
});

test('what was lowered before a restart is in force for those who wait', () => {
  const layer = layerOf({ burst: 1 });
  enter(layer);
  enter(layer);
  expect(layer.line.dueMs(0)).toBe(10);
  layer.resume(0, 50, 0);
  expect(layer.line.dueMs(0)).toBe(20);
});

test('a call is charged by its ticket as in any limiter', () => {
  const layer = layerOf({ cost: 'tokens' });
  const { step } = enter(layer, { options: { cost: { tokens: 60 } } });
  layer.charge(step.options, { tokens: 10 }, 0, step.ticket);
  expect(layer.line.earliestMs(90, 0)).toBe(0);
  layer.charge(step.options, { tokens: 30 }, 0, step.ticket);
  expect(layer.line.earliestMs(90, 0)).toBe(200);
});

describe('is idle', () => {
  test('when nothing is remembered: no pause, no quota, no lowered rate', () => {
    const layer = layerOf();
    expect(layer.isIdle(0)).toBe(true);
    call(layer, { kind: 'throttled', retryAfterMs: 500 });
    expect([layer.isIdle(499), layer.isIdle(500)]).toEqual([false, true]);
    call(layer, { kind: 'ok', quotas: [{ remaining: 5, resetMs: 500 }] }, 1000);
    expect([layer.isIdle(1499), layer.isIdle(1500)]).toEqual([false, true]);
    call(layer, { kind: 'throttled' }, 2000);
    expect([layer.isIdle(2500), layer.isIdle(60_000)]).toEqual([false, true]);
  });
});
