import { expect, test } from 'vitest';
import { functionJobs } from './function-job.ts';

test.each([
  [{ url: 'https://a.example:8443/x?y' }, 'https://a.example:8443'],
  [{ url: 'http://A.example/' }, 'http://a.example'],
  [{ url: 'ftp://a.example/' }, './job.ts'],
  [{ url: 'some text' }, './job.ts'],
  [{ url: 7 }, './job.ts'],
  [{}, './job.ts'],
])('%j has the origin %s', (columns, origin) => {
  expect(functionJobs('./job.ts')('7', columns)).toEqual({ kind: 'function', id: '7', columns, origin });
});
