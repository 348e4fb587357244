import { expect, test } from 'vitest';
import { kindOfStatus, outcomeOf } from './status-outcome.ts';

test.each([
  [200, 'ok'],
  [204, 'ok'],
  [299, 'ok'],
  [302, 'ok'],
  [304, 'ok'],
  [399, 'ok'],
  [400, 'permanent'],
  [401, 'permanent'],
  [404, 'permanent'],
  [408, 'transient'],
  [425, 'transient'],
  [428, 'permanent'],
  [429, 'throttled'],
  [499, 'permanent'],
  [500, 'transient'],
  [502, 'transient'],
  [503, 'overloaded'],
  [504, 'transient'],
  [599, 'transient'],
  [700, 'transient'],
])('%i is %s', (status, kind) => {
  expect(kindOfStatus(status)).toBe(kind);
  expect(outcomeOf(status, {})).toMatchObject({ kind, origin: 'remote' });
});

test.each([
  [429, 2000],
  [503, 2000],
  [500, 2000],
  [408, 2000],
  [404, undefined],
  [301, undefined],
])('Retry-After of a %i gives %s ms', (status, retryAfterMs) => {
  expect(outcomeOf(status, { 'retry-after': '2' }).retryAfterMs).toBe(retryAfterMs);
});

test('quotas belong to it, whatever the status', () => {
  const headers = { 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': '10' };
  for (const status of [200, 404, 429]) expect(outcomeOf(status, headers)).toMatchObject({ quotas: [{ remaining: 3, resetMs: 10_000 }] });
  expect(outcomeOf(200, { 'x-ratelimit-remaining': 'many' })).not.toHaveProperty('quotas');
});
