import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test, vi } from 'vitest';
import { bulkhead } from '../../src/bulkhead/bulkhead.ts';
import { circuitBreaker } from '../../src/circuit-breaker/circuit-breaker.ts';
import { fallback } from '../../src/fallback/fallback.ts';
import { compose } from '../../src/policy/compose.ts';
import { abandonedWork } from '../../src/policy/ongoing-work.ts';
import type { Call, Policy } from '../../src/policy/policy.ts';
import { PRIORITIES } from '../../src/policy/priority.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { rateLimit } from '../../src/rate-limiter/rate-limiter.ts';
import { retry } from '../../src/retry/retry.ts';
import { ctx } from '../../src/scope/ctx.ts';
import { timeout } from '../../src/timeout/timeout.ts';
import { deaf, inTime, obedient } from '../support/work.ts';
import { HOST, ORDERS, threeAttempts } from './orders.ts';

const time = onVirtualTime();
type AnyPolicy = Policy<unknown, unknown>;
const REASON = { reason: 'the caller left' };
const fail = (): never => {
  throw new Error('down');
};

describe.each(ORDERS)('in $name', ({ make }) => {
  test('P1 a permit is held until the work ends, not until its caller is told', async () => {
    const { policy, bulkhead: permits } = make();
    const controller = new AbortController();
    const result = ending(policy.execute(deaf(500, 1), { ...HOST, signal: controller.signal }));
    await time.clock.advance(10);
    controller.abort(REASON);
    await result;
    expect(permits.statistics()).toMatchObject({ inFlight: 1, abandoned: 1 });
    expect(abandonedWork()).toBeGreaterThan(0);
    await time.clock.advance(489);
    expect(permits.statistics()).toMatchObject({ inFlight: 1, abandoned: 1 });
    await time.clock.advance(1);
    expect(permits.statistics()).toMatchObject({ inFlight: 0, abandoned: 0 });
    expect(abandonedWork()).toBe(0);
  });

  test('P1 nor until its timeout', async () => {
    const { policy, bulkhead: permits } = make();
    const result = ending(policy.execute(deaf(30_000, 1), { ...HOST, timeout: '20s' }));
    await time.clock.advance('20s');
    expect(await result).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
    expect(permits.statistics()).toMatchObject({ inFlight: 1, abandoned: 1 });
    await time.clock.advance('1m');
    expect(permits.statistics()).toMatchObject({ inFlight: 0, abandoned: 0, waiting: 0 });
  });

  test('P1 a scope is not over before the work that was abandoned in it', async () => {
    const { policy } = make();
    let isOver = false;
    const scope = ctx.scope('app', async () => {
      await ending(policy.execute(deaf(500, 1), { ...HOST, timeout: 10 }));
    });
    void scope.then(() => (isOver = true));
    await time.clock.advance(499);
    expect(isOver).toBe(false);
    await time.clock.advance(1);
    await scope;
  });

  test('P2 a permit goes straight to whoever has waited longest, and a newcomer cannot overtake', async () => {
    const { policy, bulkhead: permits } = make();
    const order: string[] = [];
    const first = policy.execute(deaf(100, 0), HOST);
    const waiting = ['a', 'b', 'c'].map((name) => policy.execute(() => order.push(name), HOST));
    // Comes as soon as the permit is given back, before those who wait have run.
    const newcomer = first.then(() => policy.execute(() => order.push('newcomer'), HOST));
    await time.clock.advance(100);
    await Promise.all([...waiting, newcomer]);
    expect(order).toEqual(['a', 'b', 'c', 'newcomer']);
    expect(permits.statistics()).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  test('P2 the more urgent of those who wait goes first; within one priority, and among callers that are not told apart, the one that came first', async () => {
    const { policy } = make();
    const order: string[] = [];
    const first = policy.execute(deaf(100, 0), HOST);
    const names = PRIORITIES.toReversed().flatMap((priority) => [`${priority} a`, `${priority} b`]);
    const waiting = names.map((name) => {
      const priority = PRIORITIES.find((each) => name.startsWith(each));
      return policy.execute(() => order.push(name), { ...HOST, priority });
    });
    await time.clock.advance(100);
    await Promise.all([first, ...waiting]);
    expect(order).toEqual(PRIORITIES.flatMap((priority) => [`${priority} a`, `${priority} b`]));
  });

  test('P3 a queued call runs in the async context of whoever made it, not of whoever made room', async () => {
    const { policy } = make();
    const storage = new AsyncLocalStorage<string>();
    const first = storage.run('first', () => policy.execute(deaf(100, 0), HOST));
    const others = ['a', 'b', 'c'].map((name) => storage.run(name, () => policy.execute(() => storage.getStore(), HOST)));
    await time.clock.advance(100);
    await first;
    expect(await Promise.all(others)).toEqual(['a', 'b', 'c']);
  });

  test('P3 so does an attempt after a backoff, and one after a timeout', async () => {
    const { policy } = make();
    const storage = new AsyncLocalStorage<string>();
    const seen: string[] = [];
    const call = (name: string): Promise<unknown> =>
      storage.run(name, () => {
        let starts = 0;
        return policy.execute((own) => {
          seen.push(`${name}: ${storage.getStore()}`);
          starts++;
          if (starts === 1) return fail();
          return starts === 2 ? obedient(1500, 'late')(own) : name;
        }, HOST);
      });
    const results = Promise.allSettled(['a', 'b'].map(call));
    await time.clock.advance('1m');
    await results;
    expect(seen.length).toBeGreaterThanOrEqual(4);
    expect(new Set(seen)).toEqual(new Set(['a: a', 'b: b']));
  });

  test('P4 user code may use the same policy again', async () => {
    const { policy, bulkhead: permits } = make();
    const after: unknown[] = [];
    const result = policy.execute(() => {
      after.push(ending(policy.execute(() => 'nested', HOST)));
      return 'outer';
    }, HOST);
    expect(await result).toBe('outer');
    expect(await after[0]).toEqual({ value: 'nested' });
    expect(permits.statistics().inFlight).toBe(0);
  });

  test('P5 closing settles whoever waits and whoever comes later; what runs goes on; twice is once', async () => {
    const { policy, bulkhead: permits } = make();
    const running = policy.execute(deaf(100, 'running'), HOST);
    const waiting = ending(policy.execute(() => 1, HOST));
    await time.clock.settle();
    permits.close();
    permits.close();
    const later = ending(policy.execute(() => 2, HOST));
    expect(await waiting).toMatchObject({ error: { code: 'ERR_CLOSED' } });
    expect(await later).toMatchObject({ error: { code: 'ERR_CLOSED' } });
    await time.clock.advance(100);
    expect(await running).toBe('running');
    expect(permits.statistics()).toMatchObject({ inFlight: 0, waiting: 0, isClosed: true });
  });

  test('P5 draining lets whoever runs and waits finish, and nobody else in', async () => {
    const { policy, bulkhead: permits } = make();
    const results = [policy.execute(deaf(100, 1), HOST), policy.execute(deaf(100, 2), HOST)];
    await time.clock.settle();
    const drained = permits.drain();
    expect(await ending(policy.execute(() => 3, HOST))).toMatchObject({ error: { code: 'ERR_CLOSED' } });
    await time.clock.advance(200);
    expect(await Promise.all(results)).toEqual([1, 2]);
    await drained;
  });
});

/** Works for some time, and writes down that it has begun. */
test('P5 a drain lets nobody in any more, and is over when who runs and who waits are through', async () => {
  const permits = bulkhead({ maxConcurrency: 1 });
  const results = [1, 2].map((n) => permits.execute(() => inTime(10, n)));
  const drained = permits.drain().then(() => time.clock.nowMs());
  expect(await ending(permits.execute(() => 3))).toMatchObject({ error: { code: 'ERR_CLOSED' } });
  await time.clock.advance(20);
  expect(await Promise.all([...results, drained])).toEqual([1, 2, 20]);
});

test('P1 abandoned work is bounded: who would have to wait behind too much of it is refused at once', async () => {
  const permits = bulkhead({ maxConcurrency: 2, maxAbandoned: 1 });
  const policy = compose(timeout(10), permits);
  const abandoned = [1, 2].map(() => ending(policy.execute(deaf(500, 1))));
  await time.clock.advance(10);
  await Promise.all(abandoned);
  expect(permits.statistics()).toMatchObject({ inFlight: 2, abandoned: 2 });
  expect(await ending(permits.execute(() => 3))).toMatchObject({ error: { code: 'ERR_BULKHEAD_FULL' } });
  await time.clock.advance(490);
});

describe('P1 what is held and outlives the end of its call is abandoned, and counts as such', () => {
  const HOLDS = (call: Call): string => {
    call.hold(inTime(500, 'a body that does not listen'));
    return 'head';
  };

  test.each([
    ['timed out', (permits: AnyPolicy) => compose(timeout(50), permits).execute(HOLDS)],
    ['timed out by a limit inside', (permits: AnyPolicy) => compose(permits, timeout(50)).execute(HOLDS)],
    ['timed out by its own limit', (permits: AnyPolicy) => permits.execute(HOLDS, { timeout: 50 })],
    [
      'cancelled by its caller',
      (permits: AnyPolicy) => {
        const controller = new AbortController();
        time.clock.schedule(50, () => controller.abort(REASON));
        return permits.execute(HOLDS, { signal: controller.signal });
      },
    ],
    ['timed out while it ran', (permits: AnyPolicy) => permits.execute((call) => HOLDS(call) && obedient(1000, 1)(call), { timeout: 50 })],
    ['ended by a call inside', (permits: AnyPolicy) => permits.execute((parent) => compose(timeout(50)).execute(HOLDS, { parent }))],
  ] as const)('%s', async (_name, start) => {
    const permits = bulkhead({ maxConcurrency: 1, maxAbandoned: 0 });
    const result = ending(start(permits));
    await time.clock.advance(49);
    expect(permits.statistics()).toMatchObject({ inFlight: 1, abandoned: 0 });
    await time.clock.advance(1);
    await result;
    expect(permits.statistics()).toMatchObject({ inFlight: 1, abandoned: 1 });
    expect(abandonedWork()).toBeGreaterThan(0);
    expect(await ending(permits.execute(() => 'waits behind it'))).toMatchObject({ error: { code: 'ERR_BULKHEAD_FULL' } });
    await time.clock.advance(450);
    expect(permits.statistics()).toMatchObject({ inFlight: 0, abandoned: 0 });
    expect(abandonedWork()).toBe(0);
  });
});

describe('P1 the permit of a', () => {
  test.each([
    [
      'failed attempt whose value was refused',
      compose(retry({ maxAttempts: 2, baseDelay: 100, jitter: 'none', handlesResult: (value) => value === 'first' }), timeout('1s')),
    ],
    ['replaced outcome', compose(fallback('instead', { handlesResult: (value) => value === 'first' }), timeout('1s'))],
    [
      'replaced outcome whose replacement runs',
      compose(
        fallback(() => inTime(10, 'instead'), { handlesResult: (value) => value === 'first' }),
        timeout('1s'),
      ),
    ],
  ] as const)('%s is held while the attempt holds something that does not listen', async (_name, around) => {
    const permits = bulkhead({ maxConcurrency: 1 });
    let starts = 0;
    const result = compose(permits, around).execute((call) => {
      if (starts++ > 0) return 'second';
      call.hold(inTime(500, 'the body'));
      return 'first';
    });
    await time.clock.advance(200);
    expect(await result).not.toBe('first');
    expect(permits.statistics().inFlight).toBe(1);
    await time.clock.advance(300);
    expect(permits.statistics().inFlight).toBe(0);
  });
});

test('P5 closing a limiter settles whoever waits and whoever comes later; draining it lets those who wait start', async () => {
  const closed = rateLimit({ limit: 1, period: '1s' });
  const drained = rateLimit({ limit: 1, period: '1s' });
  const results = [closed, drained].map((limiter) => [1, 2].map((value) => ending(limiter.execute(() => value))));
  closed.close();
  const draining = drained.drain();
  const later = await Promise.all([closed, drained].map((limiter) => ending(limiter.execute(() => 3))));
  expect(later).toMatchObject([{ error: { code: 'ERR_CLOSED' } }, { error: { code: 'ERR_CLOSED' } }]);
  expect(await results[0]?.[1]).toMatchObject({ error: { code: 'ERR_CLOSED' } });
  await time.clock.advance('1s');
  expect(await results[1]?.[1]).toEqual({ value: 2 });
  await draining;
});

describe('P3 user code goes on in its own async context', () => {
  const storage = new AsyncLocalStorage<string>();

  /** Everything that waits, with what has to happen first. */
  const waits: readonly (readonly [string, () => Policy<unknown, unknown>, (policy: Policy<unknown, unknown>) => Promise<unknown>])[] = [
    ['a backoff', () => threeAttempts(), () => Promise.resolve()],
    ['a token', () => rateLimit({ limit: 1, period: '1s' }), (limiter) => limiter.execute(() => 0)],
    ['a permit', () => bulkhead({ maxConcurrency: 1 }), async (permits) => void permits.execute(deaf(100, 0))],
    [
      'an open breaker',
      () => compose(threeAttempts(), circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1s' })),
      (policy) => ending(policy.execute(fail, { idempotent: false })),
    ],
    ['a timeout', () => compose(threeAttempts(), timeout(10)), () => Promise.resolve()],
    [
      'a fallback after a timeout',
      () =>
        compose(
          fallback(() => storage.getStore()),
          timeout(10),
        ),
      () => Promise.resolve(),
    ],
  ];

  const operation = (): (() => unknown) => {
    let starts = 0;
    return () => {
      if (starts++ > 0) return storage.getStore();
      return inTime(20, undefined).then(fail);
    };
  };

  describe.each(waits)('after %s', (name, make, prepare) => {
    test.each(['outside any scope', 'in a scope'])('%s', async (where) => {
      const policy = make();
      await storage.run('who made it wait', () => prepare(policy));
      const isRetried = !['a token', 'a permit', 'an open breaker'].includes(name);
      const call = (id: string): Promise<unknown> =>
        storage.run(id, () => policy.execute(isRetried ? operation() : () => storage.getStore()));
      const body = (): Promise<unknown> => Promise.all(['a', 'b', 'c'].map(call));
      const result = where === 'in a scope' ? ctx.scope('app', body) : body();
      await storage.run('the timer', () => time.clock.advance('1m'));
      expect(await result).toEqual(['a', 'b', 'c']);
    });
  });
});

test('P4 a reservation is made before the wait: who comes during it stands behind', async () => {
  const limiter = rateLimit({ limit: 10, period: '1s' });
  const ended: string[] = [];
  const nested = limiter.execute(() => limiter.execute(() => ended.push(`inner at ${time.clock.nowMs()}`)));
  await time.clock.advance(50);
  const newcomer = limiter.execute(() => ended.push(`newcomer at ${time.clock.nowMs()}`));
  await time.clock.advance(500);
  await Promise.all([nested, newcomer]);
  expect(ended).toEqual(['inner at 100', 'newcomer at 200']);
});

test('P4 a predicate that uses the policy it belongs to finds it in order', async () => {
  const seen = vi.fn();
  const permits = bulkhead({ maxConcurrency: 1 });
  const policy: Policy<unknown, unknown> = compose(
    retry({
      maxAttempts: 2,
      baseDelay: 10,
      handles: () => {
        seen(permits.statistics().inFlight);
        void policy.execute(() => seen('nested'), HOST);
        return true;
      },
    }),
    permits,
  );
  const result = ending(policy.execute(fail));
  await time.clock.advance(100);
  await result;
  expect(seen.mock.calls).toEqual([[0], ['nested'], [0], ['nested']]);
});
