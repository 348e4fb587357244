import { describe, expect, test } from 'vitest';
import { CancelledError } from '../errors/cancelled-error.ts';
import { suppressedOf } from '../errors/history.ts';
import { KeelsonError } from '../errors/keelson-error.ts';
import { listen } from '../observe/events.ts';
import { OUTCOME, type Outcome } from '../outcome/classify.ts';
import { compose } from '../policy/compose.ts';
import type { Call } from '../policy/policy.ts';
import { again, limit } from '../policy/test-layers.test-support.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { type Decision, fakeStep } from '../testing/fake-step.ts';
import { scriptedOperation } from '../testing/scripted-operation.ts';
import { type FallbackOptions, fallback } from './fallback.ts';
import { FallbackLayer, type FallbackRules } from './fallback-layer.ts';

const down = new Error('down');
const says = (outcome: Partial<Outcome>): object => ({ [OUTCOME]: outcome });

describe('the decider', () => {
  const layerWith = (rules: Partial<FallbackRules>): FallbackLayer =>
    new FallbackLayer({ value: 'instead' }, { name: 'fallback', handles: undefined, handlesResult: undefined, ...rules });
  const onError = (error: unknown, rules: Partial<FallbackRules> = {}): Decision | undefined => {
    const step = fakeStep();
    return step.decided(layerWith(rules).fail(step, error));
  };
  const onValue = (value: unknown, rules: Partial<FallbackRules> = {}): Decision | undefined => {
    const step = fakeStep();
    return step.decided(layerWith(rules).succeed(step, value));
  };

  test.each<[string, unknown, boolean]>([
    ['an error', down, true],
    ['what is no error', undefined, true],
    ['a permanent one', says({ kind: 'permanent' }), true],
    ['a refusal of a policy inside', new KeelsonError('ERR_CIRCUIT_OPEN', 'open'), true],
    ['a cancellation', new CancelledError('explicit', 'stop'), false],
    ['one that says it is a cancellation', says({ kind: 'cancelled' }), false],
  ])('replaces %s: %s', (_, error, isReplaced) => {
    expect(onError(error)).toEqual(isReplaced ? { replace: 'instead' } : 'pass');
  });

  test.each<[string, unknown, boolean]>([
    ['a value', 1, false],
    ['nothing', undefined, false],
    ['one that says it is a failure', says({ kind: 'overloaded' }), true],
    ['a permanent one', says({ kind: 'permanent' }), true],
    ['a cancelled one', says({ kind: 'cancelled' }), false],
  ])('replaces %s: %s', (_, value, isReplaced) => {
    expect(onValue(value)).toEqual(isReplaced ? { replace: 'instead' } : 'pass');
  });

  test('handles chooses the errors, refusals among them, but never a cancellation', () => {
    expect(onError(new TypeError('x'), { handles: [TypeError] })).toEqual({ replace: 'instead' });
    expect(onError(down, { handles: [TypeError] })).toBe('pass');
    const open = new KeelsonError('ERR_CIRCUIT_OPEN', 'open');
    expect(onError(open, { handles: (error) => error === open })).toEqual({ replace: 'instead' });
    expect(onError(open, { handles: () => false })).toBe('pass');
    expect(onError(new CancelledError('explicit', 'stop'), { handles: () => true })).toBe('pass');
  });

  test('handlesResult chooses values besides', () => {
    const handlesResult = (value: unknown): boolean => value === null;
    expect(onValue(null, { handlesResult })).toEqual({ replace: 'instead' });
    expect(onValue(1, { handlesResult })).toBe('pass');
    expect(onValue(says({ kind: 'overloaded' }), { handlesResult })).toEqual({ replace: 'instead' });
  });
});

describe('the options', () => {
  test('are described', () => {
    expect(fallback(0).describe()).toEqual({
      name: 'fallback',
      kind: 'fallback',
      options: { replacement: 'value', handles: 'every error', handlesResult: 'by kind' },
      place: 1,
    });
    const policy = fallback(() => 0, { name: 'replica', handles: [TypeError], handlesResult: () => true });
    expect(policy.name).toBe('replica');
    expect(policy.describe().options).toEqual({ replacement: 'operation', handles: ['TypeError'], handlesResult: 'function' });
  });

  test('undefined is what it is by default', () => {
    const forwarded: FallbackOptions = { handles: undefined, handlesResult: undefined, name: undefined };
    expect(fallback(0, forwarded).describe()).toEqual(fallback(0).describe());
  });

  test.each([
    [{ handles: TypeError.name }, 'handles must be a function, or an array of error classes'],
    [{ handles: [] }, 'handles must be a function, or an array of error classes'],
    [{ handlesResult: null }, 'handlesResult must be a function, got null'],
    [{ name: '' }, 'name must be a text that is not empty'],
    [{ value: 1 }, 'unknown option "value"'],
  ])('F2: %j is refused', (options, message) => {
    expect(() => fallback(0, options as FallbackOptions)).toThrow(`fallback: ${message}`);
  });

  test('F2: a promise is refused', () => {
    expect(() => fallback(Promise.resolve(1) as unknown)).toThrow('fallback: replacement must be a value or a function, not a promise');
  });
});

describe('a call', () => {
  const time = onVirtualTime();

  test('that succeeds has its value', async () => {
    expect(await fallback('instead').execute(() => 'value')).toBe('value');
  });

  test.each([['instead'], [undefined], [null], [0]])('that fails resolves to %j', async (value) => {
    expect(await fallback(value).execute(() => Promise.reject(down))).toBe(value);
    expect(await fallback(() => value).execute(() => Promise.reject(down))).toBe(value);
    expect(await fallback(async () => value).execute(() => Promise.reject(down))).toBe(value);
  });

  test('hands the failure and a call of its own to a function', async () => {
    const seen: unknown[] = [];
    const calls: Call[] = [];
    const policy = fallback((failure, call) => {
      seen.push(failure);
      calls.push(call);
      return 'instead';
    });
    const refused = says({ kind: 'overloaded' });
    await policy.execute(() => Promise.reject(down), { name: 'loadUser' });
    await policy.execute(() => refused);
    expect(seen).toEqual([down, refused]);
    expect(calls[0]?.name).toBe('loadUser');
    expect(calls[0]?.signal.aborted).toBe(false);
  });

  test('whose fallback fails in turn ends with that, and the first failure is attached', async () => {
    const also = new Error('also down');
    expect(await ending(fallback(() => Promise.reject(also)).execute(() => Promise.reject(down)))).toEqual({ error: also });
    expect(suppressedOf(also)).toEqual([down]);
    const thrown = new Error('thrown');
    const throwing = fallback((): never => {
      throw thrown;
    });
    expect(await ending(throwing.execute(() => says({ kind: 'overloaded' })))).toEqual({ error: thrown });
    expect(suppressedOf(thrown)).toEqual([]);
  });

  test('whose fallback passes the failure on ends with it', async () => {
    expect(await ending(fallback((failure) => Promise.reject(failure)).execute(() => Promise.reject(down)))).toEqual({ error: down });
    expect(suppressedOf(down)).toEqual([]);
  });

  test('C1: that its caller cancels rejects with the reason', async () => {
    const controller = new AbortController();
    const work = scriptedOperation<string>();
    const result = fallback('instead').attempt(work.operation, { signal: controller.signal });
    const reason = new Error('the user left');
    controller.abort(reason);
    expect(await result).toEqual({ ok: false, by: 'caller', error: reason });
    (await work.expectCall()).resolve('too late');
    await time.clock.settle();
  });

  test('C2: that is cancelled in its fallback ends at once', async () => {
    const controller = new AbortController();
    const instead = scriptedOperation<string>();
    const policy = fallback((_failure, call) => instead.operation(call));
    const result = policy.attempt(() => Promise.reject(down), { signal: controller.signal });
    const { call } = await instead.expectCall();
    const reason = new Error('the user left');
    controller.abort(reason);
    expect(await result).toMatchObject({ by: 'caller', error: reason });
    expect(call.signal.reason).toBe(reason);
    instead.open[0]?.resolve('too late');
    await time.clock.settle();
  });

  test('R4: that has committed output keeps its outcome', async () => {
    for (const policy of [fallback('instead'), fallback(() => 'instead')]) {
      const result = policy.execute((call) => {
        call.commit();
        throw down;
      });
      expect(await ending(result)).toEqual({ error: down });
    }
  });

  test('that was replaced is told of on keelson:fallback', async () => {
    const events: unknown[] = [];
    using _listening = listen('fallback', (event) => events.push(event));
    await fallback('instead').execute(() => Promise.reject(down), { name: 'loadUser' });
    expect(events).toMatchObject([{ type: 'replaced', policy: 'fallback', operation: 'loadUser', outcome: { ok: false, error: down } }]);
  });

  test('runs its fallback under the policies outside, not under those inside', async () => {
    let calls = 0;
    const instead = scriptedOperation<string>();
    const policy = compose(
      limit(1000, 'whole'),
      fallback((_failure, call) => instead.operation(call)),
      again(3, 100),
    );
    const result = policy.attempt(() => {
      calls++;
      throw down;
    });
    await time.clock.advance(200);
    const { call } = await instead.expectCall();
    expect(calls).toBe(3);
    expect(call.remainingMs()).toBe(800);
    instead.open[0]?.reject(new Error('also down'));
    expect(await result).toMatchObject({ error: { message: 'also down' } });
    await instead.expectNoCall();
  });
});
