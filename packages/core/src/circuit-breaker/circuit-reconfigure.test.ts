import { describe, expect, test } from 'vitest';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { scriptedOperation } from '../testing/scripted-operation.ts';
import { type CircuitBreaker, circuitBreaker } from './circuit-breaker.ts';
import type { CircuitBreakerOptions } from './circuit-breaker-options.ts';

const time = onVirtualTime();
const fail = (): Promise<never> => Promise.reject(new Error('down'));

async function failing(breaker: CircuitBreaker, times: number): Promise<CircuitBreaker> {
  for (let i = 0; i < times; i++) await ending(breaker.execute(fail));
  return breaker;
}

describe('reconfigure', () => {
  test('changes what is given, and nothing else', () => {
    const breaker = circuitBreaker({ name: 'api', failureThreshold: 3, recoveryTimeout: '10s', handles: [TypeError] });
    const { options: before } = breaker.describe();
    breaker.reconfigure({});
    breaker.reconfigure({ recoveryTimeout: undefined });
    breaker.reconfigure();
    expect(breaker.describe().options).toEqual(before);
    breaker.reconfigure({ recoveryTimeout: '20s', handles: [RangeError] });
    breaker.reconfigure({ rampUp: 7 });
    expect(breaker.describe()).toEqual({
      name: 'api',
      kind: 'circuit-breaker',
      options: { ...before, recoveryTimeoutMs: 20_000, rampUp: 7, handles: ['RangeError'] },
      place: 5,
    });
  });

  test('failureThreshold and window take each other’s place', () => {
    const breaker = circuitBreaker({ failureThreshold: 3, slowCallDuration: '1s' });
    breaker.reconfigure({ window: { calls: 20 }, failureRate: 0.3, minimumCalls: 20, slowCallRate: 0.2 });
    expect(breaker.describe().options).toMatchObject({ windowCalls: 20, failureRate: 0.3, minimumCalls: 20, slowCallRate: 0.2 });
    breaker.reconfigure({ window: { period: '1s' } });
    expect(breaker.describe().options).toMatchObject({ windowPeriodMs: 1000, failureRate: 0.3, minimumCalls: 20, slowCallRate: 0.2 });
    breaker.reconfigure({ failureThreshold: 4 });
    const { options } = breaker.describe();
    expect(options).toMatchObject({ failureThreshold: 4, slowCallDurationMs: 1000 });
    for (const option of ['windowPeriodMs', 'failureRate', 'minimumCalls', 'slowCallRate']) expect(options).not.toHaveProperty(option);
  });

  test.each<[object | null, string]>([
    [{ threshold: 3 }, 'unknown option "threshold"'],
    [{ failureThreshold: 0 }, 'failureThreshold must be a whole number of at least 1, got 0'],
    [{ name: 'other' }, 'name must be left out: it cannot change, got "other"'],
    [{ failureRate: 0.5 }, 'failureRate must be given together with window, or left out, got 0.5'],
    [{ window: { calls: 5 }, failureThreshold: 2 }, 'failureThreshold must be left out where there is a window'],
    [{ recoveryTimeout: '2m' }, 'maxRecoveryTimeout must be at least recoveryTimeout, 2m, got "1m"'],
    [{ handles: [TypeError] }, 'handles must be left out: it was made without one, and can only have another, got an array'],
    [{ handlesResult: () => true }, 'handlesResult must be left out: it was made without one, and can only have another, got a function'],
    [null, 'options must be an object, got null'],
  ])('F2: %j is refused as when it is made, and nothing has changed', (changes, message) => {
    const breaker = circuitBreaker({ maxRecoveryTimeout: '1m' });
    const { options } = breaker.describe();
    expect(() => breaker.reconfigure(changes as CircuitBreakerOptions)).toThrow(`circuitBreaker.reconfigure: ${message}`);
    expect(breaker.describe().options).toEqual(options);
  });

  test('is in force at once: the threshold, with the failures that were counted', async () => {
    const breaker = await failing(circuitBreaker({ failureThreshold: 5 }), 2);
    breaker.reconfigure({ failureThreshold: 3 });
    expect(breaker.statistics()).toMatchObject({ state: 'closed', failures: 2 });
    await failing(breaker, 1);
    expect(breaker.state).toBe('open');
  });

  test.each<[string, CircuitBreakerOptions, CircuitBreakerOptions, number]>([
    ['another rate', { window: { calls: 10 } }, { failureRate: 0.9 }, 3],
    ['fewer calls', { window: { calls: 10 } }, { window: { calls: 2 } }, 2],
    ['another rate', { window: { period: '10s' } }, { minimumCalls: 50 }, 3],
    ['another period', { window: { period: '10s' } }, { window: { period: '20s' } }, 0],
    ['another kind', { window: { period: '10s' } }, { window: { calls: 10 } }, 0],
    ['a row', { window: { calls: 10 } }, { failureThreshold: 5 }, 0],
  ])('what is counted stays where it means the same: %s (%j, %j)', async (_name, options, changes, failures) => {
    const breaker = await failing(circuitBreaker(options), 3);
    breaker.reconfigure(changes);
    expect(breaker.statistics()).toMatchObject({ state: 'closed', calls: failures, failures });
  });

  test('is in force at once: how long it is open', async () => {
    const breaker = await failing(circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1m' }), 1);
    await time.clock.advance('10s');
    breaker.reconfigure({ recoveryTimeout: '30s' });
    expect(breaker.statistics().retryAfterMs).toBe(20_000);
    breaker.reconfigure({ recoveryTimeout: '5s' });
    expect(breaker.state).toBe('half-open');
  });

  test('is in force at once: the lease and the number of probes', async () => {
    const breaker = await failing(circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1s', recoveryFactor: 1 }), 1);
    await time.clock.advance('1s');
    const work = scriptedOperation<string>();
    const probes = [ending(breaker.execute(work.operation))];
    await expect(breaker.execute(fail)).rejects.toMatchObject({ code: 'ERR_CIRCUIT_OPEN' });
    breaker.reconfigure({ maxProbes: 2 });
    probes.push(ending(breaker.execute(work.operation)));
    await time.clock.advance('10s');
    expect(breaker.state).toBe('half-open');
    breaker.reconfigure({ probeLease: '9500ms', successThreshold: 3 });
    expect(breaker.statistics()).toMatchObject({ state: 'open', retryAfterMs: 500 });
    for (const call of work.open) call.resolve('late');
    await Promise.all(probes);
  });

  test('keeps the isolation, and the count of calls in flight', async () => {
    const breaker = circuitBreaker();
    const work = scriptedOperation<string>();
    const running = ending(breaker.execute(work.operation));
    await time.clock.settle();
    using _isolation = breaker.isolate('deploying');
    breaker.reconfigure({ rampUp: 0 });
    expect(breaker.statistics()).toMatchObject({ state: 'isolated', inFlight: 1 });
    work.open[0]?.resolve('value');
    await running;
  });

  test('P3: with handles it runs code of the caller’s from the start', async () => {
    const seen: string[] = [];
    const breaker = circuitBreaker({ failureThreshold: 1, handles: () => seen.push('old') > 9 });
    await failing(breaker, 1);
    breaker.reconfigure({ handles: () => seen.push('new') > 0, handlesResult: () => true });
    await failing(breaker, 1);
    expect(seen).toEqual(['old', 'new']);
    expect(breaker.state).toBe('open');
  });
});

describe('P5: closing', () => {
  test('refuses all who come, in every state, and lets those who run go on', async () => {
    const breaker = circuitBreaker({ name: 'api' });
    const work = scriptedOperation<string>();
    const running = breaker.execute(work.operation);
    await time.clock.settle();
    breaker.close();
    breaker.close();
    const outcome = await breaker.attempt(work.operation, { name: 'loadUser' });
    expect(outcome).toMatchObject({ by: 'policy', error: { code: 'ERR_CLOSED', message: 'loadUser was refused: api is closed' } });
    expect(breaker.statistics()).toMatchObject({ state: 'closed', acceptsCalls: false, inFlight: 1, rejected: 0 });
    using _isolation = breaker.isolate('deploying');
    await expect(breaker.execute(() => 'never')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    work.open[0]?.resolve('value');
    expect(await running).toBe('value');
    expect(breaker.statistics().inFlight).toBe(0);
  });

  test.each<[string, CircuitBreakerOptions]>([
    ['plain', {}],
    ['with calls that are timed', { slowCallDuration: '1m' }],
  ])('draining waits for all that run, abandoned work included: %s', async (_name, options) => {
    const breaker = circuitBreaker(options);
    const work = scriptedOperation<string>();
    const controller = new AbortController();
    const calls = [ending(breaker.execute(work.operation)), ending(breaker.execute(work.operation, { signal: controller.signal }))];
    await time.clock.settle();
    let isDrained = false;
    const drained = breaker.drain({ timeout: '1h' }).then(() => (isDrained = true));
    await expect(breaker.execute(() => 'never')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    controller.abort(new Error('left'));
    work.open[0]?.resolve('value');
    await Promise.all(calls);
    expect(isDrained).toBe(false);
    work.open[0]?.reject(new Error('aborted'));
    await drained;
    expect(breaker.statistics().inFlight).toBe(0);
  });

  test('a probe that has lost its place is still waited for, and drain has a timeout', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1s', probeLease: '1s' });
    await failing(breaker, 1);
    await time.clock.advance('1s');
    const work = scriptedOperation<string>();
    const probe = ending(breaker.execute(work.operation));
    await time.clock.advance('2s');
    const drained = ending(breaker.drain({ timeout: '5s' }));
    await time.clock.advance('5s');
    expect(await drained).toMatchObject({ error: { code: 'ERR_TIMEOUT', message: 'circuit breaker was not drained after 5s' } });
    work.open[0]?.resolve('late');
    await probe;
    await breaker.drain();
  });
});
