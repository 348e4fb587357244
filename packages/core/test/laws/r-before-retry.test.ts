import { describe, expect, test, vi } from 'vitest';
import { bulkhead } from '../../src/bulkhead/bulkhead.ts';
import { OUTCOME } from '../../src/outcome/classify.ts';
import { compose } from '../../src/policy/compose.ts';
import type { Call } from '../../src/policy/policy.ts';
import { ALLOWANCES } from '../../src/policy/retry-allowances.test-support.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { useRandom } from '../../src/random/current-random.ts';
import { retry } from '../../src/retry/retry.ts';
import { timeout } from '../../src/timeout/timeout.ts';
import { endless, failIn, inTime } from '../support/work.ts';
import { stranger, threeAttempts } from './orders.ts';

const time = onVirtualTime();
const options = { maxAttempts: 3, baseDelay: 100, jitter: 'none' } as const;
const fail = (): never => {
  throw new Error('down');
};

test('R2 a wait that was asked for counts from the failure, however long beforeRetry takes of it', async () => {
  using _random = useRandom({ next: () => 0 });
  const startsMs: number[] = [];
  const result = ending(
    retry({ ...options, beforeRetry: () => inTime(3000, undefined) }).execute(() => {
      startsMs.push(time.clock.nowMs());
      throw Object.assign(new Error('busy'), { [OUTCOME]: { kind: 'throttled', retryAfterMs: 5000 } });
    }),
  );
  await time.clock.advance('1m');
  await result;
  expect(startsMs).toEqual([0, 5000, 10_000]);
});

describe.each(ALLOWANCES)('R3 what a %s has granted comes back', (_name, granting) => {
  test('where beforeRetry throws', async () => {
    const budget = granting(1);
    const policy = retry({ ...options, budget, beforeRetry: () => failIn(50, new Error('no token')) });
    const result = ending(policy.execute(fail));
    await time.clock.settle();
    expect(budget.statistics()).toMatchObject({ balance: 0, granted: 1 }); // it counts while the hook runs
    await time.clock.advance(50);
    expect(await result).toMatchObject({ error: { message: 'no token' } });
    expect(budget.statistics()).toMatchObject({ balance: 1, granted: 0 });
  });

  test.each([
    ['its caller', (signal: AbortSignal) => ({ signal })],
    ['its limit', () => ({ timeout: 500 })],
  ] as const)('where the call is ended by %s while beforeRetry runs', async (_who, callOptions) => {
    const budget = granting(1);
    const controller = new AbortController();
    const policy = compose(
      bulkhead({ maxConcurrency: 1 }),
      stranger(),
      retry({ ...options, budget, beforeRetry: (_info, call) => endless(call) }),
    );
    const result = ending(policy.execute(fail, callOptions(controller.signal)));
    await time.clock.advance(500);
    controller.abort('gone');
    await result;
    expect(budget.statistics()).toMatchObject({ balance: 1, granted: 0 });
  });

  test('where output leaves while beforeRetry runs', async () => {
    const budget = granting(1);
    const beforeRetry = vi.fn(() => inTime(60, undefined));
    const ran = vi.fn(async (call: Call) => {
      await inTime(40, undefined);
      call.commit();
    });
    const result = ending(compose(retry({ ...options, budget, beforeRetry }), timeout('20ms')).execute(ran));
    await time.clock.advance('1m');
    expect(await result).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
    expect(beforeRetry).toHaveBeenCalledTimes(1);
    expect(ran).toHaveBeenCalledTimes(1);
    expect(budget.statistics()).toMatchObject({ balance: 1, granted: 0 });
  });
});

test('R4 nothing is tried again after output has started, whatever beforeRetry does', async () => {
  const ran = vi.fn((call: Call) => {
    call.commit();
    return fail();
  });
  const result = ending(retry({ ...options, beforeRetry: () => inTime(10, undefined) }).execute(ran));
  await time.clock.advance('1m');
  expect(await result).toMatchObject({ error: { message: 'down' } });
  expect(ran).toHaveBeenCalledTimes(1);
});

test('R5 beforeRetry is not called for what must not be done twice', async () => {
  const beforeRetry = vi.fn();
  expect(await ending(retry({ ...options, beforeRetry }).execute(fail, { idempotent: false }))).toMatchObject({
    error: { message: 'down' },
  });
  expect(beforeRetry).not.toHaveBeenCalled();
});

test('R7 what beforeRetry threw is not tried again by a retry around', async () => {
  const ran = vi.fn(fail);
  const result = ending(compose(threeAttempts(), retry({ ...options, beforeRetry: fail })).execute(ran));
  await time.clock.advance('1m');
  expect(await result).toMatchObject({ error: { message: 'down' } });
  expect(ran).toHaveBeenCalledTimes(1);
});
