import { describe, expect, test } from 'vitest';
import { CancelledError } from '../errors/cancelled-error.ts';
import { ERROR_CODES, type ErrorCode } from '../errors/error-codes.ts';
import { KeelsonError } from '../errors/keelson-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { classify, classifyError, classifyValue, OUTCOME, type Outcome } from './classify.ts';

describe('a value', () => {
  test.each([1, '', null, undefined, true, [], {}, () => {}])('%j is ok', (value) => {
    expect(classifyValue(value)).toEqual({ kind: 'ok', origin: 'remote' });
  });

  test('without a word on itself shares one frozen outcome: success allocates nothing', () => {
    expect(classifyValue({})).toBe(classifyValue(5));
    expect(Object.isFrozen(classifyValue(5))).toBe(true);
  });

  test('says what it is through the symbol', () => {
    const busy = { [OUTCOME]: { kind: 'throttled', origin: 'local', retryAfterMs: 2000 } };
    expect(classifyValue(busy)).toEqual({ kind: 'throttled', origin: 'local', retryAfterMs: 2000 });
  });

  test.each(['ok', 'transient', 'throttled', 'overloaded', 'permanent', 'cancelled'] as const)('may be %s', (kind) => {
    expect(classifyValue({ [OUTCOME]: { kind, retryAfterMs: 0 } })).toEqual({ kind, origin: 'remote', retryAfterMs: 0 });
  });

  const quota = { remaining: 3, resetMs: 1000, limit: 10, periodMs: 60_000, cost: 'tokens', name: 'burst' };

  test('tells of its callee’s quotas', () => {
    const quotas = [quota, { remaining: 0, resetMs: 0 }];
    expect(classifyValue({ [OUTCOME]: { kind: 'ok', quotas } })).toEqual({ kind: 'ok', origin: 'remote', quotas });
  });

  test.each([
    [{ remaining: -1 }],
    [{ remaining: Number.POSITIVE_INFINITY }],
    [{ remaining: '3' }],
    [{ remaining: undefined }],
    [{ resetMs: -1 }],
    [{ resetMs: Number.NaN }],
    [{ resetMs: undefined }],
    [{ limit: 0 }],
    [{ limit: Number.POSITIVE_INFINITY }],
    [{ periodMs: -1 }],
    [{ periodMs: '60' }],
    [{ cost: '' }],
    [{ name: 5 }],
  ])('F1: a quota that makes no sense is as good as none: %j', (wrong) => {
    const quotas = [{ ...quota, ...wrong }, quota, null, 'many'];
    expect(classifyValue({ [OUTCOME]: { kind: 'ok', quotas } }).quotas).toEqual([quota]);
    expect(classifyValue({ [OUTCOME]: { kind: 'ok', quotas: quota } }).quotas).toBeUndefined();
  });

  test('that is no object is not asked', () => {
    expect(classifyValue(Object.assign(() => {}, { [OUTCOME]: { kind: 'permanent' } })).kind).toBe('ok');
  });

  test('may say it through its class', () => {
    class NotFound {
      readonly status: number = 404;
      get [OUTCOME](): Partial<Outcome> {
        return { kind: this.status === 404 ? 'permanent' : 'ok' };
      }
    }
    expect(classifyValue(new NotFound())).toEqual({ kind: 'permanent', origin: 'remote' });
  });
});

describe('an error', () => {
  test.each([new Error('reset'), new TypeError('x is not a function'), 'thrown text', undefined, null, 5, Object.create(null)])(
    'F1: %s is transient and remote',
    (error) => {
      expect(classifyError(error)).toEqual({ kind: 'transient', origin: 'remote' });
    },
  );

  test('C4: is not judged by its name', () => {
    expect(classifyError(new DOMException('aborted', 'AbortError')).kind).toBe('transient');
    expect(classifyError(Object.assign(new Error('looks like ours'), { code: 'ERR_OPTION' })).kind).toBe('transient');
  });

  test('says what it is through the symbol, even that it is fine', () => {
    const gone = Object.assign(new Error('gone'), { [OUTCOME]: { kind: 'ok' } });
    expect(classifyError(gone)).toEqual({ kind: 'ok', origin: 'remote' });
  });

  test('that is no object is not asked', () => {
    expect(classifyError(Object.assign(() => {}, { [OUTCOME]: { kind: 'permanent' } })).kind).toBe('transient');
  });

  test('of our own that says what it is, is believed', () => {
    const error = Object.assign(new KeelsonError('ERR_OPTION', 'x'), { [OUTCOME]: { kind: 'transient' } });
    expect(classifyError(error).kind).toBe('transient');
  });

  const OURS: readonly (readonly [ErrorCode, Outcome])[] = [
    ['ERR_TIMEOUT', { kind: 'transient', origin: 'remote' }],
    ['ERR_CANCELLED', { kind: 'cancelled', origin: 'local' }],
    ['ERR_CIRCUIT_OPEN', { kind: 'overloaded', origin: 'local' }],
    ['ERR_BULKHEAD_FULL', { kind: 'overloaded', origin: 'local' }],
    ['ERR_RATE_LIMITED', { kind: 'throttled', origin: 'local' }],
    ['ERR_SCOPE_CLOSED', { kind: 'permanent', origin: 'local' }],
    ['ERR_NO_SCOPE', { kind: 'permanent', origin: 'local' }],
    ['ERR_CLOSED', { kind: 'permanent', origin: 'local' }],
    ['ERR_OPTION', { kind: 'permanent', origin: 'local' }],
    ['ERR_UNSUPPORTED', { kind: 'permanent', origin: 'local' }],
  ];

  test.each(OURS)('of ours with code %s', (code, outcome) => {
    expect(classifyError(new KeelsonError(code, 'x'))).toEqual(outcome);
  });

  test('of ours: every code is in this table', () => {
    expect(OURS.map(([code]) => code)).toEqual(ERROR_CODES);
  });

  test('of ours keeps what it knows about another try', () => {
    expect(classifyError(new KeelsonError('ERR_CIRCUIT_OPEN', 'x', { retryAfterMs: 300 }))).toEqual({
      kind: 'overloaded',
      origin: 'local',
      retryAfterMs: 300,
    });
    expect(classifyError(new TimeoutError('x', { timeoutMs: 5 })).retryAfterMs).toBeUndefined();
    expect(classifyError(new CancelledError('explicit', 'x')).kind).toBe('cancelled');
  });

  test('of another version of the package, with a code that is unknown here, is an unknown error', () => {
    const error = new KeelsonError('__proto__' as 'ERR_TIMEOUT', 'from the future');
    expect(classifyError(error)).toEqual({ kind: 'transient', origin: 'remote' });
  });
});

describe('F1: what makes no sense changes nothing', () => {
  const throwing = (value: object): object =>
    Object.defineProperty(value, OUTCOME, {
      get() {
        throw new Error('getter');
      },
    });

  test('a getter that throws', () => {
    expect(classifyValue(throwing({})).kind).toBe('ok');
    expect(classifyError(throwing(new Error('x'))).kind).toBe('transient');
    expect(classifyError(throwing(new KeelsonError('ERR_CLOSED', 'x'))).kind).toBe('permanent');
  });

  test.each([undefined, null, 5, 'ok', {}, { kind: 'fine' }, { kind: 'toString' }, { origin: 'local' }])('saying %j', (said) => {
    expect(classifyValue({ [OUTCOME]: said })).toEqual({ kind: 'ok', origin: 'remote' });
  });

  test.each([-1, Number.NaN, '5', null])('a retryAfterMs of %j', (retryAfterMs) => {
    expect(classifyValue({ [OUTCOME]: { kind: 'throttled', retryAfterMs } })).toEqual({ kind: 'throttled', origin: 'remote' });
  });

  test('an origin that is none', () => {
    expect(classifyValue({ [OUTCOME]: { kind: 'throttled', origin: 'moon' } }).origin).toBe('remote');
  });
});

test('classify takes either', () => {
  expect(classify({ ok: true, value: new Error('as a value') }).kind).toBe('ok');
  expect(classify({ ok: false, error: new Error('as an error') }).kind).toBe('transient');
});

test('the symbol is the same in every copy of the package', () => {
  expect(OUTCOME).toBe(Symbol.for('keelson.outcome'));
});
