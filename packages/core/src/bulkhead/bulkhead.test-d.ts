import { expectTypeOf, test } from 'vitest';
import type { ClosedError } from '../errors/closed-error.ts';
import { type BulkheadChanges, type BulkheadOptions, type BulkheadStatistics, bulkhead } from './bulkhead.ts';
import type { BulkheadFullError } from './bulkhead-layer.ts';

const loadUser = (): Promise<{ id: number }> => Promise.resolve({ id: 1 });

test('a bulkhead puts nothing in the place of a value', () => {
  expectTypeOf(bulkhead({ maxConcurrency: 1 }).execute(loadUser)).resolves.toEqualTypeOf<{ id: number }>();
});

test('what it rejects with of its own is a BulkheadFullError, or a ClosedError once it is closed', async () => {
  const attempt = await bulkhead({ maxConcurrency: 1 }).attempt(loadUser);
  if (attempt.ok) expectTypeOf(attempt.value).toEqualTypeOf<{ id: number }>();
  else if (attempt.by === 'policy') expectTypeOf(attempt.error).toEqualTypeOf<BulkheadFullError | ClosedError>();
  else expectTypeOf(attempt.error).toEqualTypeOf<unknown>();
});

test('every option but the one that is required forwards undefined', () => {
  type Optional = Omit<BulkheadOptions, 'maxConcurrency'>;
  expectTypeOf<{ [K in keyof Optional]-?: undefined }>().toExtend<Optional>();
  expectTypeOf<{ [K in keyof BulkheadChanges]-?: undefined }>().toExtend<BulkheadChanges>();
});

test('how many may run has to be said', () => {
  // @ts-expect-error no options
  bulkhead();
  // @ts-expect-error maxConcurrency is missing
  bulkhead({ maxQueue: 5 });
  // @ts-expect-error there is no option limit
  bulkhead({ maxConcurrency: 5, limit: 5 });
});

test('its statistics are named', () => {
  expectTypeOf(bulkhead({ maxConcurrency: 1 }).statistics()).toEqualTypeOf<BulkheadStatistics>();
});

test('for life are its name and what it is fair by', () => {
  const policy = bulkhead({ maxConcurrency: 1 });
  policy.reconfigure({ maxConcurrency: 2, maxQueue: 5, maxAbandoned: 1, overflow: 'dropNewest', agingPeriod: '1s' });
  // @ts-expect-error the name stays
  policy.reconfigure({ name: 'other' });
  // @ts-expect-error so do the keys that take turns
  policy.reconfigure({ fairBy: 'tenant' });
});
