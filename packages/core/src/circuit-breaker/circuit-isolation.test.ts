import { describe, expect, test } from 'vitest';
import { type KeelsonEvent, listen } from '../observe/events.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { scriptedOperation } from '../testing/scripted-operation.ts';
import { Circuit } from './circuit.test-support.ts';
import { circuitBreaker } from './circuit-breaker.ts';
import { CircuitOpenError } from './circuit-open-error.ts';

const time = onVirtualTime();
const fail = (): Promise<never> => Promise.reject(new Error('down'));

describe('an isolated circuit', () => {
  test('refuses at once with the reason, and does not say when to come back', async () => {
    const breaker = circuitBreaker({ name: 'user service' });
    using isolation = breaker.isolate('deploying');
    expect(isolation.reason).toBe('deploying');
    expect(breaker.state).toBe('isolated');
    const work = scriptedOperation<string>();
    const outcome = (await ending(breaker.execute(work.operation, { name: 'loadUser' }))) as { error: CircuitOpenError };
    expect(outcome.error).toBeInstanceOf(CircuitOpenError);
    expect(outcome.error).toMatchObject({
      code: 'ERR_CIRCUIT_OPEN',
      message: 'loadUser was refused: user service is isolated: deploying',
      state: 'isolated',
      reason: 'deploying',
      retryAfterMs: undefined,
    });
    await work.expectNoCall();
    expect(breaker.statistics()).toMatchObject({ state: 'isolated', isolatedFor: ['deploying'], rejected: 1, opened: 0 });
    expect(breaker.statistics()).not.toHaveProperty('retryAfterMs');
  });

  test('closes, clean and in a ramp, when the last handle is disposed of; each counts once', async () => {
    const breaker = circuitBreaker({ failureThreshold: 2, rampUp: 3 });
    await ending(breaker.execute(fail));
    const [first, second] = [breaker.isolate('deploying'), breaker.isolate('incident')];
    expect(breaker.statistics().isolatedFor).toEqual(['deploying', 'incident']);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(breaker.statistics().isolatedFor).toEqual(['incident']);
    second[Symbol.dispose]();
    expect(breaker.statistics()).toMatchObject({ state: 'closed', calls: 0, failures: 0, openedInRow: 0, ramp: { inFlight: 0, limit: 1 } });
    second[Symbol.dispose]();
    expect(breaker.state).toBe('closed');
    expect(await breaker.execute(() => 'value')).toBe('value');
  });

  test('forgets that it was open, and how often', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '10s' });
    await ending(breaker.execute(fail));
    breaker.isolate('deploying')[Symbol.dispose]();
    expect(breaker.state).toBe('closed');
    await ending(breaker.execute(fail));
    expect(breaker.statistics()).toMatchObject({ state: 'open', opened: 2, openedInRow: 1, retryAfterMs: 10_000 });
  });

  test('stays so for any time', async () => {
    const breaker = circuitBreaker({ recoveryTimeout: '1s' });
    using _isolation = breaker.isolate('deploying');
    await time.clock.advance('1h');
    expect(breaker.state).toBe('isolated');
  });

  test('B1: calls that were in flight go on, and count no more', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, slowCallDuration: '1s' });
    const work = scriptedOperation<string>();
    const running = [ending(breaker.execute(work.operation)), ending(breaker.execute(work.operation))];
    await time.clock.settle();
    {
      using _isolation = breaker.isolate('deploying');
      expect(breaker.statistics().inFlight).toBe(2);
      work.open[0]?.reject(new Error('down'));
      await time.clock.advance('2s');
    }
    expect(breaker.state).toBe('closed');
    work.open[0]?.reject(new Error('down'));
    await Promise.all(running);
    expect(breaker.statistics()).toMatchObject({ state: 'closed', failures: 0, inFlight: 0 });
  });

  test('B7: is not idle', () => {
    const circuit = new Circuit();
    const hold = { reason: 'deploying' };
    circuit.layer.isolate(hold, 0);
    expect(circuit.layer.isIdle(1e9)).toBe(false);
    circuit.layer.letGo(hold, 0);
    expect(circuit.layer.isIdle(0)).toBe(true);
  });

  test('changes are told once, with the reason', () => {
    const events: KeelsonEvent[] = [];
    using _listening = listen('circuit-breaker', (event) => events.push(event));
    const breaker = circuitBreaker({ name: 'api' });
    {
      using _first = breaker.isolate('deploying');
      using _second = breaker.isolate('incident');
    }
    expect(events).toEqual([
      { type: 'isolated', policy: 'api', reason: 'deploying' },
      { type: 'closed', policy: 'api', reason: 'isolation', openedInRow: 0 },
    ]);
  });

  test('F3: a reason that would write to a terminal does not', async () => {
    const breaker = circuitBreaker();
    using isolation = breaker.isolate('\u001b[2Jboo');
    expect([isolation.reason, breaker.statistics().isolatedFor]).toEqual(['\\u001b[2Jboo', ['\\u001b[2Jboo']]);
    await expect(breaker.execute(fail, { name: 'x' })).rejects.toThrow('x was refused: circuit breaker is isolated: \\u001b[2Jboo');
  });

  test.each([[undefined], [''], [5]])('F2: %j is no reason', (reason) => {
    const breaker = circuitBreaker();
    expect(() => breaker.isolate(reason as string)).toThrow('circuitBreaker.isolate: reason must be a text that is not empty');
    expect(breaker.state).toBe('closed');
  });
});
