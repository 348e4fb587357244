import { expect, test } from 'vitest';
import { CancelToken } from '../cancel/cancel-token.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { sleepUnder } from './sleep.ts';

const time = onVirtualTime();

test('ends when its time has passed, and leaves nothing below its token', async () => {
  const token = new CancelToken();
  const sleep = ending(sleepUnder(time.clock, token, 1000));
  expect(token.hasLinks).toBe(true);
  await time.clock.advance('1s');
  expect(await sleep).toEqual({ value: undefined });
  expect(token.hasLinks).toBe(false);
});

test('C2: ends at once when its token is cancelled, and leaves no timer', async () => {
  const token = new CancelToken();
  const sleep = ending(sleepUnder(time.clock, token, 1000));
  token.cancel('stop');
  expect(time.clock.pendingTimers).toBe(0);
  expect(await sleep).toEqual({ error: 'stop' });
});

test('C6: does not begin under a token that was cancelled', async () => {
  const token = new CancelToken();
  token.cancel('stop');
  expect(await ending(sleepUnder(time.clock, token, 1000))).toEqual({ error: 'stop' });
  expect([time.clock.pendingTimers, token.hasLinks]).toEqual([0, false]);
});
