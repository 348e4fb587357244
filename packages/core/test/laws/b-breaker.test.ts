import { describe, expect, test, vi } from 'vitest';
import { bulkhead } from '../../src/bulkhead/bulkhead.ts';
import { type CircuitBreaker, circuitBreaker } from '../../src/circuit-breaker/circuit-breaker.ts';
import type { CircuitBreakerOptions } from '../../src/circuit-breaker/circuit-breaker-options.ts';
import { fallback } from '../../src/fallback/fallback.ts';
import { keyed } from '../../src/keyed/keyed.ts';
import { OUTCOME } from '../../src/outcome/classify.ts';
import { compose } from '../../src/policy/compose.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { rateLimit } from '../../src/rate-limiter/rate-limiter.ts';
import { timeout } from '../../src/timeout/timeout.ts';
import { deaf, endless, failIn, inTime, obedient } from '../support/work.ts';
import { stranger, threeAttempts } from './orders.ts';

const time = onVirtualTime();
type AnyPolicy = Policy<unknown, unknown>;
const fail = (): never => {
  throw new Error('down');
};

/** Where a breaker may stand; the outermost of `around` is the whole. */
const places: readonly (readonly [string, (breaker: CircuitBreaker) => AnyPolicy])[] = [
  ['alone', (breaker) => breaker],
  ['inside a retry', (breaker) => compose(threeAttempts(), breaker)],
  ['around a retry', (breaker) => compose(breaker, threeAttempts())],
  ['between strangers', (breaker) => compose(stranger(), breaker, stranger())],
  [
    'in a nested composition',
    (breaker) => compose(timeout('1h'), compose(fallback(0, { handles: () => false }), compose(breaker, timeout('1h')))),
  ],
];

/** A breaker that one failure has opened, at whose next call it is half-open. */
async function halfOpen(options: CircuitBreakerOptions = {}): Promise<CircuitBreaker> {
  const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1s', ...options });
  await ending(breaker.execute(fail, { idempotent: false }));
  expect(breaker.state).toBe('open');
  await time.clock.advance('1s');
  return breaker;
}

describe.each(places)('%s', (_name, around) => {
  test.each([
    ['success', () => inTime(2500, 1)],
    ['failure', () => failIn(2500, new Error('late'))],
  ] as const)('B1 the late %s of a call that began in an older state is ignored', async (_what, late) => {
    const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1s', successThreshold: 2, probeLease: '1h' });
    const old = ending(around(breaker).execute(late, { idempotent: false }));
    await ending(breaker.execute(fail));
    await time.clock.advance('1s');
    const probe = breaker.execute(() => inTime(5000, 'probe'));
    await time.clock.advance('2s');
    await old;
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 1, opened: 1 });
    await time.clock.advance('4s');
    await probe;
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 0 });
  });

  test('B2 a probe that its caller cancels is neutral and gives its place back', async () => {
    const breaker = await halfOpen();
    const controller = new AbortController();
    const probe = ending(around(breaker).execute(obedient(500, 1), { signal: controller.signal }));
    await time.clock.advance(10);
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 1 });
    controller.abort('gone');
    expect(await probe).toEqual({ error: 'gone' });
    await time.clock.settle();
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 0 });
    expect(await breaker.execute(() => 'the next probe')).toBe('the next probe');
    expect(breaker.state).toBe('closed');
  });

  test('B2 so is one that a limit outside ends', async () => {
    const breaker = await halfOpen();
    const probe = ending(compose(timeout(50), around(breaker)).execute(endless));
    await time.clock.advance(50);
    expect(await probe).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 0 });
  });

  test('B2 there are no more probes than places', async () => {
    const breaker = await halfOpen({ maxProbes: 2, successThreshold: 3 });
    const ran = vi.fn(() => inTime(500, 1));
    const calls = Array.from({ length: 5 }, () => ending(around(breaker).execute(ran, { idempotent: false })));
    await time.clock.advance(100);
    expect(ran).toHaveBeenCalledTimes(2);
    expect(breaker.statistics().inFlight).toBe(2);
    await time.clock.advance('1m');
    await Promise.all(calls);
  });

  test('B3 while it is open a call fails at once and says when to come again', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '10s' });
    await ending(breaker.execute(fail));
    await time.clock.advance('4s');
    const ran = vi.fn();
    const refused = await ending(around(breaker).execute(ran, { idempotent: false }));
    expect(refused).toMatchObject({ error: { code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 6000 } });
    expect(time.clock.nowMs()).toBe(4000);
    expect(ran).not.toHaveBeenCalled();
  });

  test('B3 after closing, the calls in flight ramp up, and are never below one', async () => {
    const breaker = await halfOpen({ rampUp: 7 });
    await breaker.execute(() => 'probe');
    expect(breaker.state).toBe('closed');
    for (const places of [1, 2, 4]) {
      const ran = vi.fn(() => inTime(10, 1));
      const calls = Array.from({ length: 5 }, () => ending(around(breaker).execute(ran, { idempotent: false })));
      await time.clock.settle();
      expect(ran).toHaveBeenCalledTimes(places);
      await time.clock.advance(10);
      const refused = (await Promise.all(calls)).filter((outcome) => 'error' in outcome);
      expect(refused).toHaveLength(5 - places);
      for (const { error } of refused) expect(error).toMatchObject({ code: 'ERR_CIRCUIT_OPEN', retryAfterMs: expect.any(Number) });
    }
    expect(await Promise.all([1, 2, 3, 4, 5].map((value) => around(breaker).execute(() => value)))).toEqual([1, 2, 3, 4, 5]);
  });

  test('B3 a call that hangs does not keep a circuit that has closed to itself', async () => {
    const breaker = await halfOpen({ rampUp: 4 });
    await breaker.execute(() => 'probe');
    const hanging = ending(around(breaker).execute(() => inTime(5000, 1), { idempotent: false }));
    await time.clock.advance(250);
    expect(await around(breaker).execute(() => 2, { idempotent: false })).toBe(2);
    await time.clock.advance('1s');
    expect(breaker.statistics()).toMatchObject({ state: 'closed', inFlight: 1 });
    expect(breaker.statistics()).not.toHaveProperty('ramp');
    await time.clock.advance('5s');
    await hanging;
  });

  test('B4 a callee that hangs opens the circuit before its calls end', async () => {
    const breaker = circuitBreaker({ failureThreshold: 2, slowCallDuration: '1s', recoveryTimeout: '10s' });
    const calls = Array.from({ length: 2 }, () => ending(around(breaker).execute(() => inTime(60_000, 1), { idempotent: false })));
    await time.clock.advance(999);
    expect(breaker.state).toBe('closed');
    await time.clock.advance(1);
    expect(breaker.statistics()).toMatchObject({ state: 'open', inFlight: 2, retryAfterMs: 10_000 });
    await time.clock.advance('4s');
    const refused = await ending(around(breaker).execute(() => 3, { idempotent: false }));
    expect(refused).toMatchObject({ error: { code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 6000 } });
    await time.clock.advance('1m');
    expect(await Promise.all(calls)).toEqual([{ value: 1 }, { value: 1 }]);
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 0, opened: 1 });
  });

  test('B4 a call that its caller gives up is neutral while it is quick, and has been slow when it was', async () => {
    const breaker = circuitBreaker({ window: { calls: 10 }, slowCallDuration: '1s' });
    const controller = new AbortController();
    const first = ending(around(breaker).execute(obedient(5000, 1), { signal: controller.signal }));
    await time.clock.advance(900);
    const second = ending(around(breaker).execute(deaf(5000, 2), { signal: controller.signal, idempotent: false }));
    controller.abort('gone');
    await time.clock.advance(900);
    expect(breaker.statistics()).toMatchObject({ calls: 0, slowCalls: 0 });
    const late = ending(compose(timeout(1100), around(breaker)).execute(obedient(5000, 3)));
    await time.clock.advance(1200);
    expect(breaker.statistics()).toMatchObject({ calls: 1, slowCalls: 1, failures: 0 });
    await time.clock.advance('10s');
    await Promise.all([first, second, late]);
    expect(breaker.statistics()).toMatchObject({ calls: 1, slowCalls: 1, inFlight: 0 });
  });

  test('B6 it stays open longer each time it opens again, up to the maximum, until it has been stable', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1s', maxRecoveryTimeout: '5s' });
    const openings = async (times: number): Promise<readonly unknown[]> => {
      const waits: unknown[] = [];
      for (let i = 0; i < times; i++) {
        await ending(around(breaker).execute(fail, { idempotent: false }));
        const { error } = (await ending(around(breaker).execute(fail, { idempotent: false }))) as { error: { retryAfterMs: number } };
        waits.push(error.retryAfterMs);
        await time.clock.advance(error.retryAfterMs);
      }
      return waits;
    };
    expect(await openings(4)).toEqual([1000, 2000, 4000, 5000]);
    await around(breaker).execute(() => 'probe');
    await time.clock.advance(4999);
    expect(await openings(1)).toEqual([5000]);
    await around(breaker).execute(() => 'probe');
    await time.clock.advance(5000);
    expect(await openings(2)).toEqual([1000, 2000]);
  });

  test('B3 nobody waits behind a probe', async () => {
    const breaker = await halfOpen();
    const probe = breaker.execute(deaf(500, 1));
    const refused = await ending(around(breaker).execute(() => 2, { idempotent: false }));
    expect(refused).toMatchObject({ error: { code: 'ERR_CIRCUIT_OPEN' } });
    expect(time.clock.nowMs()).toBe(1000);
    await time.clock.advance(500);
    await probe;
  });
});

test('B1 a late failure does not open a circuit that has closed since', async () => {
  const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1s' });
  const old = ending(breaker.execute(() => failIn(5000, new Error('late'))));
  await ending(breaker.execute(fail));
  await time.clock.advance('1s');
  await breaker.execute(() => 'probe');
  expect(breaker.state).toBe('closed');
  await time.clock.advance('4s');
  await old;
  expect(breaker.statistics()).toMatchObject({ state: 'closed', opened: 1, failures: 0 });
});

test('B1 nor does a probe count that was sent before it opened again', async () => {
  const breaker = await halfOpen({ maxProbes: 2, probeLease: '1h' });
  const slow = breaker.execute(() => inTime(5000, 'slow'));
  await ending(breaker.execute(fail));
  expect(breaker.state).toBe('open');
  await time.clock.advance('2s');
  expect(breaker.state).toBe('half-open');
  await time.clock.advance('3s');
  expect(await slow).toBe('slow');
  expect(breaker.state).toBe('half-open');
});

test('B2 a probe has a lease: one that hangs does not block the circuit', async () => {
  const breaker = await halfOpen({ probeLease: 500 });
  const hanging = breaker.execute(() => inTime(10_000, 'late'));
  await time.clock.advance(499);
  expect(await ending(breaker.execute(() => 1))).toMatchObject({ error: { code: 'ERR_CIRCUIT_OPEN' } });
  await time.clock.advance(5000);
  expect(await breaker.execute(() => 'another probe')).toBe('another probe');
  expect(breaker.state).toBe('closed');
  await time.clock.advance(5000);
  expect(await hanging).toBe('late');
  expect(breaker.state).toBe('closed');
});

test('B3 after it has closed, calls pass at once where nothing is to ramp up', async () => {
  const breaker = await halfOpen({ successThreshold: 2, rampUp: 0 });
  await breaker.execute(() => 1);
  expect(breaker.state).toBe('half-open');
  await breaker.execute(() => 2);
  expect(breaker.state).toBe('closed');
  expect(await Promise.all([3, 4, 5].map((value) => breaker.execute(() => value)))).toEqual([3, 4, 5]);
});

test.each([
  ['consecutive failures', { failureThreshold: 3, recoveryTimeout: '10s', probeLease: '10s' }],
  ['the last calls', { window: { calls: 3 }, failureRate: 1, recoveryTimeout: '10s', probeLease: '10s' }],
  ['the last while', { window: { period: '10s' }, failureRate: 1, minimumCalls: 3 }],
] as const)('B5 what is counted over %s is forgotten when nobody calls', async (_name, options) => {
  const breaker = circuitBreaker(options);
  for (let i = 0; i < 2; i++) await ending(breaker.execute(fail));
  expect(breaker.statistics().failures).toBe(2);
  await time.clock.advance('1h');
  expect(breaker.statistics()).toMatchObject({ calls: 0, failures: 0 });
  await ending(breaker.execute(fail));
  expect(breaker.state).toBe('closed');
});

test.each([
  ['in a row', { failureThreshold: 4 }],
  ['over the last calls', { window: { calls: 10 }, minimumCalls: 4, slowCallRate: 1 }],
  ['over the last while', { window: { period: '1m' }, minimumCalls: 4, slowCallRate: 1 }],
] as const)('B4 slow calls are counted %s', async (_name, options) => {
  const breaker = circuitBreaker({ ...options, slowCallDuration: '1s' });
  const calls = [0, 100, 200, 300].map(async (ms) => {
    await inTime(ms, undefined);
    return await ending(breaker.execute(() => inTime(10_000, 1)));
  });
  await time.clock.advance(1299);
  expect(breaker.state).toBe('closed');
  await time.clock.advance(1);
  expect(breaker.state).toBe('open');
  await time.clock.advance('10s');
  await Promise.all(calls);
});

test('B4 slow calls open it when they become slow, whenever that is noticed', async () => {
  const breaker = circuitBreaker({ failureThreshold: 1, slowCallDuration: '1s', recoveryTimeout: '10s' });
  const call = breaker.execute(() => inTime(60_000, 1));
  await time.clock.advance('5s');
  expect(await ending(breaker.execute(() => 2))).toMatchObject({ error: { code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 6000 } });
  await time.clock.advance('1m');
  await call;
});

test('B6 it stays open for as long as the failure that opened it asked for, up to the maximum', async () => {
  const asking = (retryAfterMs: number): Error => Object.assign(new Error('busy'), { [OUTCOME]: { kind: 'overloaded', retryAfterMs } });
  for (const [askedMs, openMs] of [
    [500, 1000],
    [4000, 4000],
    [1e9, 60_000],
  ] as const) {
    const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1s', maxRecoveryTimeout: '1m' });
    await ending(breaker.execute(() => Promise.reject(asking(askedMs))));
    expect(breaker.statistics().retryAfterMs).toBe(openMs);
  }
});

describe('B7 a keyed breaker', () => {
  const perHost = (): ReturnType<typeof keyed<never, unknown>> =>
    keyed('host', () => circuitBreaker({ failureThreshold: 3, recoveryTimeout: '1m', rampUp: 0 }) as Policy<never, unknown>, {
      maxKeys: 2,
    });
  const call = (policy: AnyPolicy, host: string, operation: () => unknown): Promise<unknown> =>
    ending(policy.execute(operation, { keys: { host } }));

  test('goes when it is idle, closed and clean', async () => {
    const policy = perHost();
    for (const host of ['a', 'b', 'c']) await call(policy, host, () => 1);
    expect(policy.keys()).toEqual(['b', 'c']);
  });

  test.each([
    ['is open', 3],
    ['remembers a failure', 1],
  ])('stays while it %s', async (_name, failures) => {
    const policy = perHost();
    for (let i = 0; i < failures; i++) await call(policy, 'a', fail);
    for (const host of ['b', 'c', 'd']) await call(policy, host, () => 1);
    expect(policy.keys()).toContain('a');
    expect(policy.keys()).not.toContain('b');
  });

  test('stays while it is isolated, or closed so lately that it would forget what it has learned', async () => {
    const policy = perHost();
    for (let i = 0; i < 3; i++) await call(policy, 'a', fail);
    await time.clock.advance('1m');
    await call(policy, 'a', () => 1);
    await call(policy, 'b', () => 1);
    const isolation = (policy.get('b') as unknown as CircuitBreaker).isolate('deploying');
    for (const host of ['c', 'd', 'e']) await call(policy, host, () => 1);
    expect(policy.keys().filter((host) => host === 'a' || host === 'b')).toHaveLength(2);
    isolation[Symbol.dispose]();
    await time.clock.advance('1m');
    for (const host of ['f', 'g', 'h']) await call(policy, host, () => 1);
    expect(policy.keys().filter((host) => host === 'a' || host === 'b')).toEqual([]);
  });

  test('stays while it is in use, abandoned work included', async () => {
    const policy = perHost();
    const controller = new AbortController();
    const running = ending(policy.execute(deaf(500, 1), { keys: { host: 'a' }, signal: controller.signal }));
    await time.clock.settle();
    controller.abort('gone');
    await running;
    for (const host of ['b', 'c', 'd']) await call(policy, host, () => 1);
    expect(policy.keys()).toContain('a');
    await time.clock.advance(500);
    for (const host of ['e', 'f']) await call(policy, host, () => 1);
    expect(policy.keys()).not.toContain('a');
  });
});

test.each([
  ['a full bulkhead', () => bulkhead({ maxConcurrency: 1, maxQueue: 0 })],
  ['a rate limit', () => rateLimit({ limit: 1, period: '1h', maxQueue: 0 })],
  ['an open breaker', () => circuitBreaker({ failureThreshold: 1 })],
] as const)('the refusals of %s inside say nothing of the callee', async (_name, make) => {
  const inner: AnyPolicy = make();
  const breaker = circuitBreaker({ failureThreshold: 1 });
  const first = ending(inner.execute(() => failIn(100, new Error('down'))));
  await time.clock.advance(10);
  if (_name === 'an open breaker') await time.clock.advance(100);
  expect(await ending(compose(breaker, inner).execute(() => 1))).toMatchObject({ error: { policy: expect.any(String) } });
  expect(breaker.statistics()).toMatchObject({ state: 'closed', failures: 0 });
  await time.clock.advance('2h');
  await first;
});
