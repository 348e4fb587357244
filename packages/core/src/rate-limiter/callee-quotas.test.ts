import { describe, expect, test } from 'vitest';
import type { CalleeQuota } from '../outcome/classify.ts';
import { CalleeQuotas, type Start } from './callee-quotas.ts';

/** The answer to a call. */
const answer = (quotas: CalleeQuotas, start: Start, quota: CalleeQuota, nowMs: number): void => {
  quotas.ended(start);
  quotas.heard(quota, start, nowMs);
};

/** A call that is answered at once. */
const call = (quotas: CalleeQuotas, quota: CalleeQuota, nowMs: number): void => answer(quotas, quotas.started(1, nowMs), quota, nowMs);

const remaining = (count: number, resetMs = 60_000): CalleeQuota => ({ remaining: count, resetMs });

describe('what remains', () => {
  test('may be started until the reset, and then any number', () => {
    const quotas = new CalleeQuotas();
    expect([quotas.opensMs(1000, 0), quotas.left(0)]).toEqual([0, Number.POSITIVE_INFINITY]);
    call(quotas, remaining(2), 0);
    expect([quotas.opensMs(2, 0), quotas.opensMs(3, 0), quotas.opensMs(3, 60_000)]).toEqual([0, 60_000, 60_000]);
    quotas.started(1, 10);
    expect([quotas.left(10), quotas.opensMs(1, 10), quotas.opensMs(2, 10)]).toEqual([1, 10, 60_000]);
    quotas.started(1, 20);
    expect([quotas.opensMs(1, 20), quotas.left(59_999), quotas.left(60_000)]).toEqual([60_000, 0, Number.POSITIVE_INFINITY]);
  });

  test('of it is on its way already what was started and has not been answered', () => {
    const quotas = new CalleeQuotas();
    const [first, second, third] = [1, 2, 3].map((cost) => quotas.started(cost, 0)) as [Start, Start, Start];
    answer(quotas, first, remaining(9), 10);
    expect(quotas.left(10)).toBe(4);
    answer(quotas, second, remaining(7), 11);
    expect(quotas.left(11)).toBe(4);
    quotas.ended(third);
    quotas.ended(third);
    answer(quotas, quotas.started(1, 12), remaining(3), 13);
    expect(quotas.left(13)).toBe(3);
  });

  test('below nothing is nothing, and holds up nobody who costs nothing', () => {
    const quotas = new CalleeQuotas();
    const [first] = [quotas.started(1, 0), quotas.started(5, 0)] as const;
    answer(quotas, first, remaining(2), 0);
    expect([quotas.left(0), quotas.opensMs(0, 0), quotas.opensMs(1, 0)]).toEqual([0, 0, 60_000]);
  });

  test('with a reset that has passed says nothing', () => {
    const quotas = new CalleeQuotas();
    call(quotas, remaining(0, 0), 5);
    expect([quotas.left(5), quotas.opensMs(9, 5)]).toEqual([Number.POSITIVE_INFINITY, 5]);
  });

  test('is for each quota by name, and the strictest counts', () => {
    const quotas = new CalleeQuotas();
    const start = quotas.started(1, 0);
    answer(quotas, start, { ...remaining(5, 1000), name: 'burst' }, 0);
    quotas.heard({ ...remaining(2), name: 'daily' }, start, 0);
    expect([quotas.left(0), quotas.opensMs(3, 0), quotas.opensMs(6, 0), quotas.left(1000)]).toEqual([2, 60_000, 60_000, 2]);
  });

  test('of more quotas than any callee has is not remembered, but in place of those that are over', () => {
    const quotas = new CalleeQuotas();
    const start = quotas.started(1, 0);
    for (let i = 0; i < 9; i++) quotas.heard({ ...remaining(100 - i, 1000), name: `quota ${i}` }, start, 0);
    expect(quotas.left(0)).toBe(92); // of the eighth, less what is on its way
    quotas.heard({ ...remaining(5), name: 'another' }, start, 1000);
    expect(quotas.left(1000)).toBe(4);
  });
});

describe('answers that overtake each other', () => {
  test('raise nothing: of two calls the later answer may be the older', () => {
    const quotas = new CalleeQuotas();
    const [first, second] = [quotas.started(1, 0), quotas.started(1, 1)] as const;
    answer(quotas, second, remaining(5), 10);
    answer(quotas, first, remaining(50), 20);
    expect(quotas.left(20)).toBe(4);
  });

  test('lower it: what remains is never more than any of them says', () => {
    const quotas = new CalleeQuotas();
    const [first, second] = [quotas.started(1, 0), quotas.started(1, 1)] as const;
    answer(quotas, first, remaining(50), 10);
    answer(quotas, second, remaining(5), 20);
    expect(quotas.left(20)).toBe(5);
  });

  test('raise it where the call began when all of that was known, by what nobody can have used since', () => {
    const quotas = new CalleeQuotas();
    const slow = quotas.started(1, 0);
    call(quotas, remaining(5), 10);
    const later = quotas.started(1, 20);
    const meanwhile = [quotas.started(1, 21), quotas.started(1, 22)] as const;
    for (const start of meanwhile) quotas.ended(start);
    answer(quotas, later, remaining(30), 40);
    expect(quotas.left(40)).toBe(27); // slow may be counted after later was, and so may the two
    answer(quotas, slow, remaining(100), 50);
    expect(quotas.left(50)).toBe(27);
  });

  test('of a time before the reset are ignored', () => {
    const quotas = new CalleeQuotas();
    const old = quotas.started(1, 0);
    call(quotas, remaining(0, 1000), 0);
    call(quotas, remaining(90), 1000);
    answer(quotas, old, remaining(0, 100), 1100);
    expect(quotas.left(1100)).toBe(89);
  });

  test('of a time after the reset count, though what was known seems to hold for longer', () => {
    const quotas = new CalleeQuotas();
    const [first, second] = [quotas.started(1, 0), quotas.started(1, 0)] as const;
    answer(quotas, first, remaining(0, 500), 400); // the answer was under way for 400 ms, in which the callee has reset it
    expect(quotas.opensMs(1, 600)).toBe(900);
    answer(quotas, second, remaining(99), 600);
    expect([quotas.left(600), quotas.left(60_599), quotas.left(60_600)]).toEqual([98, 98, Number.POSITIVE_INFINITY]);
  });

  test('with nearly the same reset keep the later one', () => {
    const quotas = new CalleeQuotas();
    const [first, second, third] = [quotas.started(1, 0), quotas.started(1, 0), quotas.started(1, 0)] as const;
    answer(quotas, first, remaining(3, 5000), 10);
    answer(quotas, second, remaining(9, 5000), 900);
    answer(quotas, third, remaining(9, 4000), 1000);
    expect([quotas.left(5899), quotas.left(5900)]).toEqual([1, Number.POSITIVE_INFINITY]);
  });
});

describe('policies', () => {
  const policy = (limit: number | undefined, periodMs: number | undefined, name?: string): CalleeQuota => ({
    ...remaining(1000),
    ...(limit === undefined ? {} : { limit }),
    ...(periodMs === undefined ? {} : { periodMs }),
    ...(name === undefined ? {} : { name }),
  });

  test('come to a rate, the lowest of all', () => {
    const quotas = new CalleeQuotas();
    expect(quotas.rate).toBe(Number.POSITIVE_INFINITY);
    call(quotas, policy(100, 1000, 'burst'), 0);
    call(quotas, policy(600, 60_000, 'minute'), 0);
    expect(quotas.rate).toBe(0.01);
    call(quotas, policy(6, undefined, 'minute'), 0);
    call(quotas, policy(undefined, 1, 'minute'), 0);
    expect(quotas.rate).toBe(0.01);
  });

  test('can rise by a later answer, and fall by any', () => {
    const quotas = new CalleeQuotas();
    const early = quotas.started(1, 0);
    const other = quotas.started(1, 0);
    call(quotas, policy(10, 1000), 0);
    answer(quotas, early, policy(20, 1000), 10);
    expect(quotas.rate).toBe(0.01);
    answer(quotas, other, policy(5, 1000), 20);
    expect(quotas.rate).toBe(0.005);
    call(quotas, policy(20, 1000), 30);
    expect(quotas.rate).toBe(0.02);
  });
});
