import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { TimeoutError } from '../errors/timeout-error.ts';
import { listen } from '../observe/events.ts';
import { compose } from '../policy/compose.ts';
import { LayerPolicy } from '../policy/layer-policy.ts';
import type { Call, Policy } from '../policy/policy.ts';
import { policyFrom } from '../policy/policy-from.ts';
import { again, limit, Permits, policyOf } from '../policy/test-layers.test-support.ts';
import { onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { nextMacrotask } from '../testing/next-macrotask.ts';
import { scriptedOperation } from '../testing/scripted-operation.ts';
import { type Keyed, type KeyedOptions, keyed } from './keyed.ts';

const time = onVirtualTime();

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

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

describe('B7: keys are dropped only where nothing is lost', () => {
  /** What a policy of these tests remembers, by key. */
  const remembering = (memory: Set<string>, options: KeyedOptions): Keyed<never, unknown> =>
    keyed('host', (host) => policyOf({ isIdle: () => !memory.has(host) }), options);

  test('the one unused for longest goes first', async () => {
    const events: unknown[] = [];
    using _listening = listen('keyed', (event) => events.push(event));
    const { policy } = perHost({ maxKeys: 3 });
    for (const host of ['a', 'b', 'c', 'a', 'd']) await policy.execute(() => 1, by(host));
    expect(policy.keys()).toEqual(['c', 'a', 'd']);
    expect(policy.get('b')).toBeUndefined();
    expect(policy.statistics().evicted).toBe(1);
    expect(events).toEqual([{ type: 'evicted', policy: 'keyed host', key: 'b' }]);
  });

  test('what has calls in flight, waiting or abandoned stays; the number grows, and shrinks again', async () => {
    const { policy } = perHost({ maxKeys: 1 });
    const work = scriptedOperation<string>();
    const results = [
      policy.attempt(work.operation, by('running')),
      policy.attempt(work.operation, { ...by('running'), timeout: '1s' }), // waits
      compose(policy, limit(1000)).attempt(work.operation, by('abandoned')),
    ];
    await time.clock.advance('1s');
    expect(policy.statistics()).toEqual({ name: 'keyed host', keys: 2, maxKeys: 1, inFlight: 2, abandoned: 1, evicted: 0 });
    expect(await results[2]).toMatchObject({ ok: false, error: expect.any(TimeoutError) });
    for (const host of ['x', 'y']) await policy.execute(() => 1, by(host));
    expect(policy.keys().toSorted()).toEqual(['abandoned', 'running', 'y']);
    for (const open of work.open) open.resolve('done');
    await Promise.all(results);
    await policy.execute(() => 1, by('z'));
    expect(policy.keys()).toEqual(['z']);
    expect(policy.statistics()).toEqual({ name: 'keyed host', keys: 1, maxKeys: 1, inFlight: 0, abandoned: 0, evicted: 4 });
  });

  test('what remembers something stays, until it has forgotten', async () => {
    const memory = new Set(['a', 'b']);
    const policy = remembering(memory, { maxKeys: 2 });
    for (const host of ['a', 'b', 'c']) await policy.execute(() => 1, by(host));
    expect(policy.keys()).toEqual(['a', 'b', 'c']);
    memory.delete('b');
    await policy.execute(() => 1, by('d'));
    expect(policy.keys()).toEqual(['a', 'd']);
  });

  test('is asked at the time of the call’s clock', async () => {
    const openUntilMs = new Map([['a', 5000]]);
    const policy = keyed('host', (host) => policyOf({ isIdle: (nowMs) => nowMs >= (openUntilMs.get(host) ?? 0) }), { maxKeys: 1 });
    for (const host of ['a', 'b']) await policy.execute(() => 1, by(host));
    expect(policy.keys()).toEqual(['a', 'b']);
    await time.clock.advance('5s');
    await policy.execute(() => 1, by('c'));
    expect(policy.keys()).toEqual(['c']);
  });

  test('many keys that stay do not hide those that may go', async () => {
    const stay = Array.from({ length: 50 }, (_, n) => `stays ${n}`);
    const policy = remembering(new Set(stay), { maxKeys: 60 });
    for (const host of stay) await policy.execute(() => 1, by(host));
    for (let n = 0; n < 1000; n++) await policy.execute(() => 1, by(`passes ${n}`));
    expect(policy.keys().filter((key) => key.startsWith('stays'))).toHaveLength(50);
    expect(policy.statistics().keys).toBeLessThanOrEqual(70);
  });

  test('a flood of new keys makes no call a scan', async () => {
    let asked = 0;
    const isIdle = (): boolean => {
      asked++;
      return false;
    };
    const policy = keyed('host', () => policyOf({ isIdle }), { maxKeys: 100 });
    for (let n = 0; n < 200; n++) await policy.execute(() => 1, by(`host ${n}`));
    expect([asked, policy.keys().length]).toEqual([100 * 16, 200]);
  });

  test('a composition stays while any part of it would lose something', async () => {
    let isIdle = false;
    const policy = keyed('host', () => compose(limit(1000), policyOf({ isIdle: () => isIdle }), limit(500)), { maxKeys: 1 });
    for (const host of ['a', 'b']) await policy.execute(() => 1, by(host));
    expect(policy.keys()).toEqual(['a', 'b']);
    isIdle = true;
    await policy.execute(() => 1, by('c'));
    expect(policy.keys()).toEqual(['c']);
  });

  test('of a foreign policy only the calls are known', async () => {
    const policy = keyed('host', (host) => policyFrom(host, (operation, options) => operation(options.parent as Call)), { maxKeys: 1 });
    const work = scriptedOperation<string>();
    const running = policy.execute(work.operation, by('a'));
    await policy.execute(() => 1, by('b'));
    expect(policy.keys()).toEqual(['a', 'b']);
    (await work.expectCall()).resolve('done');
    await running;
    await policy.execute(() => 1, by('c'));
    expect(policy.keys()).toEqual(['c']);
  });

  test('nothing is kept of a key that has gone', async () => {
    const made: WeakRef<Policy>[] = [];
    const make = (): Policy => {
      const own = new Bulkhead(new Permits(1));
      made.push(new WeakRef(own));
      return own;
    };
    const hosts = keyed('host', make, { maxKeys: 1 });
    const policy = compose(
      again(1, 0),
      hosts,
      keyed('tenant', () => limit(1000)),
    );
    for (const host of ['a', 'b']) await policy.execute(() => 1, { keys: { host, tenant: 'x' } });
    await nextMacrotask(); // a WeakRef holds its target until the end of the turn in which it was made or read
    collectGarbage();
    expect(made.map((ref) => ref.deref() !== undefined)).toEqual([false, true]);
    expect(hosts.keys()).toEqual(['b']);
  });

  test('a key that comes back has a policy anew', async () => {
    const { policy, permits } = perHost({ maxKeys: 1 });
    await policy.execute(() => 1, by('a'));
    const first = permits.get('a');
    for (const host of ['b', 'a']) await policy.execute(() => 1, by(host));
    expect(permits.get('a')).not.toBe(first);
    expect(permits.get('a')?.taken).toBe(0);
  });
});
