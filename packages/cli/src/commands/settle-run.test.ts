import { expect, test } from 'vitest';
import { settleRun } from './settle-run.ts';

test('what is not said has its default', async () => {
  expect(await settleRun('jobs.jsonl', { out: 'results.jsonl' }, {})).toMatchObject({
    input: 'jobs.jsonl',
    out: 'results.jsonl',
    resume: 'no',
    retriesFailed: false,
    skipsBadLines: false,
    format: 'lines',
    kind: 'http',
    isOrdered: false,
    environmentHeaders: [],
    secretHeaders: {},
    bodies: { maxBytes: 1_048_576, hash: false, save: undefined },
    policy: { concurrency: 64 },
    drainMs: 10_000,
  });
});

test('saved bodies have no limit unless one is said', async () => {
  const bodiesOf = async (flags: object): Promise<unknown> => (await settleRun('a', { out: 'b', save: 'd', ...flags }, {})).bodies;
  expect(await bodiesOf({})).toEqual({ maxBytes: 1_048_576, hash: false, save: { folder: 'd', maxBytes: Number.POSITIVE_INFINITY } });
  expect(await bodiesOf({ maxBody: 10 })).toEqual({ maxBytes: 10, hash: false, save: { folder: 'd', maxBytes: 10 } });
});

test('a secret header has its name and variable apart from its value', async () => {
  const settings = await settleRun('a', { out: 'b', headerEnv: [['Authorization', 'TOKEN']] }, { TOKEN: 's3cret' });
  expect(settings.environmentHeaders).toEqual([['authorization', 'TOKEN']]);
  expect(settings.secretHeaders).toEqual({ authorization: 's3cret' });
});

test.each([
  [{ out: 'b', headerEnv: [['a', 'NONE']] as const }, '--header-env a: the variable NONE is not set'],
  [{ out: 'b', headerEnv: [['a', 'EMPTY']] as const }, '--header-env a: the variable EMPTY is not set'],
  [{ out: 'b', headerEnv: [['a b', 'FULL']] as const }, '--header-env a b=FULL: header "a b" is not a name that HTTP allows'],
  [{}, '--out FILE is missing'],
  [{ out: 'b', retryFailed: true } as const, '--retry-failed needs --resume'],
  [{ out: 'b', exec: 'sh', ratePerOrigin: { limit: 1, periodMs: 1 } }, '--rate-per-origin has no meaning with --exec'],
])('%j does not fit', async (flags, message) => {
  await expect(settleRun('a', flags, { EMPTY: '', FULL: 'x' })).rejects.toThrow(expect.objectContaining({ name: 'UsageError', message }));
});
