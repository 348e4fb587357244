import { expect, test } from 'vitest';
import { TimeoutError } from '../errors/timeout-error.ts';
import type { Call } from '../policy/policy.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { scriptedOperation } from '../testing/scripted-operation.ts';
import { Deadline } from '../time/deadline.ts';
import { type WithTimeoutOptions, withTimeout } from './with-timeout.ts';

const time = onVirtualTime();

/** Hangs until it is told to end, and obeys. */
const hangs = (call: Call): Promise<string> =>
  new Promise((_resolve, reject) => call.signal.addEventListener('abort', () => reject(call.signal.reason)));

async function afterOneSecond<D>(options?: WithTimeoutOptions<D>): Promise<{ value: unknown } | { error: unknown }> {
  const result = ending(withTimeout(hangs, '1s', options));
  await time.clock.advance('1s');
  return await result;
}

test('a value in time is the value, default or not', async () => {
  expect(await withTimeout(() => 1, '1s')).toBe(1);
  expect(await withTimeout(async () => 1, '1s', { default: 2 })).toBe(1);
});

test('a real undefined is no timeout', async () => {
  expect(await withTimeout(() => undefined, '1s', { default: 'default' })).toBe(undefined);
});

test('without a default the call rejects', async () => {
  expect(await afterOneSecond()).toMatchObject({ error: { name: 'TimeoutError', message: 'hangs timed out after 1s' } });
  expect(await afterOneSecond({})).toMatchObject({ error: { name: 'TimeoutError' } });
});

test.each([['default'], [0], [null], [undefined]])('a default of %s is what it resolves to', async (value) => {
  expect(await afterOneSecond({ default: value })).toEqual({ value });
});

test('C4: a timeout that the operation reports is its own error', async () => {
  const theirs = new TimeoutError('the driver waited 5s', { timeoutMs: 5000, policy: 'timeout' });
  expect(await ending(withTimeout(() => Promise.reject(theirs), '1s', { default: 'default' }))).toEqual({ error: theirs });
});

test('C4: so is one of a call inside', async () => {
  const result = ending(withTimeout((call) => withTimeout(hangs, '1s', { parent: call, name: 'inner' }), '2s', { default: 'default' }));
  await time.clock.advance('1s');
  expect(await result).toMatchObject({ error: { message: 'inner timed out after 1s' } });
});

test('a limit that the options set around the call rejects', async () => {
  const result = ending(withTimeout(hangs, '1m', { default: 'default', timeout: '1s' }));
  const atDeadline = ending(withTimeout(hangs, '1m', { default: 'default', deadline: Deadline.in('1s') }));
  await time.clock.advance('1s');
  expect(await result).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
  expect(await atDeadline).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
});

test('C1: a cancellation rejects with the caller’s reason', async () => {
  const controller = new AbortController();
  const result = ending(withTimeout(hangs, '1s', { default: 'default', signal: controller.signal }));
  const reason = { the: 'reason' };
  controller.abort(reason);
  const outcome = await result;
  expect('error' in outcome && outcome.error).toBe(reason);
});

test('R4: output that was committed is not replaced', async () => {
  const work = scriptedOperation<string>();
  const result = ending(withTimeout(work.operation, '1s', { default: 'default' }));
  const { call } = await work.expectCall();
  call.commit();
  await time.clock.advance('1s');
  expect(await result).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
  work.open[0]?.resolve('too late');
});

test.each([0, -1, Number.NaN, 'soon', undefined])('F2: a limit of %s rejects', async (limit) => {
  await expect(withTimeout(hangs, limit as '1s')).rejects.toThrow('withTimeout: timeout must be a duration above 0');
});

test('the options reach the operation, the default does not', async () => {
  const calls: string[] = [];
  await withTimeout((call) => void calls.push(call.name), '1s', { name: 'loadUser', default: 'default' });
  expect(calls).toEqual(['loadUser']);
});
