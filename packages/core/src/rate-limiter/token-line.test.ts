import { describe, expect, test } from 'vitest';
import { Gcra } from '../policy/gcra.ts';
import { TokenLine, type Tokens } from './token-line.ts';

/** One token each 100 ms, `burst` at once. */
const lineOf = (burst = 1): TokenLine => new TokenLine(new Gcra(10, 1000, burst));

/** Tokens for as many as `count` who come at once, at time 0. */
const take = (line: TokenLine, count: number, cost = 1): Tokens[] => Array.from({ length: count }, () => line.take(cost, 0));

describe('those who wait', () => {
  test('are counted until their moment comes, in whatever order they came to it', () => {
    const line = lineOf();
    const [, , third] = take(line, 4) as [Tokens, Tokens, Tokens, Tokens];
    expect(line.waiting(0)).toBe(3);
    line.giveBack(third, 0);
    expect(line.waiting(0)).toBe(2);
    line.take(1, 0); // takes the moment of the third
    expect([line.waiting(99), line.waiting(100), line.waiting(200), line.waiting(300)]).toEqual([3, 2, 1, 0]);
  });

  test('are nobody, where tokens are had at once', () => {
    const line = lineOf(3);
    const [first] = take(line, 3) as [Tokens];
    expect(line.waiting(0)).toBe(0);
    line.giveBack(first, 0);
    expect(line.waiting(0)).toBe(0);
  });
});

describe('a moment given back', () => {
  test('is the next one’s, the earliest first', () => {
    const line = lineOf();
    const tokens = take(line, 6);
    for (const index of [4, 2, 1]) line.giveBack(tokens[index] as Tokens, 0);
    expect([line.earliestMs(1, 0), ...take(line, 4).map(({ atMs }) => atMs)]).toEqual([100, 100, 200, 400, 600]);
  });

  test('is there until it has passed, and then for nobody', () => {
    const line = lineOf();
    const [, second] = take(line, 3) as [Tokens, Tokens, Tokens];
    line.giveBack(second, 0);
    expect(line.earliestMs(1, 100)).toBe(100);
    expect(line.earliestMs(1, 101)).toBe(300);
  });

  test('goes back to the meter when it has passed: what the bucket has room for is not lost', () => {
    const line = lineOf(3);
    const tokens = take(line, 6);
    line.giveBack(tokens[3] as Tokens, 0);
    expect(line.earliestMs(1, 50)).toBe(100);
    expect(line.earliestMs(1, 150)).toBe(300);
    expect(line.take(1, 300).atMs).toBe(300);
  });

  test('is shared out where it was large', () => {
    const line = lineOf(5);
    const [, large] = take(line, 3, 5) as [Tokens, Tokens, Tokens];
    line.giveBack(large, 0);
    const parts = [2, 2, 2, 1].map((cost) => line.take(cost, 0));
    expect(parts.map(({ atMs }) => atMs)).toEqual([500, 500, 1200, 500]);
    expect(line.earliestMs(1, 0)).toBe(1300);
  });

  test('is put together again where its parts come back', () => {
    const line = lineOf(5);
    const [, large] = take(line, 3, 5) as [Tokens, Tokens, Tokens];
    line.giveBack(large, 0);
    const [one, other] = [line.take(2, 0), line.take(2, 0)] as const;
    line.giveBack(one, 0);
    line.giveBack(other, 0);
    expect(line.take(5, 0).atMs).toBe(500);
    expect(line.take(1, 0).atMs).toBe(1100);
  });

  test('at the end of the plan is no moment any more, nor are the free ones before it', () => {
    const line = lineOf();
    const [, second, third, fourth] = take(line, 4) as [Tokens, Tokens, Tokens, Tokens];
    line.giveBack(third, 0);
    line.giveBack(second, 0);
    line.giveBack(fourth, 0);
    expect(line.earliestMs(1, 150)).toBe(150);
  });

  test('by one who left late, when it had come, is as good as the meter can make it', () => {
    const line = lineOf(2);
    const [, , third] = take(line, 3, 1) as [Tokens, Tokens, Tokens];
    expect(third.atMs).toBe(100);
    line.giveBack(third, 110);
    expect(line.earliestMs(1, 110)).toBe(110);
    expect(line.isClear(199)).toBe(false);
    expect(line.isClear(200)).toBe(true);
  });
});

describe('what tokens came to', () => {
  test('leaves the free moments alone where that is what was taken', () => {
    const line = lineOf();
    const [first, second] = take(line, 3) as [Tokens, Tokens, Tokens];
    line.giveBack(second, 0);
    line.correct(first, 1, 0);
    expect(line.earliestMs(1, 0)).toBe(100);
  });

  test('if more than was taken, is waited for by all who come later: no moment is free any more, also of those given back afterwards', () => {
    const line = lineOf();
    const [first, second, third] = take(line, 4) as [Tokens, Tokens, Tokens, Tokens];
    line.giveBack(second, 0);
    line.correct(first, 3, 0);
    expect(line.earliestMs(1, 0)).toBe(600);
    line.giveBack(third, 0);
    expect(line.earliestMs(1, 0)).toBe(600);
  });

  test('if less than was taken, is room for those who come later', () => {
    const line = lineOf(5);
    const [first] = take(line, 1, 5) as [Tokens];
    line.correct(first, 2, 0);
    expect([line.earliestMs(3, 0), line.earliestMs(4, 0)]).toEqual([0, 100]);
  });
});
