import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OUTCOME, type Outcome } from '../outcome/classify.ts';
import { Backoff } from '../policy/backoff.ts';
import { ALLOWANCES } from '../policy/retry-allowances.test-support.ts';
import { fakeStep } from '../testing/fake-step.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from '../time/current-clock.ts';
import { retry } from './retry.ts';
import { RetryLayer } from './retry-layer.ts';

const SEED = 20_251_121;

const kinds = fc.constantFrom<Outcome['kind']>('ok', 'transient', 'throttled', 'overloaded', 'permanent', 'cancelled');
const outcomes = fc.record({
  kind: kinds,
  origin: fc.constantFrom<Outcome['origin']>('local', 'remote'),
  retryAfterMs: fc.option(fc.integer({ min: 0, max: 60_000 }), { nil: undefined }),
});
const failures = fc.array(outcomes, { minLength: 1, maxLength: 12 });
const timesLeft = fc.oneof(fc.integer({ min: 0, max: 60_000 }), fc.constant(Number.POSITIVE_INFINITY));

test('whatever fails however: no more attempts than allowed, no wait that does not fit, none shorter than asked for', () => {
  const rules = fc.record({
    maxAttempts: fc.integer({ min: 1, max: 6 }),
    maxDelay: fc.integer({ min: 1, max: 60_000 }),
    handles: fc.constantFrom(
      undefined,
      () => true,
      () => false,
    ),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
  fc.assert(
    fc.property(rules, failures, timesLeft, ({ maxAttempts, maxDelay, handles, random }, script, timeLeftMs) => {
      const backoff = new Backoff('retry', { maxDelay });
      const layer = new RetryLayer({
        name: 'retry',
        maxAttempts,
        backoff,
        handles,
        handlesResult: undefined,
        budget: undefined,
        beforeRetry: undefined,
        nested: 'bounded',
      });
      const step = fakeStep({ timeLeftMs, random });
      layer.enter(step);
      let attempts = 1;
      for (const outcome of script) {
        const decision = step.decided(layer.fail(step, { [OUTCOME]: outcome }));
        if (typeof decision !== 'object' || !('again' in decision)) break;
        attempts++;
        const { kind, origin, retryAfterMs: askedMs = 0 } = outcome;
        expect(kind).not.toBe('cancelled');
        if (origin === 'local') expect(outcome.retryAfterMs).toBeDefined();
        expect(decision.again).toBeGreaterThanOrEqual(askedMs);
        expect(decision.again).toBeLessThan(timeLeftMs);
        expect(decision.again).toBeLessThanOrEqual(askedMs > 0 ? 1.2 * askedMs : maxDelay);
        if (timeLeftMs === Number.POSITIVE_INFINITY) expect(askedMs).toBeLessThanOrEqual(maxDelay);
      }
      expect(attempts).toBeLessThanOrEqual(maxAttempts);
    }),
    { seed: SEED },
  );
});

test.each(ALLOWANCES)('R3: whatever calls do, fail or leave, a %s has paid for exactly the retries that began', async (name, granting) => {
  const calls = fc.array(fc.record({ startMs: fc.nat(2000), failures: fc.nat(4), leaveMs: fc.option(fc.nat(4000), { nil: undefined }) }), {
    minLength: 1,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(calls, fc.integer({ min: 1, max: 20 }), async (script, capacity) => {
      using clock = useClock(new VirtualClock());
      const budget = granting(capacity);
      const policy = retry({ budget, maxAttempts: 4 });
      let retries = 0;
      let helped = 0;
      const ended: Promise<unknown>[] = [];
      for (const call of script) {
        clock.schedule(call.startMs, () => {
          const controller = new AbortController();
          if (call.leaveMs !== undefined) clock.schedule(call.leaveMs, () => controller.abort());
          const operation = ({ attempt }: { readonly attempt: number }): void => {
            if (attempt > 1) retries++;
            if (attempt <= call.failures) throw new Error('down');
            if (attempt > 1) helped++;
          };
          ended.push(policy.attempt(operation, { signal: controller.signal }));
        });
      }
      await clock.advance('10m');
      await Promise.all(ended);
      expect(ended).toHaveLength(script.length);
      // what a retry that made its call succeed had cost comes back to a quota
      expect(budget.statistics()).toMatchObject({ granted: retries, balance: capacity - retries + (name === 'quota' ? helped : 0) });
      expect(retries - (name === 'quota' ? helped : 0)).toBeLessThanOrEqual(capacity);
    }),
    { seed: SEED, numRuns: 50 },
  );
});
