import { describe, expect, test } from 'vitest';
import type { Classify, Outcome } from '../outcome/classify.ts';
import { type ComposeOptions, compose } from './compose.ts';
import { DONE, PROCEED } from './layer.ts';
import type { LayerPolicy } from './layer-policy.ts';
import type { Policy } from './policy.ts';
import { policyFrom } from './policy-from.ts';
import { again, limit, lookedUp, policyOf } from './test-layers.test-support.ts';
import { ending, onVirtualTime } from './virtual-time.test-support.ts';

const time = onVirtualTime();

/** A policy that notes when it is entered and left, and by which machine. */
function tracer(log: unknown[], name: string): LayerPolicy<never, unknown> {
  return policyOf({
    name,
    enter(step) {
      log.push(`> ${name}`, step);
      return PROCEED;
    },
    succeed() {
      log.push(`< ${name}`);
      return DONE;
    },
  });
}

describe('the order', () => {
  test('is outermost first, and compositions flatten into one machine', async () => {
    const log: unknown[] = [];
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => tracer(log, name)) as [LayerPolicy, LayerPolicy, LayerPolicy, LayerPolicy];
    await compose(a, compose(compose(b), c), d).execute(() => log.push('operation'));
    expect(log.filter((entry) => typeof entry === 'string')).toEqual(['> a', '> b', '> c', '> d', 'operation', '< d', '< c', '< b', '< a']);
    expect(new Set(log.filter((entry) => typeof entry === 'object')).size).toBe(1);
  });

  test('decides what a limit bounds: each attempt, or all of them', async () => {
    const startedMs: number[] = [];
    const hangs = (): Promise<never> => {
      startedMs.push(time.clock.nowMs());
      return new Promise((_, reject) => void time.clock.schedule(10_000, () => reject(new Error('at last'))));
    };
    const each = ending(compose(again(3, 1000), limit(2000)).execute(hangs));
    await time.clock.advance('20s');
    expect(await each).toMatchObject({ error: { timeoutMs: 2000 } });
    expect(startedMs).toEqual([0, 3000, 6000]);

    startedMs.length = 0;
    const whole = ending(compose(limit(2000), again(3, 1000)).execute(hangs));
    await time.clock.advance('20s');
    expect(await whole).toMatchObject({ error: { timeoutMs: 2000 } });
    expect(startedMs).toEqual([20_000]);
  });

  test('one policy may stand in it twice, and in many compositions', async () => {
    const retry = again(2, 0);
    let calls = 0;
    const fails = (): never => {
      calls++;
      throw new Error('down');
    };
    await ending(compose(retry, retry).execute(fails));
    expect(calls).toBe(4);
    await ending(compose(limit(1000), retry).execute(fails));
    expect(calls).toBe(6);
  });

  test('is worked out once', async () => {
    let lookedUpTimes = 0;
    const policy = compose(
      lookedUp(() => lookedUpTimes++),
      limit(1000),
    );
    for (let n = 0; n < 3; n++) await policy.execute(() => n);
    expect(lookedUpTimes).toBe(1);
  });

  test('of nothing runs the operation as it is', async () => {
    expect(await compose().execute(({ attempt }) => attempt)).toBe(1);
    expect(compose().name).toBe('nothing');
    expect(compose({ name: 'plain' }).describe()).toEqual({
      name: 'plain',
      kind: 'composition',
      options: { classify: 'default' },
      children: [],
    });
  });
});

describe('the description', () => {
  test('keeps the composition as it was written, as plain data', () => {
    const inner = compose(again(2, 0), limit(5, 'attempt'), { name: 'inner', classify: () => ({ kind: 'ok', origin: 'remote' }) });
    const description = compose(limit(10, 'whole'), inner).describe();
    const leaf = (name: string): unknown => ({ name, kind: 'test', options: {} });
    expect(description).toEqual({
      name: 'whole > inner',
      kind: 'composition',
      options: { classify: 'default' },
      children: [
        leaf('whole'),
        { name: 'inner', kind: 'composition', options: { classify: 'function' }, children: [leaf('again'), leaf('attempt')] },
      ],
    });
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
  });

  test('is named by the option, else by the names of its policies', () => {
    expect(compose(limit(1, 'a'), again(1, 1), compose(limit(1, 'b'))).name).toBe('a > again > b');
    expect(compose(limit(1, 'a'), { name: 'mine' }).name).toBe('mine');
    expect(compose(limit(1, 'a'), { name: undefined, classify: undefined }).name).toBe('a');
  });
});

describe('classify', () => {
  const is =
    (kind: Outcome['kind']): Classify =>
    () => ({ kind, origin: 'remote' });

  /** A policy that notes how it classifies what comes out. */
  const noting = (log: string[], name: string): LayerPolicy<never, unknown> =>
    policyOf({
      name,
      succeed(step, value) {
        log.push(`${name} ${step.classifyValue(value).kind}`);
        return DONE;
      },
      fail(step, error) {
        log.push(`${name} ${step.classifyError(error).kind}`);
        return DONE;
      },
    });

  test('of a composition is that of all its policies, but of those that have their own', async () => {
    const log: string[] = [];
    const own = compose(noting(log, 'b'), { classify: is('throttled') });
    const none = compose(noting(log, 'c'));
    const policy = compose(noting(log, 'a'), own, none, { classify: is('permanent') });
    await policy.execute(() => 'value');
    await ending(policy.execute(() => Promise.reject(new Error('fault'))));
    const once = ['c permanent', 'b throttled', 'a permanent'];
    expect(log).toEqual([...once, ...once]);
  });

  test('of a policy is nobody’s where none was given', async () => {
    const log: string[] = [];
    const shared = noting(log, 'shared');
    await compose(shared, { classify: is('overloaded') }).execute(() => 'value');
    await shared.execute(() => 'value');
    expect(log).toEqual(['shared overloaded', 'shared ok']);
  });

  test('is told what the attempt ended with', async () => {
    const told: unknown[] = [];
    const classify: Classify = (settled) => {
      told.push(settled);
      return { kind: 'ok', origin: 'remote' };
    };
    const fault = new Error('fault');
    const policy = compose(noting([], 'a'), { classify });
    await policy.execute(() => 5);
    await ending(policy.execute(() => Promise.reject(fault)));
    expect(told).toEqual([
      { ok: true, value: 5 },
      { ok: false, error: fault },
    ]);
  });

  test('that throws is what the call rejects with', async () => {
    const bug = new Error('bug');
    const classify = (): never => {
      throw bug;
    };
    expect(await ending(compose(noting([], 'a'), { classify }).execute(() => 5))).toEqual({ error: bug });
  });
});

describe('a stranger', () => {
  test('may be anything with a name, execute and describe', async () => {
    const log: string[] = [];
    const stranger: Policy = {
      name: 'stranger',
      execute: async (operation, options) => {
        log.push(options?.name ?? '');
        return operation(options?.parent as never);
      },
      attempt: () => Promise.reject(new Error('not used')),
      wrap: () => () => Promise.reject(new Error('not used')),
      describe: () => ({ name: 'stranger', kind: 'theirs', options: { size: 3 } }),
    };
    const policy = compose(again(2, 0), stranger, limit(1000));
    expect(policy.name).toBe('again > stranger > limit');
    expect(policy.describe().children?.[1]).toEqual({ name: 'stranger', kind: 'theirs', options: { size: 3 } });
    let calls = 0;
    const value = await policy.execute(
      (call) => {
        if (++calls === 1) throw new Error('busy');
        return [call.remainingMs(), call.name];
      },
      { name: 'load' },
    );
    expect(value).toEqual([1000, 'load']);
    expect(log).toEqual(['load', 'load']);
  });
});

describe('F2: what is no policy and no option', () => {
  const wrong = 'compose: arguments must be policies, and options as the last, got';
  const compose_ = compose as (...args: readonly unknown[]) => unknown;
  const policy = limit(1);

  test.each<[readonly unknown[], string]>([
    [[undefined], `${wrong} undefined`],
    [[null], `${wrong} null`],
    [[5], `${wrong} 5`],
    [[policy, undefined], `${wrong} undefined`],
    [[policy, () => policy], `${wrong} a function`],
    [[[policy]], `${wrong} an array`],
    [[{ name: 'x' }, policy], `${wrong} an object`],
    [[policy, { execute: () => undefined }], `${wrong} an object`],
    [[{ name: 'x', execute: () => undefined }, policy], `${wrong} an object`],
    [[{ name: 'x', describe: () => undefined }, policy], `${wrong} an object`],
    [[policy, { execute: () => undefined, describe: () => undefined }], `${wrong} an object`],
    [[policy, { classify: 'x' }], 'compose: classify must be a function, got "x"'],
    [[policy, { name: '' }], 'compose: name must be a text that is not empty, got ""'],
    [[policy, { clasify: () => undefined }], 'compose: unknown option "clasify"; there are classify, name'],
  ])('is refused at once: %o', (args, message) => {
    expect(() => compose_(...args)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message }));
  });

  test('options may be forwarded', async () => {
    const options: ComposeOptions = { name: undefined, classify: undefined };
    expect(await compose(policy, options).execute(() => 1)).toBe(1);
  });
});

test('C3: a composition of many policies and strangers ends at once when it is cancelled, with the caller’s reason', async () => {
  const controller = new AbortController();
  const stranger = policyFrom('stranger', (operation, options) => operation(options.parent as never));
  const policy = compose(limit(5000), again(3, 10), stranger, compose(stranger, again(2, 10)), limit(1000));
  const result = policy.attempt(
    (call) => new Promise((_, reject) => call.signal.addEventListener('abort', () => reject(call.signal.reason))),
    {
      signal: controller.signal,
    },
  );
  controller.abort('stop');
  expect(await result).toEqual({ ok: false, by: 'caller', error: 'stop' });
});
