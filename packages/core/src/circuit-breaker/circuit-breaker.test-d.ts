import { expectTypeOf, test } from 'vitest';
import type { ClosedError } from '../errors/closed-error.ts';
import { type CircuitBreaker, type CircuitBreakerStatistics, circuitBreaker, type Isolation } from './circuit-breaker.ts';
import type { CircuitBreakerOptions } from './circuit-breaker-options.ts';
import type { CircuitOpenError, CircuitStateName } from './circuit-open-error.ts';
import type { CircuitBreakerSnapshot } from './circuit-snapshot.ts';

const loadUser = (): Promise<{ id: number }> => Promise.resolve({ id: 1 });

test('a breaker puts nothing in the place of a value', () => {
  expectTypeOf(circuitBreaker().execute(loadUser)).resolves.toEqualTypeOf<{ id: number }>();
});

test('what it rejects with of its own is a CircuitOpenError, which may say when to come back, or a ClosedError', async () => {
  const attempt = await circuitBreaker().attempt(loadUser);
  if (attempt.ok) expectTypeOf(attempt.value).toEqualTypeOf<{ id: number }>();
  else if (attempt.by === 'policy') {
    expectTypeOf(attempt.error).toEqualTypeOf<CircuitOpenError | ClosedError>();
    expectTypeOf(attempt.error.retryAfterMs).toEqualTypeOf<number | undefined>();
  } else expectTypeOf(attempt.error).toEqualTypeOf<unknown>();
});

test('every option forwards undefined', () => {
  expectTypeOf<{ [K in keyof CircuitBreakerOptions]-?: undefined }>().toExtend<CircuitBreakerOptions>();
});

test('a window is of calls, or of time', () => {
  circuitBreaker({ window: { calls: 100 } });
  circuitBreaker({ window: { period: '10s' } });
  // @ts-expect-error no unit
  circuitBreaker({ window: { period: '10' } });
  // @ts-expect-error a window of what?
  circuitBreaker({ window: { size: 100 } });
  // @ts-expect-error a window of what?
  circuitBreaker({ window: {} });
});

test('handles takes error classes, or a function', () => {
  circuitBreaker({ handles: [Error, DOMException], handlesResult: (value) => value === 'busy' });
  circuitBreaker({ handles: (error) => error instanceof TypeError });
  // @ts-expect-error a class alone is no list
  circuitBreaker({ handles: TypeError });
  // @ts-expect-error there is no option threshold
  circuitBreaker({ threshold: 5 });
});

test('its state and statistics are named', () => {
  expectTypeOf(circuitBreaker().state).toEqualTypeOf<CircuitStateName>();
  expectTypeOf(circuitBreaker().statistics()).toEqualTypeOf<CircuitBreakerStatistics>();
  expectTypeOf(circuitBreaker().statistics().retryAfterMs).toEqualTypeOf<number | undefined>();
});

test('an isolation is a handle to dispose of', () => {
  expectTypeOf(circuitBreaker().isolate('deploying')).toEqualTypeOf<Isolation>();
  expectTypeOf<Isolation>().toExtend<Disposable>();
  // @ts-expect-error why?
  void (() => circuitBreaker().isolate());
});

test('the name cannot be reconfigured', () => {
  circuitBreaker().reconfigure({ failureThreshold: 3 });
  // @ts-expect-error the name stays
  void (() => circuitBreaker().reconfigure({ name: 'other' }));
});

test('what snapshot() gives is what restore() takes', () => {
  expectTypeOf(circuitBreaker().snapshot()).toEqualTypeOf<CircuitBreakerSnapshot>();
  expectTypeOf<CircuitBreaker['restore']>().parameter(0).toEqualTypeOf<CircuitBreakerSnapshot>();
});
