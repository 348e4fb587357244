import { describe, expect, test } from 'vitest';
import { suppressedOf } from '../errors/history.ts';
import type { Answer } from '../policy/layer.ts';
import type { Call } from '../policy/policy.ts';
import { ALLOWANCES, quotaOf } from '../policy/retry-allowances.test-support.ts';
import type { Decision } from '../testing/fake-step.ts';
import { reset, says, Tried } from './tried.test-support.ts';

describe('beforeRetry', () => {
  const OK: Answer = { ok: true, value: 'ignored' };
  const call = {} as Call;

  /** Calls the hook that the layer wants to have consulted. */
  const consult = (decision: Decision | undefined): unknown => {
    if (typeof decision !== 'object' || !('consult' in decision)) throw new Error('it was not consulted');
    return decision.consult(call);
  };

  test('is told of the failure, of errors and values alike, and has the call it runs under', () => {
    const seen: unknown[] = [];
    const error = reset();
    const tried = new Tried({ handlesResult: () => true, beforeRetry: (...args) => seen.push(args) });
    expect(consult(tried.fails(error))).toBe(1);
    tried.isAnswered(OK);
    consult(tried.returns('value'));
    expect(seen).toEqual([
      [{ attempts: 1, outcome: { ok: false, error }, delayMs: 200 }, call],
      [{ attempts: 2, outcome: { ok: true, value: 'value' }, delayMs: 400 }, call],
    ]);
  });

  test.each([
    [0, 200],
    [150, 50],
    [200, 0],
    [900, 0],
  ])('that takes %d ms leaves %d ms of the wait', (tookMs, again) => {
    const tried = new Tried({ beforeRetry: () => undefined }, { nowMs: 5000 });
    tried.fails(reset());
    tried.step.given.nowMs += tookMs;
    expect(tried.isAnswered(OK)).toEqual({ again });
  });

  test('is not called where no attempt follows', () => {
    const beforeRetry = (): never => {
      throw new Error('called');
    };
    expect(new Tried({ beforeRetry, maxAttempts: 1 }).fails(reset())).toBe('pass');
    expect(new Tried({ beforeRetry }).fails(says({ kind: 'permanent' }))).toBe('pass');
    expect(new Tried({ beforeRetry }, { timeLeftMs: 100 }).fails(reset())).toBe('pass');
    expect(new Tried({ beforeRetry }, { options: { idempotent: false } }).fails(reset())).toBe('pass');
    const budget = quotaOf(1);
    budget.tryTake('transient');
    expect(new Tried({ beforeRetry, budget }).fails(reset())).toBe('pass');
    expect(new Tried({ beforeRetry }).returns('fine')).toBe('pass');
  });

  test('that throws ends the call with its error, to which the failure is attached', () => {
    const [failure, thrown] = [reset(), new Error('no token')];
    const tried = new Tried({ beforeRetry: () => undefined });
    tried.fails(failure);
    expect(() => tried.isAnswered({ ok: false, error: thrown })).toThrow(thrown);
    expect(suppressedOf(thrown)).toEqual([failure]);
    expect(tried.step.events).toEqual([{ type: 'gave-up', attempts: 1, reason: 'before-retry', outcome: { ok: false, error: thrown } }]);
  });

  test('that throws the failure lets it pass', () => {
    const failure = reset();
    const tried = new Tried({ beforeRetry: () => undefined });
    tried.fails(failure);
    expect(tried.isAnswered({ ok: false, error: failure })).toBe('pass');
    expect(suppressedOf(failure)).toEqual([]);
  });

  test('that throws over a value ends the call, too', () => {
    const thrown = new Error('no token');
    const tried = new Tried({ handlesResult: () => true, beforeRetry: () => undefined });
    tried.returns('pending');
    expect(() => tried.isAnswered({ ok: false, error: thrown })).toThrow(thrown);
    expect(suppressedOf(thrown)).toEqual([]);
  });

  test.each(ALLOWANCES)('R3: what a %s paid comes back where it throws or is left, and stays where the wait begins', (_name, granting) => {
    const budget = granting(5);
    const waiting = (): Tried => {
      const tried = new Tried({ budget, beforeRetry: () => undefined });
      tried.fails(reset());
      return tried;
    };
    const [throwing, left] = [waiting(), waiting()];
    expect(budget.statistics().balance).toBe(3);
    expect(() => throwing.isAnswered({ ok: false, error: new Error('no token') })).toThrow('no token');
    expect(budget.statistics().balance).toBe(4);
    left.isAbandoned(true);
    expect(budget.statistics().balance).toBe(5);
    waiting().isAnswered(OK);
    expect(budget.statistics().balance).toBe(4);
  });
});
