// Effect's way: an effect is a description, run by a fiber. Its own users stay inside one; whoever calls it from plain code starts one a call.
import { Cause, Effect, Layer, ManagedRuntime, Schedule } from 'effect';
import { CircuitBreaker, RateLimiter } from 'effect/persistence';
import type { Settings } from '../harness/case.ts';
import type { OneCall, Work } from '../harness/loops.ts';

type Work1 = Effect.Effect<number, unknown>;

const KEY = 'bench';

export const effectOf = (work: Work): Work1 => Effect.tryPromise({ try: (signal) => work({ signal }), catch: (error) => error });

/** A fiber a call. */
export const callOf =
  (effect: Work1): OneCall =>
  () =>
    Effect.runPromise(effect);

/** All calls inside one fiber. */
export const loopOf =
  (effect: Work1) =>
  (count: number): Promise<void> =>
    Effect.runPromise(
      Effect.gen(function* () {
        for (let i = 0; i < count; i++) yield* effect;
      }),
    );

export const withRetry = (effect: Work1, { maxAttempts, baseDelayMs }: Settings): Work1 =>
  Effect.retry(effect, { times: maxAttempts - 1, schedule: Schedule.exponential(baseDelayMs) });

export const withTimeout = (effect: Work1, { timeoutMs }: Settings): Work1 =>
  Effect.timeout(effect, timeoutMs).pipe(
    Effect.mapError((error: unknown) => (Cause.isTimeoutError(error) ? new Error('timed out') : error)),
  );

export async function makeBreaker({ failureThreshold, recoveryMs }: Settings): Promise<(effect: Work1) => Work1> {
  const layer = CircuitBreaker.layer({ tripPolicy: CircuitBreaker.consecutive(failureThreshold), openDuration: recoveryMs });
  const runtime = ManagedRuntime.make(layer.pipe(Layer.provide(CircuitBreaker.layerStoreMemory())));
  const breaker = await runtime.runPromise(CircuitBreaker.CircuitBreaker);
  return (effect) => breaker.execute(effect, { key: KEY });
}

export async function makeRateLimiter({ limit, periodMs }: Settings): Promise<(effect: Work1) => Work1> {
  const runtime = ManagedRuntime.make(RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory)));
  const limited = await runtime.runPromise(RateLimiter.makeWithRateLimiter);
  return limited({ algorithm: 'token-bucket', onExceeded: 'delay', window: periodMs, limit, key: KEY });
}
