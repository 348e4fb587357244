import { expect, test, vi } from 'vitest';
import { fallback } from '../../src/fallback/fallback.ts';
import { compose } from '../../src/policy/compose.ts';
import type { Call } from '../../src/policy/policy.ts';
import { ALLOWANCES } from '../../src/policy/retry-allowances.test-support.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { retry } from '../../src/retry/retry.ts';
import { timeout } from '../../src/timeout/timeout.ts';
import { inTime } from '../support/work.ts';
import { threeAttempts } from './orders.ts';

const time = onVirtualTime();
const fail = (): never => {
  throw new Error('down');
};

test.each([
  ['a value', fallback('instead')],
  ['an operation', fallback(() => 'instead')],
] as const)('R4 nor is it replaced by %s', async (_name, around) => {
  const result = ending(
    compose(around, threeAttempts(), timeout('1s')).execute((call) => {
      call.commit();
      throw new Error('half of it is out');
    }),
  );
  expect(await result).toMatchObject({ error: { message: 'half of it is out' } });
});

test('R4 output of an abandoned attempt that comes during the backoff ends the retry with what it has', async () => {
  const starts: number[] = [];
  const policy = compose(retry({ baseDelay: 60, jitter: 'none' }), timeout('20ms'));
  const result = ending(
    policy.execute(async (call: Call) => {
      starts.push(call.attempt);
      await inTime(40, undefined);
      call.commit();
      return 'too late';
    }),
  );
  await time.clock.advance('1s');
  expect(await result).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
  expect(starts).toEqual([1]);
});

test('R4 output of any attempt counts, also of one that was abandoned before the last', async () => {
  const starts: number[] = [];
  const policy = compose(retry({ maxAttempts: 5, baseDelay: 60, jitter: 'none', backoff: 'constant' }), timeout('20ms'));
  const result = ending(
    policy.execute(async (call: Call) => {
      starts.push(call.attempt);
      if (call.attempt > 1) throw new Error('down');
      await inTime(100, undefined); // the second attempt has failed at 80, the third would be made at 140
      call.commit();
      return 'too late';
    }),
  );
  await time.clock.advance('1s');
  expect(await result).toMatchObject({ error: { message: 'down' } });
  expect(starts).toEqual([1, 2]);
});

test('R4 output that leaves while beforeRetry runs ends the retry without the backoff of an attempt that is not made', async () => {
  let endedMs = Number.NaN;
  const policy = compose(retry({ baseDelay: 500, jitter: 'none', beforeRetry: () => inTime(60, undefined) }), timeout('20ms'));
  const result = ending(
    policy.execute(async (call: Call) => {
      await inTime(40, undefined);
      call.commit();
      return 'too late';
    }),
  ).finally(() => {
    endedMs = time.clock.nowMs();
  });
  await time.clock.advance('1s');
  expect(await result).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
  expect(endedMs).toBe(80);
});

test.each(ALLOWANCES)('R4 what a %s has granted for such an attempt is given back', async (_name, granting) => {
  const budget = granting(1);
  await ending(
    retry({ budget }).execute((call) => {
      call.commit();
      return fail();
    }),
  );
  expect(budget.statistics()).toMatchObject({ balance: 1, granted: 0 });
});

test('R4 output that a call inside has let out counts for the attempt around it', async () => {
  const ran = vi.fn((call: Call) =>
    timeout('1s').execute(
      (nested) => {
        nested.commit();
        return fail();
      },
      { parent: call },
    ),
  );
  const result = ending(threeAttempts().execute(ran));
  await time.clock.advance('1m');
  await result;
  expect(ran).toHaveBeenCalledTimes(1);
});
