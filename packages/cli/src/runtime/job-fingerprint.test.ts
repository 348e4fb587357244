import { expect, test } from 'vitest';
import { toHex } from './fingerprint.ts';
import type { HttpJob } from './job.ts';
import { jobFingerprint } from './job-fingerprint.ts';

const JOB: HttpJob = {
  kind: 'http',
  id: '1',
  method: 'GET',
  url: 'http://a.example/',
  origin: 'http://a.example',
  headers: { a: '1', b: '2' },
};
const of = (change: Partial<HttpJob>, environment: readonly (readonly [string, string])[] = []): string =>
  toHex(jobFingerprint({ ...JOB, ...change }, environment));

test('is that of the call, not of the id', () => {
  expect(of({ id: '2', headers: { b: '2', a: '1' } })).toBe(of({}));
});

test('changes with everything that is sent', () => {
  const all = [
    of({}),
    of({ method: 'PUT' }),
    of({ url: 'http://a.example/x' }),
    of({ headers: { a: '1' } }),
    of({ headers: { a: '1', b: '3' } }),
    of({ body: '' }),
    of({ body: 'x' }),
    of({}, [['authorization', 'TOKEN']]),
    of({}, [['authorization', 'OTHER']]),
    toHex(jobFingerprint({ kind: 'exec', id: '1', argv: ['a', 'b c'] }, [])),
    toHex(jobFingerprint({ kind: 'exec', id: '1', argv: ['a', 'b', 'c'] }, [])),
  ];
  expect(new Set(all).size).toBe(all.length);
});

test('stays the same from version to version, or no journal could be resumed', () => {
  expect(of({})).toMatchInlineSnapshot(`"637bcd9882677815768825eeedafa465"`);
});

test('of a function is that of all the line says, in whatever order', () => {
  const of = (columns: object): string => toHex(jobFingerprint({ kind: 'function', id: 'x', origin: 'm', columns: { ...columns } }, []));
  expect(of({ a: 1, b: [2] })).toBe(of({ b: [2], a: 1 }));
  expect(of({ a: 1 })).not.toBe(of({ a: '1' }));
});
