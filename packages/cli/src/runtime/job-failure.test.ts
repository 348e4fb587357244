import { TimeoutError } from 'keelson';
import { expect, test } from 'vitest';
import { failureOf } from './job-failure.ts';
import { Secrets } from './secrets.ts';

const NONE = new Secrets([]);

test.each([
  [new TimeoutError('too slow', { timeoutMs: 5 }), { code: 'ERR_TIMEOUT', message: 'too slow' }],
  [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), { code: 'ECONNREFUSED', message: 'refused' }],
  [Object.assign(new Error('odd'), { code: 7 }), { code: 'Error', message: 'odd' }],
  ['thrown text', { code: 'Error', message: 'thrown text' }],
  [undefined, { code: 'Error', message: 'undefined' }],
])('%s', (error, failure) => {
  expect(failureOf(error, NONE)).toEqual(failure);
});

test('F3: is one line without secrets and escapes', () => {
  expect(failureOf(new Error('a\u001b[31m\nsent s3cret'), new Secrets(['s3cret'])).message).toBe('a\\x1b[31m\\x0asent ***');
});

test('is not longer than anybody reads', () => {
  expect(failureOf(new Error('x'.repeat(1e6)), NONE).message.length).toBeLessThan(2100);
});
