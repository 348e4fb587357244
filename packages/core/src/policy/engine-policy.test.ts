import { describe, expect, test } from 'vitest';
import { KeelsonError } from '../errors/keelson-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { Deadline } from '../time/deadline.ts';
import { compose } from './compose.ts';
import { DONE, PROCEED } from './layer.ts';
import type { Call, ExecuteOptions, Policy } from './policy.ts';
import { policyFrom } from './policy-from.ts';
import { again, limit, policyOf } from './test-layers.test-support.ts';
import { ending, onVirtualTime } from './virtual-time.test-support.ts';

const time = onVirtualTime();

const stranger = policyFrom('stranger', (operation, options) => operation(options.parent as Call));
const full = new KeelsonError('ERR_BULKHEAD_FULL', 'full');
const refusing = policyOf({ name: 'refusing', enter: (step) => step.reject(full) });
const hangs = (call: Call): Promise<never> =>
  new Promise((_, reject) => call.signal.addEventListener('abort', () => reject(call.signal.reason)));

describe('execute', () => {
  test.each([[undefined], [42], [{}], [Promise.resolve()]])('F2: refuses what is no operation: %o', async (operation) => {
    let failures = 0;
    const counting = policyOf({
      fail() {
        failures++;
        return DONE;
      },
    });
    const wrong = { code: 'ERR_OPTION', message: expect.stringMatching(/^execute: operation must be a function, got /) };
    expect(await ending(counting.execute(operation as () => void))).toMatchObject({ error: wrong });
    expect(await counting.attempt(operation as () => void)).toMatchObject({ ok: false, by: 'caller', error: wrong });
    expect(() => counting.wrap(operation as () => void)).toThrow('wrap: fn must be a function');
    expect(failures).toBe(0);
  });

  test('passes the operation’s own error on as the same object, changed in nothing', async () => {
    const fault = Object.freeze(new TypeError('fault'));
    expect(await ending(compose(again(3, 0), limit(1000)).execute(() => Promise.reject(fault)))).toHaveProperty('error', fault);
  });
});

describe('attempt tells', () => {
  type AnyPolicy = Policy<unknown, unknown>;
  const stacks: readonly [string, (...inner: readonly AnyPolicy[]) => AnyPolicy][] = [
    ['alone', (...inner) => compose(...inner)],
    ['beneath a stranger', (...inner) => compose(stranger, ...inner)],
    ['beneath two strangers and a retry', (...inner) => compose(stranger, again(1, 0), stranger, ...inner)],
    ['around a stranger', (...inner) => compose(...inner, stranger)],
  ];

  describe.each(stacks)('%s', (_, stack) => {
    test('a value', async () => {
      expect(await stack(limit(1000)).attempt(() => 5)).toEqual({ ok: true, value: 5 });
    });

    test('a policy’s refusal', async () => {
      expect(await stack(refusing).attempt(() => 5)).toEqual({ ok: false, by: 'policy', error: full });
    });

    test('a policy’s limit', async () => {
      const result = stack(limit(1000)).attempt(hangs);
      await time.clock.advance('1s');
      expect(await result).toMatchObject({ ok: false, by: 'policy', error: expect.any(TimeoutError) });
    });

    test('what code of the caller’s throws that a policy calls', async () => {
      const fault = new Error('a predicate that fails');
      const asking = policyOf({
        fail: () => {
          throw fault;
        },
      });
      const classifying = compose(policyOf({ enter: (step) => step.reject(step.classifyError(fault)) }), {
        classify: () => {
          throw fault;
        },
      });
      for (const policy of [asking, classifying])
        expect(await stack(policy).attempt(() => Promise.reject(new Error('down')))).toEqual({ ok: false, by: 'caller', error: fault });
    });

    test('the operation’s own failure, also where it is one of ours', async () => {
      const fault = new Error('fault');
      expect(await stack(again(2, 0), limit(1000)).attempt(() => Promise.reject(fault))).toEqual({
        ok: false,
        by: 'operation',
        error: fault,
      });
      const theirs = new KeelsonError('ERR_TIMEOUT', 'the driver waited 5s');
      expect(await stack(limit(1000)).attempt(() => Promise.reject(theirs))).toEqual({ ok: false, by: 'operation', error: theirs });
    });

    test('the caller’s cancellation', async () => {
      const controller = new AbortController();
      const result = stack(again(2, 0), limit(1000)).attempt(hangs, { signal: controller.signal });
      controller.abort('stop');
      expect(await result).toEqual({ ok: false, by: 'caller', error: 'stop' });
      expect(await stack(limit(1000)).attempt(hangs, { signal: controller.signal })).toEqual({ ok: false, by: 'caller', error: 'stop' });
    });

    test('the call’s own limits, as the caller’s doing', async () => {
      const result = stack(again(2, 0)).attempt(hangs, { timeout: '1s' });
      const atDeadline = stack(again(2, 0)).attempt(hangs, { deadline: Deadline.in('1s') });
      await time.clock.advance('1s');
      const timedOut = { ok: false, by: 'caller', error: expect.any(TimeoutError) };
      expect([await result, await atDeadline]).toMatchObject([timedOut, timedOut]);
    });
  });

  test('a nested call’s refusal is the operation’s failure', async () => {
    const outer = limit(1000);
    expect(await outer.attempt((call) => refusing.execute(() => 5, { parent: call }))).toEqual({ ok: false, by: 'operation', error: full });
  });

  test('a parent’s cancellation is the caller’s', async () => {
    const controller = new AbortController();
    let inner: Promise<unknown> | undefined;
    const outer = limit(1000).attempt(
      (call) => {
        inner = limit(500).attempt(hangs, { parent: call });
        return inner;
      },
      { signal: controller.signal },
    );
    controller.abort('stop');
    expect(await inner).toEqual({ ok: false, by: 'caller', error: 'stop' });
    expect(await outer).toEqual({ ok: false, by: 'caller', error: 'stop' });
  });

  test('a wrong option of the call, and leaves nothing behind', async () => {
    const { signal } = new AbortController();
    for (const wrong of [{ timeout: 'soon' }, { timeout: -1 }, { timeout: Number.NaN }]) {
      const options = { signal, ...wrong } as ExecuteOptions;
      expect(await limit(1000).attempt(() => 5, options)).toMatchObject({ ok: false, by: 'caller', error: { code: 'ERR_OPTION' } });
      expect(await ending(limit(1000).execute(() => 5, options))).toMatchObject({ error: { code: 'ERR_OPTION' } });
    }
  });
});

describe('wrap', () => {
  test('keeps this and the arguments', async () => {
    class Client {
      readonly base = 'http://a.example/';
      load = limit(1000).wrap(function load(this: Client, call: Call, path: string, times: number) {
        return `${call.name} ${this.base}${path} ${times} ${call.attempt}`;
      });
    }
    expect(await new Client().load('users', 3)).toBe('load http://a.example/users 3 1');
    expect(await limit(1000).wrap((_call, ...rest: number[]) => rest)(1, 2, 3)).toEqual([1, 2, 3]);
    expect(await limit(1000).wrap(() => 'no arguments')()).toBe('no arguments');
  });

  test('keeps the name, of the function or of the option', async () => {
    const name = async (wrapped: () => Promise<string>): Promise<[string, string]> => [wrapped.name, await wrapped()];
    const own = (call: Call): string => call.name;
    expect(await name(limit(1000).wrap(own))).toEqual(['own', 'own']);
    expect(await name(limit(1000).wrap(own, { name: 'theirs' }))).toEqual(['own', 'theirs']);
    expect(await name(limit(1000).wrap(own, { name: undefined }))).toEqual(['own', 'own']);
    expect(await name(limit(1000).wrap(own, () => ({ name: undefined })))).toEqual(['own', 'own']);
    expect(await name(limit(1000).wrap(own, () => ({ name: 'by call' })))).toEqual(['own', 'by call']);
    expect(
      await limit(1000).wrap(
        (
          (): ((call: Call) => string) => (call) =>
            call.name
        )(),
      )(),
    ).toBe('operation');
  });

  test('takes options, fixed or by the arguments', async () => {
    const seen: ExecuteOptions[] = [];
    const looking = policyOf({
      enter(step) {
        seen.push(step.options);
        return PROCEED;
      },
    });
    const load = (_call: Call, host: string, _n: number): string => host;
    await looking.wrap(load, { cost: 3 })('a', 1);
    await looking.wrap(load, (host, n) => ({ keys: { host }, cost: n }))('b', 2);
    expect(seen).toEqual([
      { name: 'load', cost: 3 },
      { name: 'load', keys: { host: 'b' }, cost: 2 },
    ]);
  });

  test('F1: an options function that throws rejects the call, before anything begins', async () => {
    const fault = new Error('fault');
    let calls = 0;
    const wrapped = limit(1000).wrap(
      () => calls++,
      () => {
        throw fault;
      },
    );
    expect(await ending(wrapped())).toHaveProperty('error', fault);
    expect(calls).toBe(0);
  });

  test('F1: a function that throws at once, or throws no error, rejects the call', async () => {
    const wrapped = limit(1000).wrap((_call, error: unknown) => {
      throw error;
    });
    const fault = new Error('fault');
    expect(await ending(wrapped(fault))).toHaveProperty('error', fault);
    expect(await ending(wrapped(undefined))).toEqual({ error: undefined });
  });

  test('each call is one of its own', async () => {
    const wrapped = again(2, 0).wrap((call) => {
      if (call.attempt === 1) throw new Error('busy');
      return call.attempt;
    });
    expect(await Promise.all([wrapped(), wrapped()])).toEqual([2, 2]);
  });
});
