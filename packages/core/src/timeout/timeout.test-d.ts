import { expectTypeOf, test } from 'vitest';
import type { TimeoutError } from '../errors/timeout-error.ts';
import { timeout } from './timeout.ts';
import { withTimeout } from './with-timeout.ts';

const loadUser = (): Promise<{ id: number }> => Promise.resolve({ id: 1 });

test('a timeout puts nothing in the place of a value', () => {
  expectTypeOf(timeout('1s').execute(loadUser)).resolves.toEqualTypeOf<{ id: number }>();
});

test('what it rejects with of its own is a TimeoutError', async () => {
  const attempt = await timeout('1s').attempt(loadUser);
  if (attempt.ok) expectTypeOf(attempt.value).toEqualTypeOf<{ id: number }>();
  else if (attempt.by === 'policy') expectTypeOf(attempt.error).toEqualTypeOf<TimeoutError>();
  else expectTypeOf(attempt.error).toEqualTypeOf<unknown>();
});

test('options forward undefined', () => {
  const name: string | undefined = undefined;
  timeout({ timeout: '1s', name });
});

test('a limit has to be a duration', () => {
  // @ts-expect-error no unit
  timeout('5');
  // @ts-expect-error the limit is missing
  timeout({ name: 'attempt' });
});

test('withTimeout adds the type of the default, if there is one', () => {
  expectTypeOf(withTimeout(loadUser, '1s')).resolves.toEqualTypeOf<{ id: number }>();
  expectTypeOf(withTimeout(loadUser, '1s', { name: 'loadUser' })).resolves.toEqualTypeOf<{ id: number }>();
  expectTypeOf(withTimeout(loadUser, '1s', { default: null })).resolves.toEqualTypeOf<{ id: number } | null>();
  expectTypeOf(withTimeout(loadUser, '1s', { default: undefined })).resolves.toEqualTypeOf<{ id: number } | undefined>();
});
