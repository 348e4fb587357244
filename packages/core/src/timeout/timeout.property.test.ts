import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compose } from '../policy/compose.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from '../time/current-clock.ts';
import { timeout } from './timeout.ts';

const SEED = 20_251_121;
const limits = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 });

test('T4: a call ends after its own time or the least of its limits, in whatever order those stand', async () => {
  await fc.assert(
    fc.asyncProperty(limits, fc.integer({ min: 1, max: 120 }), async (limitsMs, workMs) => {
      using clock = useClock(new VirtualClock());
      const leastMs = Math.min(...limitsMs);
      fc.pre(workMs !== leastMs);
      let endedMs = Number.NaN;
      const work = (): Promise<string> => new Promise((resolve) => void clock.schedule(workMs, () => resolve('done')));
      const policy = compose(...limitsMs.map((ms) => timeout(ms)));
      const result = policy.attempt(work).finally(() => (endedMs = clock.nowMs()));
      await clock.advance(200);
      expect(await result).toMatchObject(
        workMs < leastMs ? { ok: true, value: 'done' } : { ok: false, by: 'policy', error: { timeoutMs: leastMs } },
      );
      expect(endedMs).toBe(Math.min(workMs, leastMs));
      expect(clock.pendingTimers).toBe(0);
    }),
    { seed: SEED },
  );
});
