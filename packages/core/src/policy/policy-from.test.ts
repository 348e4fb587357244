import { describe, expect, test } from 'vitest';
import { KeelsonError } from '../errors/keelson-error.ts';
import { compose } from './compose.ts';
import { LayerPolicy } from './layer-policy.ts';
import type { Call, ExecuteOptions } from './policy.ts';
import { type Execute, policyFrom } from './policy-from.ts';
import { again, limit, Permits } from './test-layers.test-support.ts';
import { ending, onVirtualTime } from './virtual-time.test-support.ts';

const time = onVirtualTime();

class Bulkhead extends LayerPolicy {}

const passing: Execute<never> = (operation, options) => operation(options.parent as Call);
const twice: Execute<never> = async (operation, options) => {
  await Promise.resolve(operation(options.parent as Call)).catch(() => undefined);
  return await operation(options.parent as Call);
};

describe('a policy made of a function', () => {
  test('runs the operation, alone or among others', async () => {
    const policy = policyFrom('passing', passing);
    expect(await policy.execute(() => 1)).toBe(1);
    expect(await compose(again(1, 0), policy, limit(1000)).execute((call) => call.remainingMs())).toBe(1000);
    expect(await policy.wrap((_call, n: number) => n + 1)(1)).toBe(2);
    expect(await policy.attempt(() => 1)).toEqual({ ok: true, value: 1 });
    expect(policy.describe()).toEqual({ name: 'passing', kind: 'foreign', options: {} });
  });

  test('may put something in the place of the value', async () => {
    const cached = policyFrom<string>('cached', async () => 'from the cache');
    expect(await cached.execute(() => 1)).toBe('from the cache');
  });

  test('is given the options of the call, with signal and parent', async () => {
    let seen: ExecuteOptions | undefined;
    let leftMs = 0;
    const policy = policyFrom('looking', (operation, options) => {
      seen = options;
      leftMs = options.parent?.remainingMs() ?? 0;
      return passing(operation, options);
    });
    await policy.execute(() => 1, { name: 'load', keys: { host: 'a' }, idempotent: false, timeout: '5s' });
    expect(seen).toMatchObject({ name: 'load', keys: { host: 'a' }, idempotent: false });
    expect(seen?.signal).toBe(seen?.parent?.signal);
    expect(leftMs).toBe(5000);
    await policy.execute(() => 1);
    expect(seen?.signal?.aborted).toBe(false);
  });

  test('calls the operation anew each time, through the policies inside', async () => {
    const permits = new Permits(1);
    const policy = compose(policyFrom('twice', twice), new Bulkhead(permits), again(2, 0));
    const attempts: string[] = [];
    const result = await policy.execute((call) => {
      attempts.push(call.path);
      if (attempts.length < 4) throw new Error('busy');
      return permits.taken;
    });
    expect(result).toBe(1);
    expect(attempts).toEqual(['1.1', '1.2', '1.1', '1.2']);
    expect(permits.taken).toBe(0);
  });

  test('P1: whatever it leaves running is cancelled when it settles, and keeps the permits outside', async () => {
    const permits = new Permits(1);
    let signal: AbortSignal | undefined;
    const impatient = policyFrom<string>('impatient', async (operation, options) => {
      void Promise.resolve(operation(options.parent as Call)).catch(() => undefined);
      return 'settled early';
    });
    const policy = compose(new Bulkhead(permits), impatient, limit(60_000));
    const value = await policy.execute((call) => {
      signal = call.signal;
      return new Promise<void>((resolve) => void time.clock.schedule(1000, resolve));
    });
    expect(value).toBe('settled early');
    expect(signal?.reason).toMatchObject({ code: 'ERR_CANCELLED', kind: 'parent', message: 'impatient settled before its operation did' });
    expect(permits.taken).toBe(1);
    await time.clock.advance('1s');
    expect(permits.taken).toBe(0);
  });

  test('cannot call the operation once it has settled', async () => {
    let late: (() => unknown) | undefined;
    const policy = policyFrom<string>('late', async (operation, options) => {
      late = () => operation(options.parent as Call);
      return 'value';
    });
    expect(await policy.execute(() => 'never')).toBe('value');
    const calling = async (): Promise<unknown> => late?.();
    expect(await ending(calling())).toMatchObject({
      error: { code: 'ERR_CANCELLED', message: 'late called its operation after it had settled' },
    });
  });

  test('F1: may throw at once, also after it has begun the operation', async () => {
    const fault = new Error('fault');
    let signal: AbortSignal | undefined;
    const throwing = policyFrom('throwing', (operation, options): Promise<never> => {
      void Promise.resolve(operation(options.parent as Call)).catch(() => undefined);
      throw fault;
    });
    const result = throwing.attempt((call) => {
      signal = call.signal;
      return new Promise((resolve) => void time.clock.schedule(1000, () => resolve('late')));
    });
    expect(await result).toEqual({ ok: false, by: 'operation', error: fault });
    expect(signal?.aborted).toBe(true);
    await time.clock.advance('1s');
  });

  test('C1, C2: ends at once when its caller cancels, though it goes on itself', async () => {
    const controller = new AbortController();
    const stubborn = policyFrom('stubborn', async (operation, options) => {
      await new Promise<void>((resolve) => void time.clock.schedule(1000, resolve));
      return operation(options.parent as Call);
    });
    let calls = 0;
    const result = compose(again(3, 0), stubborn).attempt(() => calls++, { signal: controller.signal });
    controller.abort('stop');
    expect(await result).toEqual({ ok: false, by: 'caller', error: 'stop' });
    await time.clock.advance('1s');
    expect(calls).toBe(0);
  });

  test('T4: an outer limit ends it, an inner one is its operation’s failure', async () => {
    const errors: unknown[] = [];
    const noting = policyFrom('noting', async (operation, options) => {
      try {
        return await operation(options.parent as Call);
      } catch (error) {
        errors.push(error);
        throw error;
      }
    });
    const result = compose(limit(5000), noting, limit(1000)).attempt(() => new Promise((r) => void time.clock.schedule(1500, () => r(1))));
    await time.clock.advance('2s');
    expect(await result).toMatchObject({ by: 'policy', error: { timeoutMs: 1000 } });
    expect(errors).toMatchObject([{ timeoutMs: 1000 }]);
  });
});

describe('F2: name and function are checked at once', () => {
  test.each<[unknown, unknown, string]>([
    ['', passing, 'policyFrom: name must be a text that is not empty, got ""'],
    [passing, undefined, 'policyFrom: name must be a text that is not empty, got a function'],
    ['mine', undefined, 'policyFrom: execute must be a function, got undefined'],
    ['mine', { execute: passing }, 'policyFrom: execute must be a function, got an object'],
  ])('%o, %o', (name, execute, message) => {
    const make = policyFrom as (...args: readonly unknown[]) => unknown;
    expect(() => make(name, execute)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message }));
  });
});

test('a KeelsonError of its own is told apart from the operation’s', async () => {
  const refusal = new KeelsonError('ERR_RATE_LIMITED', 'too many', { policy: 'theirs' });
  const refusing = policyFrom<never, KeelsonError>('refusing', () => Promise.reject(refusal));
  expect(await refusing.attempt(() => 1)).toMatchObject({ ok: false, error: refusal });
});
