import { describe, expect, test } from 'vitest';
import { Gcra } from '../policy/gcra.ts';
import { start, waitingFor } from './token-line.test-support.ts';
import { type Place, TokenLine, type Tokens } from './token-line.ts';

/** One token each 100 ms, `burst` at once. */
const lineOf = (burst = 1): TokenLine => new TokenLine(new Gcra(10, 1000, burst));

const take = (line: TokenLine, cost = 1, nowMs = 0): Tokens => line.take(cost, line.earliestMs(cost, nowMs));
const join = (line: TokenLine, ...costs: readonly number[]): Place[] => costs.map((cost) => line.join(waitingFor(cost), 0));

/** Lets everybody in the line start, each as soon as it is due. */
function startAll(line: TokenLine, places: readonly Place[]): number[] {
  let nowMs = 0;
  return places.map((place) => {
    nowMs = line.dueMs(nowMs);
    expect(line.dueMs(nowMs)).toBe(nowMs);
    return start(line, place, nowMs).atMs;
  });
}

describe('the line', () => {
  test('is first come, first served, each when its tokens are there', () => {
    const line = lineOf(3);
    take(line, 3);
    const expected: number[] = [];
    const places = [1, 3, 1, 2].map((cost) => {
      expected.push(line.earliestMs(cost, 0));
      return line.join(waitingFor(cost), 0);
    });
    expect(expected).toEqual([100, 400, 500, 700]);
    expect([line.size, line.waiting(0)]).toEqual([4, 4]);
    expect(startAll(line, places)).toEqual(expected);
    expect([line.size, line.waiting(0), line.dueMs(0)]).toEqual([0, 0, Number.POSITIVE_INFINITY]);
  });

  test('moves by as much as somebody starts late', () => {
    const line = lineOf();
    take(line);
    const [first, second] = join(line, 1, 1, 1) as [Place, Place, Place];
    expect(line.earliestMs(1, 0)).toBe(400);
    start(line, first, 130);
    expect([line.dueMs(130), line.earliestMs(1, 130)]).toEqual([230, 430]);
    expect(line.dueMs(300)).toBe(300);
    start(line, second, 300);
    expect(line.earliestMs(1, 300)).toBe(500);
  });

  test('is planned anew when its first is late and has not started', () => {
    const line = lineOf();
    take(line);
    join(line, 1, 1);
    expect(line.earliestMs(1, 0)).toBe(300);
    expect(line.earliestMs(1, 150)).toBe(350);
  });

  test('closes up when somebody leaves', () => {
    const line = lineOf();
    take(line);
    const [, second, third] = join(line, 1, 1, 1, 1) as [Place, Place, Place, Place];
    expect(line.earliestMs(1, 0)).toBe(500);
    line.leave(second);
    expect([line.size, line.earliestMs(1, 0)]).toEqual([3, 400]);
    line.leave(third);
    expect(line.earliestMs(1, 0)).toBe(300);
  });

  test('that everybody has left is as if nobody had come', () => {
    const line = lineOf(2);
    take(line, 2);
    for (const place of join(line, 0.1, 0.2, 0.3)) line.leave(place);
    expect([line.size, line.earliestMs(1, 0)]).toEqual([0, 100]);
  });

  test('knows of whoever joins after it was planned', () => {
    const line = lineOf();
    take(line);
    join(line, 1);
    expect(line.earliestMs(1, 0)).toBe(200);
    join(line, 1, 1);
    expect(line.earliestMs(1, 0)).toBe(400);
  });
});

describe('tokens that are promised', () => {
  test('come behind the line, and the line goes on behind them', () => {
    const line = lineOf();
    take(line);
    join(line, 1);
    expect(take(line).atMs).toBe(200);
    expect([line.waiting(0), line.earliestMs(1, 0), line.waiting(200)]).toEqual([2, 300, 1]);
  });

  test('are kept when the line is late: whoever would break the promise comes behind it', () => {
    const line = lineOf();
    take(line);
    const [place] = join(line, 1) as [Place];
    expect(take(line).atMs).toBe(200);
    expect(line.dueMs(100)).toBe(100);
    expect(line.dueMs(150)).toBe(300);
    expect(start(line, place, 300).atMs).toBe(300);
  });

  test('and given back are had by the first in the line that they are of use to', () => {
    const line = lineOf();
    take(line);
    const [second] = [take(line), take(line)] as [Tokens, Tokens];
    join(line, 1);
    expect(line.dueMs(0)).toBe(300);
    line.giveBack(second, 50);
    expect([line.dueMs(50), line.earliestMs(1, 50)]).toEqual([100, 300]);
  });
});

describe('what tokens came to', () => {
  test('changes nothing where that is what was taken', () => {
    const line = lineOf();
    const first = take(line);
    line.correct(first, 1, 0);
    expect(line.earliestMs(1, 0)).toBe(100);
  });

  test('if more than was taken, is waited for by all who have not started', () => {
    const line = lineOf();
    const first = take(line);
    join(line, 1);
    expect(line.earliestMs(1, 0)).toBe(200);
    line.correct(first, 3, 0);
    expect([line.dueMs(0), line.earliestMs(1, 0)]).toEqual([300, 400]);
    line.debit(0, 0);
    line.debit(1, 0);
    expect([line.dueMs(0), line.earliestMs(1, 0)]).toEqual([400, 500]);
  });

  test('if less than was taken, is room for all who have not started', () => {
    const line = lineOf(5);
    const first = take(line, 5);
    join(line, 4);
    line.correct(first, 2, 0);
    expect([line.dueMs(0), line.earliestMs(1, 0)]).toEqual([100, 200]);
  });
});

test('a moment that sums of fractions put a little ahead has come', () => {
  const line = new TokenLine(new Gcra(3, 1, 1));
  line.take(1, 0.1);
  const [place] = join(line, 1) as [Place];
  const dueMs = line.dueMs(0.1);
  expect(line.dueMs(dueMs - 1e-7)).toBe(dueMs - 1e-7);
  start(line, place, dueMs - 1e-7);
  expect(line.earliestMs(1, dueMs)).toBeCloseTo(dueMs + 1 / 3, 6);
});

test('is clear when nobody waits, and nothing is remembered', () => {
  const line = lineOf();
  expect(line.isClear(0)).toBe(true);
  const [place] = join(line, 1) as [Place];
  expect(line.isClear(0)).toBe(false);
  start(line, place, 0);
  expect([line.isClear(99), line.isClear(100)]).toEqual([false, true]);
});
