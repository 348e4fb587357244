import { describe, expect, test } from 'vitest';
import { CancelledError } from '../errors/cancelled-error.ts';
import { KeelsonError } from '../errors/keelson-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { OUTCOME } from '../outcome/classify.ts';
import { Backoff } from '../policy/backoff.ts';
import { quotaOf } from '../policy/retry-allowances.test-support.ts';
import { type Decision, fakeStep } from '../testing/fake-step.ts';
import { layerWith, reset, says, Tried } from './tried.test-support.ts';

describe('which failures are tried again', () => {
  test.each<[string, unknown, boolean]>([
    ['an error that says nothing of itself', reset(), true],
    ['what is no error', 'thrown text', true],
    ['nothing at all', undefined, true],
    ['the timeout of an attempt', new TimeoutError('too slow', { timeoutMs: 5 }), true],
    ['a transient one', says({ kind: 'transient' }), true],
    ['a throttled one', says({ kind: 'throttled' }), true],
    ['an overloaded one', says({ kind: 'overloaded' }), true],
    ['a permanent one', says({ kind: 'permanent' }), false],
    ['one that says it is none', says({ kind: 'ok' }), false],
    ['a cancellation', new CancelledError('explicit', 'stop'), false],
    ['a refusal without a time', new KeelsonError('ERR_BULKHEAD_FULL', 'full'), false],
    ['a refusal for good, whatever time it says', says({ kind: 'permanent', origin: 'local', retryAfterMs: 50 }), false],
    ['a wrong option', new KeelsonError('ERR_OPTION', 'wrong'), false],
  ])('%s: %s', (_, error, isTried) => {
    expect(new Tried().fails(error)).toEqual(isTried ? { again: 200 } : 'pass');
  });

  test.each<[string, unknown, boolean]>([
    ['of a class that is named', new TypeError('x'), true],
    ['of a subclass', new TimeoutError('x', { timeoutMs: 1 }), true],
    ['of another class', reset(), false],
    ['permanent, but named', Object.assign(new TypeError('x'), { [OUTCOME]: { kind: 'permanent' } }), true],
  ])('handles names classes: an error %s', (_, error, isTried) => {
    expect(new Tried({ handles: [TypeError, KeelsonError] }).fails(error)).toEqual(isTried ? { again: 200 } : 'pass');
  });

  test('handles may be a function', () => {
    const handles = (error: unknown): boolean => (error as Error).message === 'again';
    expect(new Tried({ handles }).fails(new Error('again'))).toEqual({ again: 200 });
    expect(new Tried({ handles }).fails(new Error('no'))).toBe('pass');
  });

  test('handles is not asked about cancellations and refusals', () => {
    const asked: unknown[] = [];
    const tried = new Tried({ handles: (error) => asked.push(error) > 0 });
    expect(tried.fails(new CancelledError('explicit', 'stop'))).toBe('pass');
    expect(tried.fails(new KeelsonError('ERR_BULKHEAD_FULL', 'full'))).toBe('pass');
    expect(asked).toEqual([]);
    expect(new Tried({ handles: [TypeError] }).fails(new KeelsonError('ERR_CIRCUIT_OPEN', 'open', { retryAfterMs: 50 }))).not.toBe('pass');
  });

  test('R5: nothing, where the caller said that it must not be done twice', () => {
    const tried = new Tried({ handles: () => true }, { options: { idempotent: false } });
    expect(tried.fails(reset())).toBe('pass');
    expect(tried.step.events).toMatchObject([{ reason: 'not-idempotent' }]);
    expect(new Tried({}, { options: { idempotent: true } }).fails(reset())).toEqual({ again: 200 });
  });
});

describe('which values are tried again', () => {
  const busy = { [OUTCOME]: { kind: 'throttled' } };

  test.each<[string, unknown, Decision]>([
    ['a value', { status: 200 }, 'pass'],
    ['nothing', undefined, 'pass'],
    ['one that says it is throttled', busy, { again: 200 }],
    ['one that says it is permanent', { [OUTCOME]: { kind: 'permanent' } }, 'pass'],
    ['one that says it was cancelled', { [OUTCOME]: { kind: 'cancelled' } }, 'pass'],
    ['a refusal without a time', { [OUTCOME]: { kind: 'overloaded', origin: 'local' } }, 'pass'],
  ])('%s', (_, value, decision) => {
    expect(new Tried().returns(value)).toEqual(decision);
  });

  test('those of handlesResult besides', () => {
    const handlesResult = (value: unknown): boolean => value === 'pending';
    expect(new Tried({ handlesResult }).returns('pending')).toEqual({ again: 200 });
    expect(new Tried({ handlesResult }).returns('done')).toBe('pass');
    expect(new Tried({ handlesResult }).returns(busy)).toEqual({ again: 200 });
  });

  test('the last one passes', () => {
    const tried = new Tried({ maxAttempts: 2 });
    expect(tried.returns(busy)).toEqual({ again: 200 });
    expect(tried.returns(busy)).toBe('pass');
    expect(tried.step.events).toMatchObject([{ type: 'gave-up', attempts: 2, reason: 'attempts', outcome: { ok: true, value: busy } }]);
  });
});

describe('how often, and after how long', () => {
  test('maxAttempts counts the first one', () => {
    const tried = new Tried({ maxAttempts: 4 });
    const decisions = [1, 2, 3, 4].map(() => tried.fails(reset()));
    expect(decisions).toEqual([{ again: 200 }, { again: 400 }, { again: 800 }, 'pass']);
    expect(new Tried({ maxAttempts: 1 }).fails(reset())).toBe('pass');
  });

  test('values and errors count alike', () => {
    const tried = new Tried({ maxAttempts: 3, handlesResult: () => true });
    expect([tried.fails(reset()), tried.returns(1), tried.fails(reset())]).toEqual([{ again: 200 }, { again: 400 }, 'pass']);
  });

  test('each call has its own count', () => {
    const layer = layerWith({ maxAttempts: 2 });
    const steps = [fakeStep(), fakeStep()];
    for (const step of steps) {
      layer.enter(step);
      expect(step.decided(layer.fail(step, reset()))).toEqual({ again: 200 });
    }
  });

  test('decorrelated jitter is told its own last delay', () => {
    const tried = new Tried({ maxAttempts: 9, backoff: new Backoff('retry', { jitter: 'decorrelated' }) }, { random: 0.5 });
    expect(tried.fails(reset())).toEqual({ again: 400 }); // from 200 to 600
    expect(tried.fails(says({ kind: 'throttled', retryAfterMs: 9000 }))).toEqual({ again: 9900 });
    expect(tried.fails(reset())).toEqual({ again: 700 }); // from 200 to 1200
  });

  test('a backoff function is told what happened', () => {
    const seen: unknown[] = [];
    const error = reset();
    const backoff = new Backoff('retry', { jitter: 'none', backoff: (info) => seen.push(info) });
    const tried = new Tried({ backoff, handlesResult: () => true });
    tried.fails(error);
    tried.returns('value');
    expect(seen).toEqual([
      { attempts: 1, outcome: { ok: false, error }, previousDelayMs: 0 },
      { attempts: 2, outcome: { ok: true, value: 'value' }, previousDelayMs: 1 },
    ]);
  });

  test.each([
    [200, 'pass'],
    [200.1, { again: 200 }],
    [0, 'pass'],
  ])('T4: with %d ms left', (timeLeftMs, decision) => {
    const tried = new Tried({}, { timeLeftMs });
    expect(tried.fails(reset())).toEqual(decision);
    expect(tried.step.events).toHaveLength(decision === 'pass' ? 1 : 0);
  });

  test('T4: no attempt without a wait begins when no time is left, either', () => {
    const tried = new Tried({ backoff: new Backoff('retry', { baseDelay: 0 }) }, { timeLeftMs: 0 });
    expect(tried.fails(reset())).toBe('pass');
    expect(tried.step.events).toMatchObject([{ reason: 'deadline' }]);
  });
});

describe('R2: a wait that was asked for', () => {
  const open = new KeelsonError('ERR_CIRCUIT_OPEN', 'open', { retryAfterMs: 5000 });
  const limited = new KeelsonError('ERR_RATE_LIMITED', 'limited', { retryAfterMs: 5000 });
  const throttled = says({ kind: 'throttled', retryAfterMs: 5000 });

  test.each([
    ['an open breaker', open],
    ['a rate limiter of ours', limited],
    ['the callee', throttled],
  ])('by %s is kept, and up to 20 %% longer', (_, error) => {
    expect(new Tried({}, { random: 0 }).fails(error)).toEqual({ again: 5000 });
    expect(new Tried({}, { random: 0.5 }).fails(error)).toEqual({ again: 5500 });
    expect(new Tried({}, { random: 0.999 }).fails(error)).toEqual({ again: 5999 });
  });

  test('by a value as well', () => {
    expect(new Tried({}, { random: 0 }).returns({ [OUTCOME]: { kind: 'throttled', retryAfterMs: 700 } })).toEqual({ again: 700 });
  });

  test.each([
    [5000, 'pass'],
    [5100, { again: 5050 }],
    [5001, { again: 5000.5 }],
    [60_000, { again: 5500 }],
  ])('has to fit what is left (%d ms), and what does lengthens it', (timeLeftMs, decision) => {
    expect(new Tried({}, { timeLeftMs }).fails(throttled)).toEqual(decision);
  });

  test('may be longer than maxDelay under a deadline, not without one', () => {
    const short = { backoff: new Backoff('retry', { maxDelay: 4999 }) };
    const tried = new Tried(short);
    expect(tried.fails(throttled)).toBe('pass');
    expect(tried.step.events).toMatchObject([{ reason: 'deadline' }]);
    expect(new Tried(short, { timeLeftMs: 60_000 }).fails(throttled)).toEqual({ again: 5500 });
    expect(new Tried({ backoff: new Backoff('retry', { maxDelay: 5000 }) }).fails(throttled)).toEqual({ again: 5500 });
  });

  test('for ever is none', () => {
    expect(new Tried({}, { timeLeftMs: 1e9 }).fails(says({ kind: 'throttled', retryAfterMs: Number.POSITIVE_INFINITY }))).toBe('pass');
  });

  test('of 0 is the backoff, so that nothing spins', () => {
    expect(new Tried().fails(says({ kind: 'throttled', retryAfterMs: 0 }))).toEqual({ again: 200 });
  });

  test('costs an attempt, and nothing of the budget', () => {
    const budget = quotaOf(1);
    const tried = new Tried({ budget, maxAttempts: 3 });
    expect([tried.fails(open), tried.fails(throttled), tried.fails(open)]).toEqual([{ again: 5500 }, { again: 5500 }, 'pass']);
    expect(budget.statistics().granted).toBe(0);
  });
});

describe('events', () => {
  test('say how often it was tried and why no more', () => {
    const error = reset();
    const tried = new Tried({ maxAttempts: 2 });
    tried.fails(error);
    tried.fails(error);
    expect(tried.step.events).toEqual([{ type: 'gave-up', attempts: 2, reason: 'attempts', outcome: { ok: false, error } }]);
    const refused = new Tried();
    refused.fails(says({ kind: 'permanent' }));
    expect(refused.step.events).toMatchObject([{ attempts: 1, reason: 'not-handled' }]);
  });

  test('are not built where nobody listens', () => {
    const tried = new Tried({ maxAttempts: 1 }, { isObserved: false });
    tried.fails(reset());
    expect(tried.step.events).toEqual([]);
  });
});
