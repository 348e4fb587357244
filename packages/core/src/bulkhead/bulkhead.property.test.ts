import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compose } from '../policy/compose.ts';
import { limit } from '../policy/test-layers.test-support.ts';
import { expectNoLeaks } from '../testing/expect-no-leaks.ts';
import { type ScriptedCall, scriptedOperation } from '../testing/scripted-operation.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from '../time/current-clock.ts';
import { bulkhead } from './bulkhead.ts';

const SEED = 20_251_121;

type Act =
  | { readonly do: 'call'; readonly limited: boolean }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'finish' | 'fail' | 'abort'; readonly which: number }
  | { readonly do: 'settle' | 'close' };

const one = fc.nat(20);
const acts = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('call' as const), limited: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('finish' as const, 'fail' as const, 'abort' as const), which: one }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 80 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('settle' as const, 'close' as const) }) },
  ) satisfies fc.Arbitrary<Act>,
  { maxLength: 60 },
);

const rules = fc.record({ maxConcurrency: fc.integer({ min: 1, max: 4 }), maxQueue: fc.nat(5), maxAbandoned: fc.nat(4) });

test('P1, P2, P5: whatever ends, fails, times out, leaves or closes: never too many at once, in order, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(rules, acts, async (given, script) => {
      using clock = useClock(new VirtualClock());
      await using _leaks = expectNoLeaks({ clock });
      const policy = bulkhead(given);
      const limited = compose(policy, limit(100));
      const work = scriptedOperation<string>();
      const controllers: AbortController[] = [];
      const started: number[] = [];
      const results: Promise<unknown>[] = [];

      const call = (isLimited: boolean): void => {
        const number = controllers.length;
        const controller = new AbortController();
        controllers.push(controller);
        const operation: typeof work.operation = (attempt) => {
          started.push(number);
          return work.operation(attempt);
        };
        results.push((isLimited ? limited : policy).attempt(operation, { signal: controller.signal }));
      };
      const running = (which: number): ScriptedCall<string> | undefined => work.open[which % work.open.length];

      for (const act of script) {
        if (act.do === 'call') call(act.limited);
        else if (act.do === 'pass') await clock.advance(act.ms);
        else if (act.do === 'finish') running(act.which)?.resolve('done');
        else if (act.do === 'fail') running(act.which)?.reject(new Error('down'));
        else if (act.do === 'abort') controllers[act.which]?.abort();
        else if (act.do === 'close') policy.close();
        else await clock.settle();
        const { inFlight, waiting, abandoned } = policy.statistics();
        expect(inFlight).toBeLessThanOrEqual(given.maxConcurrency);
        expect(work.open.length).toBeLessThanOrEqual(given.maxConcurrency);
        expect(waiting).toBeLessThanOrEqual(given.maxQueue);
        expect(abandoned).toBeLessThanOrEqual(inFlight);
        if (waiting > 0) expect(inFlight).toBe(given.maxConcurrency);
      }

      while (work.open.length > 0 || policy.statistics().waiting > 0) {
        for (const open of work.open) open.resolve('done');
        await clock.settle();
      }
      await Promise.all(results);
      expect(started).toEqual(started.toSorted((a, b) => a - b));
      expect(policy.statistics()).toMatchObject({ inFlight: 0, waiting: 0, abandoned: 0 });
    }),
    { seed: SEED, numRuns: 200 },
  );
});
