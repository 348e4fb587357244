import { describe, expect, test } from 'vitest';
import { watchLive } from '../observe/live.ts';
import type { Classify } from '../outcome/classify.ts';
import { compose } from '../policy/compose.ts';
import { DONE, PROCEED } from '../policy/layer.ts';
import { LayerPolicy } from '../policy/layer-policy.ts';
import type { Call, Policy } from '../policy/policy.ts';
import { policyFrom } from '../policy/policy-from.ts';
import { again, limit, lookedUp, Permits, policyOf } from '../policy/test-layers.test-support.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { scriptedOperation } from '../testing/scripted-operation.ts';
import { Keyed, type KeyedOptions, keyed, keyedDefaults } from './keyed.ts';

const time = onVirtualTime();

class Bulkhead extends LayerPolicy {}
const by = (host: string): { keys: { host: string } } => ({ keys: { host } });

/** A keyed policy of bulkheads for one call each. */
function perHost(options?: KeyedOptions): { policy: Keyed; permits: Map<string, Permits> } {
  const permits = new Map<string, Permits>();
  const make = (host: string): Policy => {
    const own = new Permits(1);
    permits.set(host, own);
    return new Bulkhead(own);
  };
  return { policy: keyed('host', make, options), permits };
}

describe('a keyed policy', () => {
  test('makes one policy for each value of its key, when it is first used', async () => {
    const made: string[] = [];
    const policy = keyed('host', (host) => {
      made.push(host);
      return limit(1000);
    });
    expect(made).toEqual([]);
    for (const host of ['a', 'b', 'a', 'a'])
      expect(await policy.execute(({ remainingMs }) => typeof remainingMs, by(host))).toBe('function');
    expect(made).toEqual(['a', 'b']);
  });

  test('keeps the keys apart', async () => {
    const { policy, permits } = perHost();
    const [a, b] = [scriptedOperation<string>(), scriptedOperation<string>()];
    const results = [policy.execute(a.operation, by('a')), policy.execute(a.operation, by('a')), policy.execute(b.operation, by('b'))];
    const [first, other] = [await a.expectCall(), await b.expectCall()];
    await a.expectNoCall();
    expect([permits.get('a')?.waiting, permits.get('b')?.waiting]).toEqual([1, 0]);
    other.resolve('b 1');
    first.resolve('a 1');
    (await a.expectCall()).resolve('a 2');
    expect(await Promise.all(results)).toEqual(['a 1', 'a 2', 'b 1']);
  });

  test.each(['__proto__', 'constructor', 'toString', '', ' ', 'ä\u0000'])('K4: %j is a key like any other', async (host) => {
    const { policy } = perHost();
    expect(await policy.execute(() => 1, { keys: Object.fromEntries([['host', host]]) })).toBe(1);
    expect(policy.keys()).toEqual([host]);
    expect(policy.get(host)).toBeInstanceOf(Bulkhead);
  });

  test('may be the policy of a composition, of another library, or of wrap', async () => {
    const composed = keyed('host', () => compose(again(2, 0), limit(1000)));
    let calls = 0;
    const busyOnce = (call: Call): number => {
      if (calls++ === 0) throw new Error('busy');
      return call.attempt;
    };
    expect(await composed.execute(busyOnce, by('a'))).toBe(2);
    const foreign = keyed('host', (host) =>
      policyFrom<string>(host, async (operation, options) => `${host} ${await operation(options.parent as Call)}`),
    );
    expect(await foreign.execute(() => 1, by('a'))).toBe('a 1');
    const wrapped = foreign.wrap(
      (_call, _host: string, n: number) => n,
      (host) => by(host),
    );
    expect([await wrapped('a', 1), await wrapped('b', 2)]).toEqual(['a 1', 'b 2']);
    const passed: string[] = [];
    const stranger: Policy = {
      name: 'stranger',
      execute: async (operation, options) => {
        passed.push(options?.name ?? '');
        return operation(options?.parent as Call);
      },
      attempt: () => Promise.reject(new Error('not used')),
      wrap: () => () => Promise.reject(new Error('not used')),
      describe: () => ({ name: 'stranger', kind: 'theirs', options: {} }),
    };
    expect(await keyed('host', () => stranger).execute(() => 1, { name: 'load', ...by('a') })).toBe(1);
    expect(passed).toEqual(['load']);
  });

  test('leaves cancellation as it is', async () => {
    const { policy, permits } = perHost();
    const controller = new AbortController();
    const work = scriptedOperation<string>();
    const results = [1, 2].map(() => policy.attempt(work.operation, { ...by('a'), signal: controller.signal }));
    const { call } = await work.expectCall();
    controller.abort('stop');
    const cancelled = { ok: false, by: 'caller', error: 'stop' };
    expect(await Promise.all(results)).toEqual([cancelled, cancelled]);
    expect([call.signal.reason, permits.get('a')?.waiting, permits.get('a')?.taken]).toEqual(['stop', 0, 1]);
    work.open[0]?.reject('stop');
    await time.clock.settle();
    expect(policy.statistics().inFlight).toBe(0);
  });
});

describe('in a composition', () => {
  test('stands where it was put: the same key’s policy for every attempt inside a retry', async () => {
    const { policy, permits } = perHost();
    const taken: (number | undefined)[] = [];
    let calls = 0;
    const fails = (): never => {
      calls++;
      taken.push(permits.get('a')?.taken);
      throw new Error('busy');
    };
    const inside = ending(compose(again(2, 1000), policy).execute(fails, by('a')));
    await time.clock.advance(500);
    expect(permits.get('a')?.taken).toBe(0); // one permit an attempt: none while it waits
    await time.clock.advance(500);
    await inside;

    const outside = ending(compose(policy, again(2, 1000)).execute(fails, by('a')));
    await time.clock.advance(500);
    expect(permits.get('a')?.taken).toBe(1); // one permit for all attempts, waits included
    await time.clock.advance(500);
    await outside;
    expect([calls, taken, permits.size]).toEqual([4, [1, 1, 1, 1], 1]);
  });

  test('two of them choose by a key each', async () => {
    const seen: string[] = [];
    const naming = (kind: string) => (key: string) =>
      policyOf({
        name: `${kind} ${key}`,
        enter() {
          seen.push(`${kind} ${key}`);
          return PROCEED;
        },
      });
    const hosts = keyed('host', naming('host'));
    const tenants = keyed('tenant', naming('tenant'));
    const policy = compose(hosts, again(1, 0), tenants);
    for (const [host, tenant] of [
      ['a', 'x'],
      ['a', 'y'],
      ['b', 'x'],
      ['a', 'x'],
    ] as const)
      await policy.execute(() => 1, { keys: { host, tenant } });
    expect(seen).toEqual(['host a', 'tenant x', 'host a', 'tenant y', 'host b', 'tenant x', 'host a', 'tenant x']);
    expect([hosts.keys(), tenants.keys()]).toEqual([
      ['b', 'a'],
      ['y', 'x'],
    ]);
    expect([hosts.statistics().inFlight, tenants.statistics().inFlight]).toEqual([0, 0]);
  });

  test('is worked out once for each choice of keys', async () => {
    let lookedUpTimes = 0;
    const policy = compose(
      keyed('host', () => lookedUp(() => lookedUpTimes++)),
      keyed('tenant', () => limit(1000)),
    );
    const choices = ['a x', 'a x', 'a y', 'b x', 'a y', 'a x', 'b x'];
    for (const choice of choices) {
      const [host = '', tenant = ''] = choice.split(' ');
      await policy.execute(() => 1, { keys: { host, tenant } });
    }
    expect(lookedUpTimes).toBe(new Set(choices).size);
  });

  test('is shared by all it stands in', async () => {
    const { policy, permits } = perHost();
    const [whole, alone] = [compose(again(2, 0), policy), compose(policy, limit(1000))];
    const work = scriptedOperation<number>();
    const results = [whole.execute(work.operation, by('a')), alone.execute(work.operation, by('a'))];
    (await work.expectCall()).resolve(1);
    (await work.expectCall()).resolve(2);
    expect(await Promise.all(results)).toEqual([1, 2]);
    expect(permits.size).toBe(1);
  });

  test('classifies as the whole does, unless its policies have a classifier of their own', async () => {
    const log: string[] = [];
    const noting = policyOf({
      succeed(step, value) {
        log.push(step.classifyValue(value).kind);
        return DONE;
      },
    });
    const is =
      (kind: 'throttled' | 'permanent'): Classify =>
      () => ({ kind, origin: 'remote' });
    const policy = keyed('host', (host) => (host === 'own' ? compose(noting, { classify: is('throttled') }) : noting));
    await policy.execute(() => 1, by('a'));
    for (const host of ['a', 'own']) await compose(policy, { classify: is('permanent') }).execute(() => 1, by(host));
    expect(log).toEqual(['ok', 'permanent', 'throttled']);
  });
});

describe('a call without its key', () => {
  const wrong = (got: string): unknown =>
    expect.objectContaining({
      code: 'ERR_OPTION',
      message: `keyed: keys.host must be a text, given with each call: execute(operation, { keys: { host: … } }), got ${got}`,
    });

  test.each<[unknown, string]>([
    [undefined, 'undefined'],
    [{}, 'undefined'],
    [{ keys: undefined }, 'undefined'],
    [{ keys: { tenant: 'x' } }, 'undefined'],
    [{ keys: { host: undefined } }, 'undefined'],
    [{ keys: { host: 5 } }, '5'],
  ])('rejects: %j', async (options, got) => {
    const { policy } = perHost();
    expect(await ending(policy.execute(() => 1, options as object))).toEqual({ error: wrong(got) });
    expect(await policy.attempt(() => 1, options as object)).toEqual({ ok: false, by: 'caller', error: wrong(got) });
    expect(await compose(again(3, 0), policy).attempt(() => 1, options as object)).toEqual({ ok: false, by: 'caller', error: wrong(got) });
    expect(policy.keys()).toEqual([]);
  });

  test('is no call of what every object has', async () => {
    expect(await ending(keyed('constructor', () => limit(1)).execute(() => 1, { keys: {} }))).toMatchObject({
      error: { code: 'ERR_OPTION' },
    });
  });
});

describe('make', () => {
  test('that throws rejects the call, and is asked again by the next', async () => {
    const fault = new Error('no such host');
    let asked = 0;
    const policy = keyed('host', () => {
      if (asked++ === 0) throw fault;
      return limit(1000);
    });
    expect(await policy.attempt(() => 1, by('a'))).toEqual({ ok: false, by: 'caller', error: fault });
    expect(policy.keys()).toEqual([]);
    expect(await policy.execute(() => 1, by('a'))).toBe(1);
  });

  test.each<[unknown, string]>([
    [undefined, 'keyed: make must be a function that makes a policy, got undefined'],
    [{ execute: () => 1 }, 'keyed: make must be a function that makes a policy, got an object'],
    [keyed('tenant', () => limit(1)), 'keyed: make must be a function that makes policies which are not keyed themselves, got an object'],
    [
      compose(keyed('tenant', () => limit(1))),
      'keyed: make must be a function that makes policies which are not keyed themselves, got an object',
    ],
  ])('has to make a policy that is not keyed itself', async (made, message) => {
    expect(await ending(keyed('host', () => made as Policy).execute(() => 1, by('a')))).toMatchObject({
      error: { code: 'ERR_OPTION', message },
    });
  });
});

describe('looking at it', () => {
  test('describes the policy of one of its keys, as plain data', async () => {
    const policy = keyed('host', () => compose(limit(5, 'attempt')), { maxKeys: 7, name: 'hosts' });
    expect(policy.describe()).toEqual({ name: 'hosts', kind: 'keyed', options: { key: 'host', maxKeys: 7 }, children: [] });
    await policy.execute(() => 1, by('a'));
    const attempt = { name: 'attempt', kind: 'test', options: {} };
    const child = { name: 'attempt', kind: 'composition', options: { classify: 'default' }, children: [attempt] };
    expect(policy.describe()).toEqual({ name: 'hosts', kind: 'keyed', options: { key: 'host', maxKeys: 7 }, children: [child] });
    expect(JSON.parse(JSON.stringify(policy.describe()))).toEqual(policy.describe());
  });

  test('has statistics that are frozen and fit for JSON', () => {
    const statistics = perHost().policy.statistics();
    expect(Object.isFrozen(statistics)).toBe(true);
    expect(JSON.parse(JSON.stringify(statistics))).toEqual(statistics);
    expect(statistics.maxKeys).toBe(keyedDefaults.maxKeys);
  });

  test('can be looked at while it lives', () => {
    using live = watchLive();
    const { policy } = perHost();
    expect(live.objects()).toContain(policy);
  });

  test('get never makes a policy, and keys may not be changed', async () => {
    const { policy } = perHost();
    expect(policy.get('a')).toBeUndefined();
    await policy.execute(() => 1, by('a'));
    (policy.keys() as string[]).push('b');
    expect(policy.keys()).toEqual(['a']);
    expect(await policy.get('a')?.execute(() => 2)).toBe(2);
  });
});

describe('F2: the options are checked at once', () => {
  test.each<[readonly unknown[], string]>([
    [['', () => limit(1)], 'keyed: key must be a text that is not empty, got ""'],
    [[5, () => limit(1)], 'keyed: key must be a text that is not empty, got 5'],
    [['host'], 'keyed: make must be a function that makes a policy, got undefined'],
    [['host', limit(1)], 'keyed: make must be a function that makes a policy, got an object'],
    [['host', () => limit(1), { maxKeys: 0 }], 'keyed: maxKeys must be a whole number of at least 1, got 0'],
    [['host', () => limit(1), { maxKeys: 1.5 }], 'keyed: maxKeys must be a whole number of at least 1, got 1.5'],
    [['host', () => limit(1), { maxKeys: Number.NaN }], 'keyed: maxKeys must be a whole number of at least 1, got NaN'],
    [['host', () => limit(1), { maxKeys: Number.POSITIVE_INFINITY }], 'keyed: maxKeys must be a whole number of at least 1, got Infinity'],
    [['host', () => limit(1), { name: '' }], 'keyed: name must be a text that is not empty, got ""'],
    [['host', () => limit(1), { max: 5 }], 'keyed: unknown option "max"; there are maxKeys, name'],
    [['host', () => limit(1), null], 'keyed: options must be an object, got null'],
  ])('%o', (args, message) => {
    const make = keyed as (...args: readonly unknown[]) => unknown;
    expect(() => make(...args)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message }));
  });

  test('and forward undefined', () => {
    const { policy } = perHost({ maxKeys: undefined, name: undefined });
    expect(policy).toBeInstanceOf(Keyed);
    expect([policy.name, policy.statistics().maxKeys]).toEqual(['keyed host', 1000]);
  });
});
