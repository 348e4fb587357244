import { expectTypeOf, test } from 'vitest';
import { TimeoutError } from '../errors/timeout-error.ts';
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

test('a backoff function returns a duration', () => {
  retry({ backoff: ({ attempts, previousDelayMs }) => (attempts > 2 ? previousDelayMs + 100 : '1s') });
  // @ts-expect-error a text that is no duration
  retry({ backoff: () => 'soon' });
});
