import { expect, test } from 'vitest';
import { wishesOf } from './policy-document.ts';
import { settlePolicy } from './policy-settings.ts';

test('without wishes the defaults hold', () => {
  expect(settlePolicy()).toEqual({
    concurrency: 64,
    rate: undefined,
    ratePerOrigin: undefined,
    timeoutMs: 10_000,
    totalTimeoutMs: Number.POSITIVE_INFINITY,
    giveUpAfterMs: 600_000,
    retry: { maxAttempts: 5, isAskedFor: false, baseDelayMs: 200, maxDelayMs: 30_000 },
    circuitBreaker: { failureThreshold: 5, recoveryTimeoutMs: 5000, successThreshold: 2 },
  });
});

test('a flag wins over the file, and the file over the defaults', () => {
  const file = wishesOf({ concurrency: 8, timeout: '2s', rate: '5/s', retry: { maxAttempts: 3 }, circuitBreaker: { failureThreshold: 7 } });
  expect(settlePolicy({ concurrency: 1, timeoutMs: undefined }, file)).toMatchObject({
    concurrency: 1,
    timeoutMs: 2000,
    rate: { limit: 5, periodMs: 1000 },
    retry: { maxAttempts: 3, isAskedFor: true, baseDelayMs: 200 },
    circuitBreaker: { failureThreshold: 7, recoveryTimeoutMs: 5000 },
  });
});

test('the breaker can be switched off and on again', () => {
  expect(settlePolicy({ breaker: 'off' }).circuitBreaker).toBeUndefined();
  expect(settlePolicy(wishesOf({ circuitBreaker: 'off' })).circuitBreaker).toBeUndefined();
  expect(settlePolicy({ breaker: 'on' }, wishesOf({ circuitBreaker: 'off' })).circuitBreaker).toBeDefined();
});
