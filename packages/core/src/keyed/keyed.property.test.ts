import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Policy } from '../policy/policy.ts';
import { policyOf } from '../policy/test-layers.test-support.ts';
import { type ScriptedCall, scriptedOperation } from '../testing/scripted-operation.ts';
import { keyed } from './keyed.ts';

const SEED = 20_251_121;

/** Fewer than are looked at for room, so that every key is looked at each time. */
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'] as const;

type Action = { readonly does: 'call' | 'end' | 'remember' | 'forget'; readonly key: (typeof KEYS)[number] };
const actions = fc.array(
  fc.record<Action>({ does: fc.constantFrom('call', 'call', 'end', 'remember', 'forget'), key: fc.constantFrom(...KEYS) }),
  { maxLength: 60, size: 'max' },
);

test('B7: whatever happens, no key that is in use or remembers anything is dropped, and no more are kept than that asks for', async () => {
  await fc.assert(
    fc.asyncProperty(actions, fc.integer({ min: 1, max: 6 }), async (steps, maxKeys) => {
      const memory = new Set<string>();
      const made = new Map<string, Policy<never, unknown>>();
      const make = (host: string): Policy<never, unknown> => {
        const own = policyOf({ isIdle: () => !memory.has(host) });
        made.set(host, own);
        return own;
      };
      const policy = keyed('host', make, { maxKeys });
      const open = new Map<string, ScriptedCall<string>[]>();
      const stays = (key: string): boolean => memory.has(key) || (open.get(key)?.length ?? 0) > 0;
      const end = async (key: string): Promise<void> => {
        open.get(key)?.pop()?.resolve('done');
        await Promise.resolve();
      };

      for (const { does, key } of steps) {
        const before = policy.keys().filter(stays);
        const policies = new Map(before.map((each) => [each, policy.get(each)]));
        if (does === 'call') {
          const work = scriptedOperation<string>();
          const isNew = policy.get(key) === undefined;
          void policy.execute(work.operation, { keys: { host: key } });
          open.set(key, [...(open.get(key) ?? []), await work.expectCall()]);
          expect(policy.keys().at(-1)).toBe(key);
          if (isNew) expect(policy.keys().length).toBeLessThanOrEqual(Math.max(maxKeys, policy.keys().filter(stays).length));
        } else if (does === 'end') await end(key);
        else if (does === 'remember') memory.add(key);
        else memory.delete(key);
        for (const each of before) expect(policy.get(each)).toBe(policies.get(each));
        expect(new Set(policy.keys()).size).toBe(policy.keys().length);
        expect(policy.statistics().inFlight).toBe([...open.values()].flat().length);
        for (const each of policy.keys()) expect(policy.get(each)).toBe(made.get(each));
      }
      for (const key of open.keys()) while ((open.get(key)?.length ?? 0) > 0) await end(key);
    }),
    { seed: SEED },
  );
});
