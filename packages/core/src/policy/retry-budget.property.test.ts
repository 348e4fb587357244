import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Clock } from '../time/clock.ts';
import { useClock } from '../time/current-clock.ts';
import { systemClock } from '../time/system-clock.ts';
import { retryBudget } from './retry-budget.ts';

const SEED = 20_251_121;

/** A clock that shows what it is told. */
class SetClock implements Clock {
  ms = 0;
  readonly schedule: Clock['schedule'] = systemClock.schedule;
  nowMs = (): number => this.ms;
  epochMs = (): number => this.ms;
}

const options = fc.record({
  ratio: fc.double({ min: 0, max: 1, noNaN: true }),
  minPerSecond: fc.double({ min: 0, max: 20, noNaN: true }),
  ttl: fc.integer({ min: 10, max: 10_000 }),
});
const scriptOf = (leastMs: number) =>
  fc.array(fc.oneof(fc.constantFrom('call', 'take', 'refund', 'succeed', 'restart'), fc.double({ min: leastMs, max: 3000, noNaN: true })), {
    maxLength: 200,
  });

test('R3: a budget is never negative, and grants what it has, in any order of events and whatever its clocks do', () => {
  fc.assert(
    fc.property(options, scriptOf(-3000), (given, script) => {
      using clock = useClock(new SetClock());
      let budget = retryBudget(given);
      const waiting: number[] = [];
      for (const step of script) {
        const { balance, calls, retries } = budget.statistics();
        expect(Math.min(balance, calls, retries)).toBeGreaterThanOrEqual(0);
        if (typeof step === 'number') clock.ms += step;
        else if (step === 'call') budget.began(clock.ms);
        else if (step === 'succeed') budget.succeeded();
        else if (step === 'take') {
          const payment = budget.tryTake('transient', clock.ms);
          if (payment !== undefined) waiting.push(payment);
          if (Math.abs(balance - 1) > 1e-6) expect(payment !== undefined).toBe(balance > 1);
        } else if (step === 'restart') {
          const restarted = retryBudget(given);
          restarted.restore(budget.snapshot());
          budget = restarted;
          waiting.length = 0;
        } else if (waiting.length > 0) budget.refund(waiting.shift() as number);
      }
    }),
    { seed: SEED },
  );
});

test('R3: in the last nine tenths of its ttl there were never more retries than the calls of its ttl and its minimum paid for', () => {
  fc.assert(
    fc.property(options, scriptOf(0), (given, script) => {
      const budget = retryBudget(given);
      const calledMs: number[] = [];
      let paid: { readonly payment: number; readonly atMs: number }[] = [];
      let nowMs = 0;
      for (const step of script) {
        if (typeof step === 'number') nowMs += step;
        else if (step === 'call') {
          budget.began(nowMs);
          calledMs.push(nowMs);
        } else if (step === 'take') {
          const payment = budget.tryTake('transient', nowMs);
          if (payment === undefined) continue;
          paid.push({ payment, atMs: nowMs });
          const calls = calledMs.filter((atMs) => atMs > nowMs - given.ttl).length;
          const retries = paid.filter(({ atMs }) => atMs > nowMs - 0.9 * given.ttl).length;
          expect(retries).toBeLessThanOrEqual(given.ratio * calls + (given.minPerSecond * given.ttl) / 1000 + 1e-6);
        } else if (step === 'refund' && paid.length > 0) {
          budget.refund((paid[0] as { readonly payment: number }).payment);
          paid = paid.slice(1);
        }
      }
    }),
    { seed: SEED },
  );
});

test('a snapshot that is restored at once is what it was taken of', () => {
  fc.assert(
    fc.property(options, scriptOf(0), (given, script) => {
      using clock = useClock(new SetClock());
      const budget = retryBudget(given);
      for (const step of script) {
        if (typeof step === 'number') clock.ms += step;
        else if (step === 'call') budget.began(clock.ms);
        else if (step === 'take') budget.tryTake('transient', clock.ms);
      }
      const other = retryBudget(given);
      other.restore(budget.snapshot());
      expect({ ...other.statistics(), granted: 0, refused: 0 }).toEqual({ ...budget.statistics(), granted: 0, refused: 0 });
      clock.ms += given.ttl / 2;
      expect(other.statistics()).toMatchObject({ calls: budget.statistics().calls, retries: budget.statistics().retries });
    }),
    { seed: SEED },
  );
});
