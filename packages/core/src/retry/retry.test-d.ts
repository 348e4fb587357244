import { expectTypeOf, test } from 'vitest';
import { TimeoutError } from '../errors/timeout-error.ts';
import type { Settled } from '../outcome/classify.ts';
import type { Call } from '../policy/policy.ts';
import { retryBudget } from '../policy/retry-budget.ts';
import { retryQuota } from '../policy/retry-quota.ts';
import { type RetryOptions, retry } from './retry.ts';
import { withRetry } from './with-retry.ts';

const loadUser = (): Promise<{ id: number }> => Promise.resolve({ id: 1 });

test('a retry puts nothing in the place of a value, and rejects with nothing of its own', async () => {
  expectTypeOf(retry().execute(loadUser)).resolves.toEqualTypeOf<{ id: number }>();
  expectTypeOf(withRetry(loadUser, { maxAttempts: 2 }, { name: 'load' })).resolves.toEqualTypeOf<{ id: number }>();
  const attempt = await retry().attempt(loadUser);
  if (!attempt.ok && attempt.by === 'policy') expectTypeOf(attempt.error).toEqualTypeOf<never>();
});

test('every option forwards undefined', () => {
  expectTypeOf<{ [K in keyof RetryOptions]-?: undefined }>().toExtend<RetryOptions>();
});

test('handles takes error classes of any constructor, or a function', () => {
  abstract class DriverError extends Error {
    readonly number: number;
    constructor(number: number, text: string) {
      super(text);
      this.number = number;
    }
  }
  retry({ handles: [Error, TypeError, TimeoutError, DOMException, DriverError] });
  retry({ handles: (error) => error instanceof DriverError && error.number === 1213 });
  // @ts-expect-error a class alone is no list
  retry({ handles: TypeError });
  // @ts-expect-error there is no option retries
  retry({ retries: 3 });
  // @ts-expect-error no unit
  retry({ baseDelay: '5' });
});

test('jitter is a name or a share', () => {
  retry({ jitter: { plusOrMinus: 0.25 } });
  // @ts-expect-error no such name
  retry({ jitter: 'some' });
  // @ts-expect-error a share of what?
  retry({ jitter: 0.25 });
});

test('a budget is one of the two', () => {
  retry({ budget: retryBudget() });
  retry({ budget: retryQuota() });
  // @ts-expect-error options are no budget
  retry({ budget: { ratio: 0.2 } });
});

test('beforeRetry is told of the failure, and has a call', () => {
  retry({
    beforeRetry: async ({ attempts, outcome, delayMs }, call) => {
      expectTypeOf(attempts).toEqualTypeOf<number>();
      expectTypeOf(outcome).toEqualTypeOf<Settled>();
      expectTypeOf(delayMs).toEqualTypeOf<number>();
      expectTypeOf(call).toEqualTypeOf<Call>();
    },
  });
  retry({ beforeRetry: () => {} });
});

test('a backoff function returns a duration', () => {
  retry({ backoff: ({ attempts, previousDelayMs }) => (attempts > 2 ? previousDelayMs + 100 : '1s') });
  // @ts-expect-error a text that is no duration
  retry({ backoff: () => 'soon' });
});
