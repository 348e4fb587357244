import { describe, expect, test, vi } from 'vitest';
import { bulkhead } from '../../src/bulkhead/bulkhead.ts';
import { type CircuitBreaker, circuitBreaker } from '../../src/circuit-breaker/circuit-breaker.ts';
import { keyed } from '../../src/keyed/keyed.ts';
import { compose } from '../../src/policy/compose.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { rateLimit } from '../../src/rate-limiter/rate-limiter.ts';
import { timeout } from '../../src/timeout/timeout.ts';
import { deaf, endless, failIn, inTime, obedient } from '../support/work.ts';
import { halfOpen, PLACES } from './breaker-places.ts';

const time = onVirtualTime();
type AnyPolicy = Policy<unknown, unknown>;
const fail = (): never => {
  throw new Error('down');
};

describe.each(PLACES)('%s', (_name, around) => {
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
    const breaker = await halfOpen(time.clock);
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
    const breaker = await halfOpen(time.clock);
    const probe = ending(compose(timeout(50), around(breaker)).execute(endless));
    await time.clock.advance(50);
    expect(await probe).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 0 });
  });

  test('B2 there are no more probes than places', async () => {
    const breaker = await halfOpen(time.clock, { maxProbes: 2, successThreshold: 3 });
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

  test('B3 nobody waits behind a probe', async () => {
    const breaker = await halfOpen(time.clock);
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
  const breaker = await halfOpen(time.clock, { maxProbes: 2, probeLease: '1h' });
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
  const breaker = await halfOpen(time.clock, { probeLease: 500 });
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
