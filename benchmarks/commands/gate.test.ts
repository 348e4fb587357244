import { expect, test } from 'vitest';
import { nameOf } from '../harness/case.ts';
import { SEQUENTIAL } from '../harness/shapes.ts';
import { LIMITS, type Limit } from '../limits.ts';
import { GROUPS } from '../subjects/groups.ts';
import { holds, line } from './gate.ts';

const of = { group: 'retry', subject: 'keelson' };
const atMost: Limit = { of, figure: { is: 'ratio', shape: SEQUENTIAL }, limit: 4, goal: 3 };
const atLeast: Limit = { of, figure: { is: 'lead', over: 'peer', shape: SEQUENTIAL }, limit: 2, goal: 5 };

test('costs have an upper limit, leads a lower one; what could not be measured holds neither', () => {
  expect([3.9, 4, 4.1, undefined].map((value) => holds({ limit: atMost, value }))).toEqual([true, true, false, false]);
  expect([1.9, 2, 2.1, undefined].map((value) => holds({ limit: atLeast, value }))).toEqual([false, true, true, false]);
});

test('a line says what was measured, the limit and the goal', () => {
  expect(line({ limit: atMost, value: 4.5 })).toBe('broken retry: keelson, sequential: 4.50 bare awaits (at most 4; goal 3)');
  expect(line({ limit: atLeast, value: 12 })).toBe('ok     retry: keelson than peer, sequential: 12.0 times faster (at least 2; goal 5)');
  expect(line({ limit: atMost, value: undefined })).toContain('not measured');
});

test('every limit is about subjects that are measured', () => {
  for (const { of, figure } of LIMITS) {
    const group = GROUPS.find(({ name }) => name === of.group);
    const names = group?.subjects.map(nameOf);
    expect(names).toContain(of.subject);
    if (figure.is === 'lead') expect(names).toContain(figure.over);
    if (figure.is !== 'bytes') expect(group?.shapes).toContain(figure.shape);
  }
});
