import { expectTypeOf, test } from 'vitest';
import { compose } from '../policy/compose.ts';
import { type Fallback, type FallbackOptions, fallback } from './fallback.ts';

interface User {
  readonly id: number;
}
const loadUser = (): Promise<User> => Promise.resolve({ id: 1 });

test('what takes the place of a failure is part of the type', () => {
  expectTypeOf(fallback(null)).toEqualTypeOf<Fallback<null>>();
  expectTypeOf(fallback('none').execute(loadUser)).resolves.toEqualTypeOf<User | string>();
  expectTypeOf(fallback(undefined).execute(loadUser)).resolves.toEqualTypeOf<User | undefined>();
  expectTypeOf(fallback({ id: 0 }).execute(loadUser)).resolves.toExtend<User>();
  const users: Promise<User[]> = fallback([]).execute(() => [{ id: 1 }]);
  expectTypeOf(users).resolves.toEqualTypeOf<User[]>();
});

test('of a function it is what it returns, awaited', () => {
  expectTypeOf(fallback(() => 0)).toEqualTypeOf<Fallback<number>>();
  expectTypeOf(fallback(async () => 0)).toEqualTypeOf<Fallback<number>>();
  expectTypeOf(fallback((failure, call) => `${String(failure)} ${call.attempt}`)).toEqualTypeOf<Fallback<string>>();
  expectTypeOf(
    fallback((): never => {
      throw new Error('also down');
    }).execute(loadUser),
  ).resolves.toEqualTypeOf<User>();
});

test('a promise is none', () => {
  const user = loadUser();
  const perhaps = 0 as unknown as number | Promise<number>;
  // @ts-expect-error it has begun already
  fallback(user);
  // @ts-expect-error it may have begun already
  fallback(perhaps);
  expectTypeOf(fallback(perhaps as unknown as string | number | null)).toEqualTypeOf<Fallback<string | number | null>>();
  expectTypeOf(fallback(perhaps as unknown as string | (() => string))).toEqualTypeOf<Fallback<string>>();
});

test('compose carries it on', () => {
  expectTypeOf(compose(fallback('none'), fallback(0)).execute(loadUser)).resolves.toEqualTypeOf<User | string | number>();
});

test('it rejects with nothing of its own', async () => {
  const attempt = await fallback('none').attempt(loadUser);
  if (attempt.ok) expectTypeOf(attempt.value).toEqualTypeOf<User | string>();
  else if (attempt.by === 'policy') expectTypeOf(attempt.error).toEqualTypeOf<never>();
});

test('every option forwards undefined', () => {
  expectTypeOf<{ [K in keyof FallbackOptions]-?: undefined }>().toExtend<FallbackOptions>();
});
