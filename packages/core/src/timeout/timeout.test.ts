import { describe, expect, test } from 'vitest';
import { TimeoutError } from '../errors/timeout-error.ts';
import { listen } from '../observe/events.ts';
import { compose } from '../policy/compose.ts';
import { onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { fakeStep } from '../testing/fake-step.ts';
import { scriptedOperation } from '../testing/scripted-operation.ts';
import { type TimeoutOptions, timeout } from './timeout.ts';
import { TimeoutLayer } from './timeout-layer.ts';

describe('the options', () => {
  test('a duration, or an object with a name', () => {
    const describe = (policy: { describe(): unknown }): unknown => policy.describe();
    expect(describe(timeout('1.5s'))).toEqual({ name: 'timeout', kind: 'timeout', options: { timeoutMs: 1500 }, place: 2 });
    expect(describe(timeout(20))).toMatchObject({ options: { timeoutMs: 20 } });
    expect(timeout({ timeout: '2s', name: undefined }).name).toBe('timeout');
    expect(timeout({ timeout: '2s', name: 'attempt' }).name).toBe('attempt');
    expect(timeout({ timeout: '2s', name: 'attempt' }).describe().name).toBe('attempt');
  });

  const EXPECTED = "a duration above 0 (milliseconds, or '250ms', '5s', '2m', '1h')";
  test.each([
    [0, '0'],
    ['0s', '"0s"'],
    [-5, '-5'],
    [Number.NaN, 'NaN'],
    ['soon', '"soon"'],
    [undefined, 'undefined'],
  ])('F2: %s is no limit', (limit, shown) => {
    const message = `timeout: timeout must be ${EXPECTED}, got ${shown}`;
    expect(() => timeout(limit as '1s')).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message }));
    expect(() => timeout({ timeout: limit as '1s' })).toThrow(message);
  });

  test.each([
    [null, 'timeout: options must be an object, got null'],
    [{ timeout: '1s', totalTimeout: '2s' }, 'timeout: unknown option "totalTimeout"; there are timeout, name'],
    [{ timeout: '1s', name: '' }, 'timeout: name must be a text that is not empty, got ""'],
  ])('F2: %j is refused', (options, message) => {
    expect(() => timeout(options as TimeoutOptions)).toThrow(message);
  });
});

describe('the decider', () => {
  test('limits what is inside', () => {
    const step = fakeStep();
    expect(step.decided(new TimeoutLayer('timeout', 2000).enter(step))).toEqual({ limit: 2000 });
  });

  test.each([
    ['', 'loadUser timed out after 2s'],
    ['attempt 3 of 5, waited 1.2s for a permit', 'loadUser timed out after 2s (attempt 3 of 5, waited 1.2s for a permit)'],
  ])('says how far the call had come: %j', (progress, message) => {
    const error = new TimeoutLayer('attempt', 2000).expire(fakeStep({ operation: 'loadUser', progress }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ message, code: 'ERR_TIMEOUT', policy: 'attempt', operation: 'loadUser', timeoutMs: 2000 });
  });
});

describe('a call', () => {
  const time = onVirtualTime();

  test('in time returns its value, whatever kind of operation made it (F1)', async () => {
    const policy = timeout('2s');
    expect(await policy.execute(() => 'value')).toBe('value');
    expect(await policy.execute(async () => 'promise')).toBe('promise');
    await expect(policy.execute(() => Promise.reject('thrown'))).rejects.toBe('thrown');
  });

  test('that takes longer is ended at its time, and not before', async () => {
    const work = scriptedOperation<string>();
    const result = timeout('2s').attempt(work.operation, { name: 'loadUser' });
    await time.clock.advance(1999);
    const { call } = await work.expectCall();
    expect(call.remainingMs()).toBe(1);
    expect(call.signal.aborted).toBe(false);
    await time.clock.advance(1);
    const outcome = await result;
    expect(outcome).toMatchObject({ ok: false, by: 'policy', error: { message: 'loadUser timed out after 2s' } });
    expect(call.signal.reason).toBe((outcome as { error: unknown }).error);
    work.open[0]?.resolve('too late');
    await time.clock.settle();
  });

  test('C7: that succeeds leaves its signal alone', async () => {
    let signal: AbortSignal | undefined;
    await timeout('2s').execute((call) => {
      signal = call.signal;
    });
    await time.clock.advance('1m');
    expect(signal?.aborted).toBe(false);
  });

  test('C1: that its caller cancels rejects with the caller’s reason, never as a timeout', async () => {
    const controller = new AbortController();
    const work = scriptedOperation<string>();
    const result = timeout('2s').attempt(work.operation, { signal: controller.signal });
    const { call } = await work.expectCall();
    const reason = new Error('the user left');
    controller.abort(reason);
    expect(await result).toEqual({ ok: false, by: 'caller', error: reason });
    expect(call.signal.reason).toBe(reason);
    work.open[0]?.reject(reason);
    await time.clock.settle();
  });

  test('T2: Infinity sets no limit and keeps no timer', async () => {
    const work = scriptedOperation<string>();
    const result = timeout(Number.POSITIVE_INFINITY).execute(work.operation);
    const call = await work.expectCall();
    expect(call.call.remainingMs()).toBe(Number.POSITIVE_INFINITY);
    expect(time.clock.pendingTimers).toBe(0);
    call.resolve('at last');
    expect(await result).toBe('at last');
  });

  test('T2: a limit beyond the longest timer is kept', async () => {
    const work = scriptedOperation<string>();
    const result = timeout('10000h').attempt(work.operation);
    await time.clock.advance('9999h');
    await work.expectCall();
    await time.clock.advance('1h');
    expect(await result).toMatchObject({ ok: false, error: { timeoutMs: 36_000_000_000 } });
    work.open[0]?.resolve('too late');
    await time.clock.settle();
  });

  test.each([
    ['1s', '3s', 'inner'],
    ['3s', '1s', 'outer'],
  ] as const)('T4: within two limits (inner %s, outer %s) ends with the least', async (inner, outer, winner) => {
    const work = scriptedOperation<string>();
    const policy = compose(timeout({ timeout: outer, name: 'outer' }), timeout({ timeout: inner, name: 'inner' }));
    const result = policy.attempt(work.operation);
    const { call } = await work.expectCall();
    expect(call.remainingMs()).toBe(1000);
    await time.clock.advance('1s');
    expect(await result).toMatchObject({ error: { policy: winner, timeoutMs: 1000 } });
    work.open[0]?.resolve('too late');
    await time.clock.settle();
  });

  test('that is ended is told of on keelson:timeout', async () => {
    const events: unknown[] = [];
    using _listening = listen('timeout', (event) => events.push(event));
    const work = scriptedOperation<string>();
    const result = timeout('2s').attempt(work.operation, { name: 'loadUser' });
    await time.clock.advance('2s');
    const { error } = (await result) as { error: unknown };
    expect(events).toEqual([{ type: 'timed-out', policy: 'timeout', operation: 'loadUser', attempt: 1, error }]);
    work.open[0]?.resolve('too late');
    await time.clock.settle();
  });
});
