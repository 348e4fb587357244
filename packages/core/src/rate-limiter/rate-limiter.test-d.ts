import { expectTypeOf, test } from 'vitest';
import type { ClosedError } from '../errors/closed-error.ts';
import { compose } from '../policy/compose.ts';
import type { Policy } from '../policy/policy.ts';
import type { RateLimitedError } from './rate-limited-error.ts';
import { type Reservation, rateLimit } from './rate-limiter.ts';

const limiter = rateLimit({ limit: 1, period: '1s' });

test('puts nothing in the place of a value', () => {
  expectTypeOf(limiter.execute(async () => 5)).resolves.toEqualTypeOf<number>();
  expectTypeOf(limiter.run(() => 'text' as const)).resolves.toEqualTypeOf<'text'>();
});

test('rejects with a RateLimitedError of its own', async () => {
  const attempt = await limiter.attempt(() => 5);
  if (attempt.ok) expectTypeOf(attempt.value).toEqualTypeOf<number>();
  else if (attempt.by === 'policy') expectTypeOf(attempt.error).toEqualTypeOf<RateLimitedError | ClosedError>();
  else expectTypeOf(attempt.error).toEqualTypeOf<unknown>();
  expectTypeOf(compose(limiter)).toEqualTypeOf<Policy<never, RateLimitedError | ClosedError>>();
});

test('alone: only what waits is a promise', () => {
  expectTypeOf(limiter.acquire()).toEqualTypeOf<Promise<void>>();
  expectTypeOf(limiter.tryAcquire(2)).toEqualTypeOf<boolean>();
  expectTypeOf(limiter.reserve(2, { maxWait: '1s' })).toEqualTypeOf<Reservation | undefined>();
});

test('options forward undefined, and know their texts', () => {
  const name: string | undefined = undefined;
  rateLimit({ limit: 1, period: '1s', name, burst: undefined });
  // @ts-expect-error the period is missing
  rateLimit({ limit: 1 });
  // @ts-expect-error no unit
  rateLimit({ limit: 1, period: '1' });
  // @ts-expect-error no such algorithm
  rateLimit({ limit: 1, period: '1s', algorithm: 'leaky' });
});
