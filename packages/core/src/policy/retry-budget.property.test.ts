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
  minPerSecond: fc.double({ min: 0, max: 100, noNaN: true }),
  capacity: fc.integer({ min: 1, max: 50 }),
});
const scriptOf = (leastMs: number) =>
  fc.array(fc.oneof(fc.constantFrom('take', 'deposit', 'refund'), fc.double({ min: leastMs, max: 5000, noNaN: true })), { maxLength: 200 });

test('R3: a budget is never negative nor above its capacity, and grants what it has, whatever its clocks do', () => {
  fc.assert(
    fc.property(options, scriptOf(-5000), (given, script) => {
      using clock = useClock(new SetClock());
      const budget = retryBudget(given);
      let waiting = 0;
      for (const step of script) {
        const { balance } = budget.statistics();
        expect(balance).toBeGreaterThanOrEqual(0);
        expect(balance).toBeLessThanOrEqual(given.capacity);
        if (typeof step === 'number') clock.ms += step;
        else if (step === 'deposit') budget.deposit();
        else if (step === 'take') {
          const isGranted = budget.tryTake(clock.ms);
          if (isGranted) waiting++;
          if (Math.abs(balance - 1) > 1e-6) expect(isGranted).toBe(balance > 1);
        } else if (waiting > 0) {
          waiting--;
          budget.refund();
        }
      }
    }),
    { seed: SEED },
  );
});

test('R3: no sequence of events makes it grant more than it began with, was paid and was given by time', () => {
  fc.assert(
    fc.property(options, scriptOf(0), (given, script) => {
      using clock = useClock(new SetClock());
      const budget = retryBudget(given);
      let paid = 0;
      for (const step of script) {
        if (typeof step === 'number') clock.ms += step;
        else if (step === 'deposit') {
          budget.deposit();
          paid += given.ratio;
        } else if (step === 'take') budget.tryTake(clock.ms);
      }
      const limit = given.capacity + paid + (clock.ms / 1000) * given.minPerSecond;
      expect(budget.statistics().granted).toBeLessThanOrEqual(limit + 1e-6);
    }),
    { seed: SEED },
  );
});
