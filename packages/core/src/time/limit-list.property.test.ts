import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { LimitNode, limitList } from './limit-list.ts';

const SEED = 20_251_121;
const DURATIONS = [1, 5, 5.5, 40, 1000];

type Act =
  | { readonly do: 'add'; readonly durationMs: number; readonly times: number }
  | { readonly do: 'remove'; readonly which: number; readonly times: number }
  | { readonly do: 'advance'; readonly ms: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ do: fc.constant('add' as const), durationMs: fc.constantFrom(...DURATIONS), times: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ do: fc.constant('remove' as const), which: fc.nat(), times: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(0, 0.5, 1, 3, 30, 500) }),
);

/** What a limit should do, in the simplest words. */
interface Expected {
  readonly node: LimitNode;
  readonly dueMs: number;
  removed: boolean;
}

test('every limit is reached at its time, never early, unless it was removed; and no timer is left', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
      const clock = new VirtualClock();
      const reachedMs = new Map<LimitNode, number>();
      const target = { limitReached: (node: LimitNode): void => void reachedMs.set(node, clock.nowMs()) };
      const limits: Expected[] = [];
      for (const step of acts) {
        if (step.do === 'advance') await clock.advance(step.ms);
        else if (step.do === 'add') {
          for (let i = 0; i < step.times; i++) {
            const node = new LimitNode(target, 0, null);
            limitList(clock, step.durationMs).add(node);
            limits.push({ node, dueMs: clock.nowMs() + step.durationMs, removed: false });
          }
        } else {
          for (let i = 0; i < step.times && limits.length > 0; i++) {
            const limit = limits[(step.which + i) % limits.length] as Expected;
            limit.removed ||= limit.node.list !== null;
            limit.node.list?.remove(limit.node);
          }
        }
      }
      await clock.advance(2000);
      for (const { node, dueMs, removed } of limits) expect(reachedMs.get(node)).toBe(removed ? undefined : dueMs);
      expect(clock.pendingTimers).toBe(0);
    }),
    { seed: SEED, numRuns: 200 },
  );
});
