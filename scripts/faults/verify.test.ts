import { expect, test } from 'vitest';
import { jobLines, makeJobs } from './jobs.ts';
import { quantile, verify } from './verify.ts';

const FILES = new Map([
  ['/a.txt', Buffer.from('a')],
  ['/b.txt', Buffer.from('b')],
]);
const SHA256_OF_A = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb';
const jobs = makeJobs(FILES, 'http://origin', 3);

const line = (id: string, hash: string, more: object = {}): string => JSON.stringify({ v: 1, id, ok: true, attempts: 2, hash, ...more });
const journalOf = (...changed: string[]): string =>
  [...changed, ...jobs.slice(changed.length).map(({ id, sha256 }) => line(id, sha256))].join('\n');

test('enough jobs, each file in each round, every id and URL once', () => {
  expect(jobs).toHaveLength(4);
  expect(jobs[0]).toEqual({ id: '1/a.txt', url: 'http://origin/a.txt?round=1', sha256: SHA256_OF_A });
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(4);
  expect(new Set(jobs.map(({ url }) => url)).size).toBe(4);
});

test('a job file holds nothing of the result', () => {
  const [first] = jobLines(jobs).split('\n');
  expect(JSON.parse(first ?? '')).toEqual({ id: '1/a.txt', url: 'http://origin/a.txt?round=1' });
});

test('a whole journal has no problems', () => {
  expect(verify(`${journalOf()}\n`, jobs)).toEqual({ problems: [], lines: 4, attempts: 8 });
});

test.each([
  [
    'a failure',
    line('1/a.txt', '', { ok: false, error: { code: 'ERR_TIMEOUT', message: 'late' } }),
    '1/a.txt: failed with ERR_TIMEOUT: late',
  ],
  ['another body', line('1/a.txt', 'f00'), `1/a.txt: its body is not the file (f00 instead of ${SHA256_OF_A})`],
  ['a job without a result', line('9/other', 'f00'), '1/a.txt: no result'],
])('%s is a problem', (_, changed, problem) => {
  expect(verify(journalOf(changed), jobs).problems).toEqual([problem]);
});

test('a line too many is a problem', () => {
  expect(verify(`${journalOf()}\n${line('1/a.txt', SHA256_OF_A)}`, jobs).problems).toEqual(['5 lines for 4 jobs']);
});

test.each([
  [0.5, 50],
  [0.99, 99],
  [1, 100],
  [0, 1],
])('the %s quantile', (share, value) => {
  const sorted = Array.from({ length: 100 }, (_, i) => i + 1);
  expect(quantile(sorted, share)).toBe(value);
});
