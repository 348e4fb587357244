import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryQuota } from './retry-quota.ts';

const SEED = 20_251_121;

const options = fc.record({
  capacity: fc.double({ min: 20, max: 500, noNaN: true }),
  costs: fc.record({
    transient: fc.double({ min: 0.1, max: 20, noNaN: true }),
    throttled: fc.double({ min: 0.1, max: 20, noNaN: true }),
    overloaded: fc.double({ min: 0.1, max: 20, noNaN: true }),
  }),
  perSuccess: fc.double({ min: 0, max: 5, noNaN: true }),
});
const events = fc.constantFrom('transient', 'throttled', 'overloaded', 'refund', 'succeed', 'succeed after a retry', 'restart');

test('R3: a quota is never negative nor above its capacity, and loses and makes nothing, in any order of events', () => {
  fc.assert(
    fc.property(options, fc.array(events, { maxLength: 200 }), (given, script) => {
      let quota = retryQuota(given);
      const waiting: number[] = [];
      let expected = given.capacity;
      for (const event of script) {
        if (event === 'transient' || event === 'throttled' || event === 'overloaded') {
          const cost = given.costs[event];
          const payment = quota.tryTake(event);
          if (Math.abs(expected - cost) > 1e-6) expect(payment).toBe(expected > cost ? cost : undefined);
          if (payment !== undefined) {
            waiting.push(payment);
            expected -= payment;
          }
        } else if (event === 'restart') {
          const restarted = retryQuota(given);
          restarted.restore(quota.snapshot());
          quota = restarted;
        } else if (event === 'succeed') {
          quota.succeeded(undefined);
          expected += given.perSuccess;
        } else {
          const payment = waiting.shift();
          if (payment === undefined) continue;
          if (event === 'refund') quota.refund(payment);
          else quota.succeeded(payment);
          expected += payment;
        }
        expected = Math.min(given.capacity, Math.max(0, expected));
        const { balance } = quota.statistics();
        expect(balance).toBeGreaterThanOrEqual(0);
        expect(balance).toBeLessThanOrEqual(given.capacity);
        expect(balance).toBeCloseTo(expected, 6);
      }
    }),
    { seed: SEED },
  );
});
