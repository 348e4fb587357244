import { describe, expect, test } from 'vitest';
import { CancelledError } from './cancelled-error.ts';
import { ERROR_CODES } from './error-codes.ts';
import { type AttemptRecord, addAttempt, attemptsOf, recordAttempts, suppress, suppressedOf } from './history.ts';
import { isKeelsonError, KeelsonError } from './keelson-error.ts';
import { TimeoutError } from './timeout-error.ts';

test('no code stands for two kinds of failure', () => {
  expect(ERROR_CODES).toEqual([...new Set(ERROR_CODES)]);
  for (const code of ERROR_CODES) expect(code).toMatch(/^ERR_[A-Z]+(_[A-Z]+)*$/);
});

describe('KeelsonError', () => {
  test('carries what it was made of', () => {
    const cause = new Error('cause');
    const error = new KeelsonError('ERR_RATE_LIMITED', 'too fast', { policy: 'limiter', operation: 'load', retryAfterMs: 5, cause });
    expect(error).toMatchObject({ code: 'ERR_RATE_LIMITED', policy: 'limiter', operation: 'load', retryAfterMs: 5, cause });
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe('KeelsonError: too fast');
  });

  test('has no cause of its own unless one is given, be it undefined', () => {
    expect('cause' in new KeelsonError('ERR_CLOSED', 'x')).toBe(false);
    expect('cause' in new KeelsonError('ERR_CLOSED', 'x', { cause: undefined })).toBe(true);
  });

  test('a timeout says how long the limit was, a cancellation why it happened', () => {
    const timeout = new TimeoutError('too slow', { timeoutMs: 5, operation: 'load' });
    expect(timeout).toMatchObject({ name: 'TimeoutError', code: 'ERR_TIMEOUT', timeoutMs: 5, operation: 'load' });
    const cancelled = new CancelledError('shutdown', 'stopping');
    expect(cancelled).toMatchObject({ name: 'AbortError', code: 'ERR_CANCELLED', kind: 'shutdown' });
    for (const error of [timeout, cancelled]) expect(error).toBeInstanceOf(KeelsonError);
  });

  test('its fields do not hide the class: name is inherited, not enumerable', () => {
    expect(Object.keys(new CancelledError('explicit', 'x'))).not.toContain('name');
  });
});

describe('isKeelsonError', () => {
  test('knows one of this copy', () => {
    expect(isKeelsonError(new KeelsonError('ERR_CLOSED', 'x'))).toBe(true);
    expect(isKeelsonError(new CancelledError('explicit', 'x'))).toBe(true);
  });

  test('knows one of another copy by its brand', () => {
    const other = Object.assign(new Error('x'), { [Symbol.for('keelson.error')]: true, code: 'ERR_TIMEOUT' });
    expect(isKeelsonError(other)).toBe(true);
    expect(isKeelsonError(other, 'ERR_TIMEOUT')).toBe(true);
    expect(isKeelsonError(other, 'ERR_CLOSED')).toBe(false);
  });

  test.each([new Error('x'), Object.assign(new Error('x'), { code: 'ERR_TIMEOUT' }), null, undefined, 'ERR_TIMEOUT', {}])(
    '%s is none',
    (error) => {
      expect(isKeelsonError(error)).toBe(false);
    },
  );

  test('asks for any of several codes', () => {
    const error = new KeelsonError('ERR_CLOSED', 'x');
    expect(isKeelsonError(error, 'ERR_TIMEOUT', 'ERR_CLOSED')).toBe(true);
    expect(isKeelsonError(error, 'ERR_TIMEOUT', 'ERR_OPTION')).toBe(false);
  });
});

describe('the history of an error', () => {
  test('is kept beside it: the error stays as it was thrown', () => {
    const error = Object.freeze(new Error('x'));
    const records = [{ attempt: 1, outcome: { error: new Error('first') }, delayMs: 5 }];
    recordAttempts(error, records);
    suppress(error, 'later');
    expect(attemptsOf(error)).toEqual(records);
    expect(Object.isFrozen(attemptsOf(error))).toBe(true);
    expect(Object.isFrozen(records)).toBe(false);
    expect(suppressedOf(error)).toEqual(['later']);
  });

  test('is empty where there was none', () => {
    expect(attemptsOf(new Error('x'))).toEqual([]);
    expect(suppressedOf(new Error('x'))).toEqual([]);
  });

  test('F1: something thrown that is no object has none', () => {
    recordAttempts('text', [{ attempt: 1, outcome: { value: 1 }, delayMs: 0 }]);
    suppress('text', new Error('later'));
    suppress(null, new Error('later'));
    expect(suppressedOf(null)).toEqual([]);
    expect(attemptsOf('text')).toEqual([]);
    expect(suppressedOf('text')).toEqual([]);
  });

  test('an error does not suppress itself, nor another twice', () => {
    const [error, later] = [new Error('first'), new Error('later')];
    suppress(error, error);
    suppress(error, later);
    suppress(error, later);
    expect(suppressedOf(error)).toEqual([later]);
  });

  test('keeps the first 100 and cannot be changed from outside', () => {
    const error = new Error('x');
    for (let i = 0; i < 150; i++) suppress(error, i);
    expect(suppressedOf(error)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(Object.isFrozen(suppressedOf(error))).toBe(true);
  });

  const attempted = (count: number): AttemptRecord[] => {
    const records: AttemptRecord[] = [];
    for (let i = 0; i < count; i++) addAttempt(records, { attempt: i + 1, outcome: { value: i }, delayMs: 1 });
    return records;
  };

  test.each([1, 9, 10, 11, 90, 100])('has all of %d attempts', (count) => {
    const error = new Error('x');
    recordAttempts(error, attempted(count));
    expect(attemptsOf(error).map(({ attempt }) => attempt)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  });

  test.each([101, 150, 10_000])('has the first 10 and the last 90 of %d attempts, and says how many are missing', (count) => {
    const error = new Error('x');
    recordAttempts(error, attempted(count));
    const kept = attemptsOf(error);
    const numbers = kept.map(({ attempt }) => attempt);
    expect(numbers).toEqual([...Array.from({ length: 10 }, (_, i) => i + 1), ...Array.from({ length: 90 }, (_, i) => count - 89 + i)]);
    expect(kept.flatMap(({ attempt, droppedBefore }) => (droppedBefore === undefined ? [] : [[attempt, droppedBefore]]))).toEqual([
      [count - 89, count - 100],
    ]);
  });

  test('belongs to a thrown function as well', () => {
    const thrown = (): void => {};
    suppress(thrown, 'later');
    expect(suppressedOf(thrown)).toEqual(['later']);
  });
});
