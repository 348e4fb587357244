import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { KeelsonError } from '../errors/keelson-error.ts';
import { type KeelsonEvent, listen } from '../observe/events.ts';
import { watchLive } from '../observe/live.ts';
import { OUTCOME } from '../outcome/classify.ts';
import { compose } from '../policy/compose.ts';
import { DONE, type Layer } from '../policy/layer.ts';
import { limit, policyOf } from '../policy/test-layers.test-support.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { scriptedOperation } from '../testing/scripted-operation.ts';
import { type CircuitBreaker, type CircuitBreakerStatistics, circuitBreaker } from './circuit-breaker.ts';
import type { CircuitBreakerOptions } from './circuit-breaker-options.ts';
import { CircuitOpenError } from './circuit-open-error.ts';

const time = onVirtualTime();
const down = (): Error => new Error('down');
const fail = (): Promise<never> => Promise.reject(down());

/** Opens after one failure, for 10 s; a probe may take 5 s. */
const touchy = (options: CircuitBreakerOptions = {}): CircuitBreaker =>
  circuitBreaker({ failureThreshold: 1, recoveryTimeout: '10s', recoveryFactor: 1, probeLease: '5s', ...options });

/** A breaker that is half-open. */
async function halfOpen(options?: CircuitBreakerOptions): Promise<CircuitBreaker> {
  const breaker = touchy(options);
  await ending(breaker.execute(fail));
  await time.clock.advance('10s');
  expect(breaker.state).toBe('half-open');
  return breaker;
}

describe('a closed circuit', () => {
  test('lets calls through as they are', async () => {
    const error = down();
    const breaker = circuitBreaker();
    expect(await breaker.execute(() => 'value')).toBe('value');
    await expect(breaker.execute(() => Promise.reject(error))).rejects.toBe(error);
    expect(breaker.state).toBe('closed');
  });

  test('opens on so many failures in a row; then nothing is called', async () => {
    const breaker = circuitBreaker({ failureThreshold: 2, name: 'user service' });
    await ending(breaker.execute(fail));
    expect(breaker.state).toBe('closed');
    await ending(breaker.execute(fail));
    expect(breaker.state).toBe('open');
    const work = scriptedOperation<string>();
    const outcome = await breaker.attempt(work.operation, { name: 'loadUser' });
    expect(outcome).toMatchObject({ ok: false, by: 'policy', error: { code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 30_000 } });
    expect((outcome as { error: unknown }).error).toBeInstanceOf(CircuitOpenError);
    expect((outcome as { error: Error }).error.message).toBe(
      'loadUser was refused: user service is open (it opens on 2 failures in a row); try again in 30s',
    );
    await work.expectNoCall();
  });

  test('opens on the rate of a window of calls', async () => {
    const breaker = circuitBreaker({ window: { calls: 4 }, failureRate: 0.75 });
    for (const operation of [fail, () => 'value', fail]) await ending(breaker.execute(operation));
    expect(breaker.state).toBe('closed');
    await ending(breaker.execute(fail));
    expect(breaker.state).toBe('open');
  });

  test('opens on the rate of a window of time', async () => {
    const breaker = circuitBreaker({ window: { period: '1s' }, minimumCalls: 2 });
    await ending(breaker.execute(fail));
    await time.clock.advance('1s');
    await ending(breaker.execute(fail));
    expect(breaker.state).toBe('closed');
    await time.clock.advance(500);
    await ending(breaker.execute(fail));
    expect(breaker.state).toBe('open');
  });

  test('B5: forgets failures in a row when none has come for its recovery timeout or probe lease, the longer of both', async () => {
    const breaker = circuitBreaker({ failureThreshold: 2, recoveryTimeout: '10s', probeLease: '20s' });
    await ending(breaker.execute(fail));
    await time.clock.advance(20_001);
    await ending(breaker.execute(fail));
    expect(breaker.state).toBe('closed');
    await time.clock.advance('20s');
    await ending(breaker.execute(fail));
    expect(breaker.state).toBe('open');
  });

  test('counts the timeout of what is inside', async () => {
    const breaker = touchy();
    const work = scriptedOperation<string>();
    const result = ending(compose(breaker, limit(100)).execute(work.operation));
    await time.clock.advance(100);
    await result;
    expect(breaker.state).toBe('open');
    work.open[0]?.resolve('too late');
    await time.clock.settle();
    expect(breaker.state).toBe('open');
  });

  test('does not count what ends from outside: its caller’s leaving, and a limit around it', async () => {
    const breaker = touchy();
    const work = scriptedOperation<string>();
    const controller = new AbortController();
    const left = ending(breaker.execute(work.operation, { signal: controller.signal }));
    const late = ending(compose(limit(100), breaker).execute(work.operation));
    await time.clock.settle();
    controller.abort(down());
    await time.clock.advance(100);
    await Promise.all([left, late]);
    expect(breaker.statistics()).toMatchObject({ state: 'closed', failures: 0 });
    for (const call of work.open) call.reject(down());
    await time.clock.settle();
    expect(breaker.statistics()).toMatchObject({ state: 'closed', failures: 0 });
  });

  test('does not count what another policy refuses inside', async () => {
    const breaker = touchy();
    const full = policyOf({ enter: (step) => step.reject(new KeelsonError('ERR_BULKHEAD_FULL', 'full')) });
    await ending(compose(breaker, full).execute(() => 'value'));
    expect(breaker.state).toBe('closed');
  });

  test('takes a permanent error for an answer, and values for what they say', async () => {
    const breaker = circuitBreaker({ failureThreshold: 2 });
    const gone = Object.assign(new Error('gone'), { [OUTCOME]: { kind: 'permanent' } });
    await ending(breaker.execute(fail));
    await ending(breaker.execute(() => Promise.reject(gone)));
    await ending(breaker.execute(fail));
    expect(breaker.state).toBe('closed');
    expect(await breaker.execute(() => ({ status: 503, [OUTCOME]: { kind: 'overloaded' } }))).toMatchObject({ status: 503 });
    expect(breaker.state).toBe('open');
  });

  test('asks handles and handlesResult, where they are given', async () => {
    const breaker = circuitBreaker({ failureThreshold: 2, handles: [TypeError], handlesResult: (value) => value === 'busy' });
    await ending(breaker.execute(fail));
    expect(breaker.statistics().failures).toBe(0);
    await ending(breaker.execute(() => Promise.reject(new TypeError('odd'))));
    expect(await breaker.execute(() => 'busy')).toBe('busy');
    expect(breaker.state).toBe('open');
  });

  test('B1: ignores what was begun before it opened', async () => {
    const breaker = touchy();
    const work = scriptedOperation<string>();
    const late = [breaker.execute(work.operation), breaker.execute(work.operation)].map(ending);
    await ending(breaker.execute(fail));
    await time.clock.advance('10s');
    expect(await breaker.execute(() => 'probe')).toBe('probe');
    work.open[0]?.reject(down());
    await time.clock.settle();
    expect(breaker.state).toBe('closed');
    await ending(breaker.execute(fail));
    (work.open[0] as { resolve(value: string): void }).resolve('late');
    await Promise.all(late);
    expect(breaker.state).toBe('open');
  });
});

describe('an open circuit', () => {
  test('is half-open when its time has passed, and closes on success', async () => {
    const breaker = touchy({ successThreshold: 2 });
    await ending(breaker.execute(fail));
    await time.clock.advance(9999);
    expect(breaker.state).toBe('open');
    await time.clock.advance(1);
    expect(breaker.state).toBe('half-open');
    await breaker.execute(() => 'value');
    expect(breaker.state).toBe('half-open');
    await breaker.execute(() => 'value');
    expect(breaker.state).toBe('closed');
  });

  test('opens again for its whole time when a probe fails', async () => {
    const breaker = await halfOpen();
    await ending(breaker.execute(fail));
    expect(breaker.statistics()).toMatchObject({ state: 'open', opened: 2, retryAfterMs: 10_000 });
  });

  test('R2: says when to come back, and who waits so long is let through', async () => {
    const patient: Partial<Layer> = {
      maxAttempts: 2,
      fail: (step, error) => {
        const { retryAfterMs } = step.classifyError(error);
        return retryAfterMs === undefined ? DONE : step.again(retryAfterMs);
      },
    };
    const breaker = touchy();
    await ending(breaker.execute(fail));
    await time.clock.advance('4s');
    const result = compose(policyOf(patient), breaker).execute((call) => ({ atMs: time.clock.nowMs(), attempt: call.attempt }));
    await time.clock.advance('6s');
    expect(await result).toEqual({ atMs: 10_000, attempt: 2 });
    expect(breaker.state).toBe('closed');
  });

  test('C2: who has been cancelled before is no probe', async () => {
    const breaker = await halfOpen();
    const reason = new Error('left');
    await expect(breaker.execute(() => 'value', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(breaker.statistics()).toMatchObject({ inFlight: 0, rejected: 0 });
  });
});

describe('a half-open circuit', () => {
  test('B3: refuses at once whoever finds no place for a probe', async () => {
    const breaker = await halfOpen({ maxProbes: 2, successThreshold: 2 });
    const work = scriptedOperation<string>();
    const probes = [breaker.execute(work.operation), breaker.execute(work.operation)];
    await time.clock.advance('1s');
    const crowd = await Promise.all(Array.from({ length: 10 }, () => breaker.attempt(work.operation, { name: 'loadUser' })));
    for (const outcome of crowd) {
      expect(outcome).toMatchObject({
        by: 'policy',
        error: {
          code: 'ERR_CIRCUIT_OPEN',
          message: 'loadUser was refused: circuit breaker is half-open, and its probes are out; try again in 4s',
          retryAfterMs: 4000,
        },
      });
    }
    expect(breaker.statistics()).toMatchObject({ inFlight: 2, rejected: 10 });
    for (const call of work.open) call.resolve('value');
    await Promise.all(probes);
    expect(work.calls).toHaveLength(2);
    expect(breaker.statistics()).toMatchObject({ state: 'closed', inFlight: 0 });
  });

  test('B2, C8: gives the place of a cancelled probe back when its work has ended', async () => {
    const breaker = await halfOpen();
    const work = scriptedOperation<string>();
    const controller = new AbortController();
    const probe = ending(breaker.execute(work.operation, { signal: controller.signal }));
    await time.clock.settle();
    controller.abort(down());
    await probe;
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 1 });
    await expect(breaker.execute(() => 'value')).rejects.toThrow(CircuitOpenError);
    work.open[0]?.reject(down());
    await time.clock.settle();
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 0, opened: 1 });
    expect(await breaker.execute(() => 'value')).toBe('value');
    expect(breaker.state).toBe('closed');
  });

  test('B2: does not count a probe that a limit outside has left, and waits for its work no longer than its lease', async () => {
    const breaker = await halfOpen();
    const work = scriptedOperation<string>();
    const probe = ending(compose(limit(100), breaker).execute(work.operation));
    await time.clock.advance(4999);
    await probe;
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', probes: 1, retryAfterMs: 1 });
    await time.clock.advance(1);
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 1, probes: 0 });
    expect(await breaker.execute(() => 'value')).toBe('value');
    work.open[0]?.reject(down());
    await time.clock.settle();
    expect(breaker.state).toBe('closed');
  });

  test('C8: keeps the place of a probe that was timed out inside until its work has ended', async () => {
    const breaker = await halfOpen({ recoveryTimeout: '1s', probeLease: '1m' });
    const work = scriptedOperation<string>();
    const probe = ending(compose(breaker, limit(100)).execute(work.operation));
    await time.clock.advance(1100);
    await probe;
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 1, opened: 2, retryAfterMs: 1000 });
    await expect(breaker.execute(() => 'value')).rejects.toThrow(CircuitOpenError);
    work.open[0]?.resolve('too late');
    await time.clock.settle();
    expect(await breaker.execute(() => 'value')).toBe('value');
  });

  test('C8: keeps the place of a probe as long as what it holds', async () => {
    const breaker = await halfOpen({ successThreshold: 2 });
    const body = Promise.withResolvers<void>();
    await breaker.execute((call) => call.hold(body.promise));
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 1 });
    await expect(breaker.execute(() => 'value')).rejects.toThrow(CircuitOpenError);
    body.resolve();
    await time.clock.settle();
    await breaker.execute(() => 'value');
    expect(breaker.state).toBe('closed');
  });

  test('B2: opens again when a probe has not answered in its lease', async () => {
    const breaker = await halfOpen();
    const work = scriptedOperation<string>();
    const probe = ending(breaker.execute(work.operation));
    await time.clock.advance(4999);
    expect(breaker.state).toBe('half-open');
    await time.clock.advance(1);
    expect(breaker.state).toBe('open');
    await time.clock.advance('2s');
    expect(breaker.statistics()).toMatchObject({ state: 'open', inFlight: 1, probes: 0, retryAfterMs: 8000 });
    work.open[0]?.resolve('too late');
    expect(await probe).toEqual({ value: 'too late' });
    expect(breaker.state).toBe('open');
  });
});

describe('looking at it', () => {
  test('statistics are a frozen snapshot that survives JSON', async () => {
    const breaker = circuitBreaker({ failureThreshold: 2, name: 'api' });
    const fresh: CircuitBreakerStatistics = {
      name: 'api',
      state: 'closed',
      inFlight: 0,
      probes: 0,
      calls: 0,
      failures: 0,
      slowCalls: 0,
      opened: 0,
      openedInRow: 0,
      rejected: 0,
      acceptsCalls: true,
    };
    expect(breaker.statistics()).toStrictEqual(fresh);
    expect(Object.isFrozen(breaker.statistics())).toBe(true);
    await ending(breaker.execute(fail));
    expect(breaker.statistics()).toStrictEqual({ ...fresh, calls: 1, failures: 1 });
    await ending(breaker.execute(fail));
    await ending(breaker.execute(fail));
    await time.clock.advance('10s');
    const opened = breaker.statistics();
    expect(opened).toStrictEqual({ ...fresh, state: 'open', opened: 1, openedInRow: 1, rejected: 1, retryAfterMs: 20_000 });
    expect(JSON.parse(JSON.stringify(opened))).toEqual(opened);
  });

  test('looking changes nothing', async () => {
    const events: KeelsonEvent[] = [];
    const breaker = await halfOpen();
    using _listening = listen('circuit-breaker', (event) => events.push(event));
    expect([breaker.state, breaker.statistics().state, breaker.state]).toEqual(['half-open', 'half-open', 'half-open']);
    expect(events).toEqual([]);
  });

  test('it is in the live registry', () => {
    using view = watchLive();
    const breaker = circuitBreaker();
    expect(view.objects()).toEqual([breaker]);
  });

  test('changes and refusals are told of on keelson:circuit-breaker', async () => {
    const events: KeelsonEvent[] = [];
    using _listening = listen('circuit-breaker', (event) => events.push(event));
    const breaker = touchy({ name: 'api' });
    await ending(breaker.execute(fail));
    const refused = (await ending(breaker.execute(() => 'value', { name: 'loadUser' }))) as { error: unknown };
    await time.clock.advance('10s');
    await breaker.execute(() => 'value');
    expect(events).toEqual([
      { type: 'opened', policy: 'api', reason: 'failures', openedInRow: 1, calls: 1, failures: 1, slowCalls: 0, openMs: 10_000 },
      { type: 'rejected', policy: 'api', operation: 'loadUser', attempt: 1, error: refused.error },
      { type: 'half-opened', policy: 'api', reason: 'time', openedInRow: 1 },
      { type: 'closed', policy: 'api', reason: 'successes', openedInRow: 1 },
    ]);
  });

  test('a listener that leaves the very call it is told of leaves no probe behind', async () => {
    const breaker = await halfOpen();
    const controller = new AbortController();
    const reason = new Error('left');
    using _listening = listen('circuit-breaker', () => controller.abort(reason));
    const work = scriptedOperation<string>();
    await expect(breaker.execute(work.operation, { signal: controller.signal })).rejects.toBe(reason);
    await work.expectNoCall();
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 0 });
  });
});

test('P3: handles is asked in the async context of the call, also after a timeout that a shared timer brought', async () => {
  const request = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const handles = (): boolean => {
    seen.push(request.getStore());
    return false;
  };
  const policy = compose(circuitBreaker({ handles }), limit(100));
  const work = scriptedOperation<string>();
  const calls = ['a', 'b'].map((name) => request.run(name, () => ending(policy.execute(work.operation))));
  await time.clock.advance(100);
  await Promise.all(calls);
  expect(seen).toEqual(['a', 'b']);
  for (const call of work.open) call.resolve('too late');
  await time.clock.settle();
});
