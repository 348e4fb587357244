import { describe, expect, test } from 'vitest';
import { KeelsonError } from '../errors/keelson-error.ts';
import { CircuitBreaker, circuitBreaker } from './circuit-breaker.ts';
import type { CircuitBreakerOptions } from './circuit-breaker-options.ts';

describe('the options', () => {
  test('what is left out, or undefined, has its default', () => {
    const defaults = {
      failureThreshold: 5,
      recoveryTimeoutMs: 30_000,
      recoveryFactor: 2,
      maxRecoveryTimeoutMs: 300_000,
      recoveryJitter: 0,
      successThreshold: 1,
      maxProbes: 1,
      probeLeaseMs: 60_000,
      rampUp: 100,
      handles: 'by kind',
      handlesResult: 'by kind',
    };
    expect(circuitBreaker().describe()).toEqual({ name: 'circuit breaker', kind: 'circuit-breaker', options: defaults, place: 5 });
    const forwarded: CircuitBreakerOptions = { failureThreshold: undefined, window: undefined, failureRate: undefined, name: undefined };
    expect(circuitBreaker(forwarded).describe().options).toEqual(defaults);
    expect(circuitBreaker()).toBeInstanceOf(CircuitBreaker);
  });

  test('what is given is in force', () => {
    const policy = circuitBreaker({
      name: 'payments',
      failureThreshold: 3,
      slowCallDuration: '2s',
      recoveryTimeout: '1m',
      recoveryFactor: 1.5,
      maxRecoveryTimeout: '10m',
      recoveryJitter: 0.2,
      successThreshold: 4,
      maxProbes: 2,
      probeLease: '5s',
      rampUp: 0,
      handles: [TypeError, KeelsonError],
      handlesResult: () => false,
    });
    expect(policy.name).toBe('payments');
    expect(policy.describe().options).toEqual({
      failureThreshold: 3,
      slowCallDurationMs: 2000,
      recoveryTimeoutMs: 60_000,
      recoveryFactor: 1.5,
      maxRecoveryTimeoutMs: 600_000,
      recoveryJitter: 0.2,
      successThreshold: 4,
      maxProbes: 2,
      probeLeaseMs: 5000,
      rampUp: 0,
      handles: ['TypeError', 'KeelsonError'],
      handlesResult: 'function',
    });
  });

  test.each<[CircuitBreakerOptions, object]>([
    [{ window: { calls: 100 } }, { windowCalls: 100, failureRate: 0.5, minimumCalls: 10 }],
    [{ window: { calls: 4 } }, { windowCalls: 4, failureRate: 0.5, minimumCalls: 4 }],
    [
      { window: { calls: 4 }, failureRate: 1, minimumCalls: 4 },
      { windowCalls: 4, failureRate: 1, minimumCalls: 4 },
    ],
    [{ window: { calls: 1_000_000 } }, { windowCalls: 1_000_000 }],
    [{ window: { period: 10 } }, { windowPeriodMs: 10 }],
    [{ window: { period: '10s' } }, { windowPeriodMs: 10_000, failureRate: 0.5, minimumCalls: 10 }],
    [
      { window: { period: 500 }, failureRate: 0.1, minimumCalls: 99 },
      { windowPeriodMs: 500, failureRate: 0.1, minimumCalls: 99 },
    ],
    [
      { window: { calls: 20 }, slowCallDuration: '2s' },
      { slowCallDurationMs: 2000, slowCallRate: 1 },
    ],
    [
      { window: { period: '10s' }, slowCallDuration: '2s', slowCallRate: 0.2 },
      { slowCallDurationMs: 2000, slowCallRate: 0.2 },
    ],
  ])('%j: a window has a rate, and no threshold', (options, described) => {
    const { options: inForce } = circuitBreaker(options).describe();
    expect(inForce).toMatchObject(described);
    expect(inForce).not.toHaveProperty('failureThreshold');
  });

  test('no call is slow unless asked for, and then no window has a rate for it', () => {
    const { options } = circuitBreaker({ window: { calls: 20 }, slowCallDuration: Number.POSITIVE_INFINITY, slowCallRate: 0.5 }).describe();
    expect(options).not.toHaveProperty('slowCallDurationMs');
    expect(options).not.toHaveProperty('slowCallRate');
  });

  test('the longest time it stays open is at least the shortest', () => {
    expect(circuitBreaker({ recoveryTimeout: '10m' }).describe().options['maxRecoveryTimeoutMs']).toBe(600_000);
    expect(circuitBreaker({ recoveryTimeout: '1m', maxRecoveryTimeout: '1m' }).describe().options['maxRecoveryTimeoutMs']).toBe(60_000);
  });

  test('the description survives JSON', () => {
    const description = circuitBreaker({ window: { period: '10s' }, handles: [TypeError] }).describe();
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
  });

  const WINDOW = 'window must be { calls: a whole number from 1 to 1000000 } or { period: a finite duration of at least 10ms';
  test.each([
    [null, 'options must be an object, got null'],
    [{ threshold: 3 }, 'unknown option "threshold"'],
    [{ failureThreshold: 0 }, 'failureThreshold must be a whole number of at least 1, got 0'],
    [{ failureThreshold: 2.5 }, 'failureThreshold must be a whole number of at least 1, got 2.5'],
    [{ recoveryTimeout: 0 }, 'recoveryTimeout must be a finite duration above 0'],
    [{ recoveryTimeout: Number.POSITIVE_INFINITY }, 'recoveryTimeout must be a finite duration above 0'],
    [{ recoveryTimeout: 'soon' }, 'recoveryTimeout must be a finite duration above 0'],
    [{ successThreshold: 0 }, 'successThreshold must be a whole number of at least 1, got 0'],
    [{ maxProbes: -1 }, 'maxProbes must be a whole number of at least 1, got -1'],
    [{ probeLease: Number.NaN }, 'probeLease must be a finite duration above 0'],
    [{ handles: [] }, 'handles must be a function, or an array of error classes, got an array'],
    [{ handlesResult: true }, 'handlesResult must be a function, got true'],
    [{ name: '' }, 'name must be a text that is not empty, got ""'],
    [{ window: 10 }, WINDOW],
    [{ window: null }, WINDOW],
    [{ window: {} }, WINDOW],
    [{ window: { calls: 0 } }, WINDOW],
    [{ window: { calls: 1.5 } }, WINDOW],
    [{ window: { calls: 1_000_001 } }, WINDOW],
    [{ window: { period: 0 } }, WINDOW],
    [{ window: { period: 9.9 } }, WINDOW],
    [{ window: { period: Number.MIN_VALUE } }, WINDOW],
    [{ window: { period: Number.POSITIVE_INFINITY } }, WINDOW],
    [{ window: { calls: 5, period: '1s' } }, WINDOW],
    [{ window: { size: '10s' } }, WINDOW],
    [{ window: '10s' }, WINDOW],
    [
      { window: { calls: 9 }, failureThreshold: 5 },
      'failureThreshold must be left out where there is a window: its failureRate decides, got 5',
    ],
    [{ window: { calls: 9 }, failureRate: 0 }, 'failureRate must be a number above 0 and at most 1, got 0'],
    [{ window: { calls: 9 }, failureRate: 1.1 }, 'failureRate must be a number above 0 and at most 1, got 1.1'],
    [{ window: { calls: 9 }, failureRate: Number.NaN }, 'failureRate must be a number above 0 and at most 1, got NaN'],
    [{ window: { calls: 9 }, minimumCalls: 0 }, 'minimumCalls must be a whole number of at least 1, got 0'],
    [{ window: { calls: 9 }, minimumCalls: 10 }, 'minimumCalls must be at most the 9 calls of the window, which can hold no more, got 10'],
    [{ slowCallDuration: 0 }, 'slowCallDuration must be a duration above 0'],
    [{ slowCallDuration: Number.NaN }, 'slowCallDuration must be a duration above 0'],
    [{ window: { calls: 9 }, slowCallDuration: '1s', slowCallRate: 0 }, 'slowCallRate must be a number above 0 and at most 1, got 0'],
    [{ window: { calls: 9 }, slowCallRate: 0.5 }, 'slowCallRate must be given together with slowCallDuration, or left out, got 0.5'],
    [{ slowCallDuration: '1s', slowCallRate: 0.5 }, 'slowCallRate must be given together with window, or left out, got 0.5'],
    [{ recoveryFactor: 0.9 }, 'recoveryFactor must be a number of at least 1, got 0.9'],
    [{ recoveryFactor: Number.POSITIVE_INFINITY }, 'recoveryFactor must be a number of at least 1, got Infinity'],
    [{ maxRecoveryTimeout: Number.POSITIVE_INFINITY }, 'maxRecoveryTimeout must be a finite duration above 0'],
    [{ maxRecoveryTimeout: '29s' }, 'maxRecoveryTimeout must be at least recoveryTimeout, 30s, got "29s"'],
    [{ recoveryTimeout: '2m', maxRecoveryTimeout: '1m' }, 'maxRecoveryTimeout must be at least recoveryTimeout, 2m, got "1m"'],
    [{ recoveryJitter: 1.1 }, 'recoveryJitter must be a number from 0 to 1, got 1.1'],
    [{ rampUp: -1 }, 'rampUp must be a whole number of at least 0, got -1'],
    [{ rampUp: Number.POSITIVE_INFINITY }, 'rampUp must be a whole number of at least 0, got Infinity'],
    [{ failureRate: 0.5 }, 'failureRate must be given together with window, or left out, got 0.5'],
    [{ minimumCalls: 5 }, 'minimumCalls must be given together with window, or left out, got 5'],
  ])('F2: %j is refused', (options, message) => {
    const made = (): unknown => circuitBreaker(options as CircuitBreakerOptions);
    expect(made).toThrow(`circuitBreaker: ${message}`);
    expect(made).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });
});
