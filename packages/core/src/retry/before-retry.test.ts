import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { attemptsOf, suppressedOf } from '../errors/history.ts';
import { OUTCOME } from '../outcome/classify.ts';
import { compose } from '../policy/compose.ts';
import { PROCEED } from '../policy/layer.ts';
import type { Call } from '../policy/policy.ts';
import { quotaOf } from '../policy/retry-allowances.test-support.ts';
import { limit, policyOf } from '../policy/test-layers.test-support.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { useRandom } from '../random/current-random.ts';
import { defaultClock } from '../time/current-clock.ts';
import type { BeforeRetryInfo } from './before-retry.ts';
import { type RetryOptions, retry } from './retry.ts';

const time = onVirtualTime();
const plain = { baseDelay: 100, jitter: 'none' } as const;
const reset = (): Error => new Error('reset');
const pause = (ms: number): Promise<void> => new Promise((resolve) => void defaultClock().schedule(ms, resolve));

/** When the attempts of a call begin that always fails. */
async function startsOf(options: RetryOptions, fail: () => unknown = () => Promise.reject(reset())): Promise<number[]> {
  const startsMs: number[] = [];
  const result = ending(
    retry({ ...plain, ...options }).execute(() => {
      startsMs.push(time.clock.nowMs());
      return fail();
    }),
  );
  await time.clock.advance('1m');
  await result;
  return startsMs;
}

describe('beforeRetry', () => {
  test('is waited for between attempts, and is told of each failure', async () => {
    let token = 'old';
    const seen: BeforeRetryInfo[] = [];
    const refresh = async (info: BeforeRetryInfo): Promise<void> => {
      seen.push(info);
      await pause(30);
      token = 'new';
    };
    const error = new Error('401');
    const result = retry({ ...plain, beforeRetry: refresh }).execute(() => {
      if (token === 'old') throw error;
      return token;
    });
    await time.clock.advance('1s');
    expect(await result).toBe('new');
    expect(seen).toEqual([{ attempts: 1, outcome: { ok: false, error }, delayMs: 100 }]);
  });

  test.each([
    ['shorter than the wait costs no time', 60, [0, 100, 300]],
    ['longer than the wait is waited for', 500, [0, 500, 1000]],
    ['synchronous costs none either', undefined, [0, 100, 300]],
  ])('%s', async (_, ms, expected) => {
    expect(await startsOf({ beforeRetry: () => (ms === undefined ? undefined : pause(ms)) })).toEqual(expected);
  });

  test('R2: a wait that was asked for is kept, from the failure on', async () => {
    using _random = useRandom({ next: () => 0 });
    const busy = Object.assign(new Error('busy'), { [OUTCOME]: { kind: 'throttled', retryAfterMs: 700 } });
    expect(await startsOf({ maxAttempts: 2, beforeRetry: () => pause(300) }, () => Promise.reject(busy))).toEqual([0, 700]);
  });

  test('runs in the async context of its caller, also after a timer that calls share', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const policy = compose(retry({ ...plain, maxAttempts: 2, beforeRetry: () => seen.push(storage.getStore()) }), limit(20));
    const calls = ['a', 'b'].map((name) => storage.run(name, () => ending(policy.execute(() => pause(1000)))));
    await time.clock.advance('10s');
    await Promise.all(calls);
    expect(seen).toEqual(['a', 'b']);
  });
});

describe('beforeRetry that throws', () => {
  const thrown = new Error('no token');
  const atThird = ({ attempts }: BeforeRetryInfo): void => {
    if (attempts === 3) throw thrown;
  };

  test('ends the call with its error, which has the history', async () => {
    const errors: Error[] = [];
    const failing = (): never => {
      errors.push(new Error(`no. ${errors.length + 1}`));
      throw errors.at(-1) as Error;
    };
    const result = ending(retry({ ...plain, maxAttempts: 9, beforeRetry: atThird }).execute(failing));
    await time.clock.advance('1m');
    expect(await result).toEqual({ error: thrown });
    expect(errors).toHaveLength(3);
    expect(attemptsOf(thrown)).toMatchObject([
      { attempt: 1, outcome: { error: errors[0] } },
      { attempt: 2, outcome: { error: errors[1] } },
    ]);
    expect(suppressedOf(thrown)).toEqual([errors[2]]);
  });

  test('the failure itself ends the call with that, as the operation’s own', async () => {
    const error = reset();
    const beforeRetry = async ({ outcome }: BeforeRetryInfo): Promise<void> => {
      if (!outcome.ok) throw outcome.error;
    };
    const result = retry({ ...plain, beforeRetry }).attempt(() => Promise.reject(error));
    expect(await result).toEqual({ ok: false, by: 'operation', error });
  });

  test('over a value disposes of it', async () => {
    let disposed = 0;
    const value = { [Symbol.dispose]: () => disposed++ };
    const options = { ...plain, handlesResult: () => true, beforeRetry: () => Promise.reject(reset()) };
    expect(await ending(retry(options).execute(() => value))).toMatchObject({ error: { message: 'reset' } });
    expect(disposed).toBe(1);
  });

  test('is not tried again by a retry around', async () => {
    const ran = vi.fn(() => Promise.reject(reset()));
    const policy = compose(retry(plain), retry({ ...plain, beforeRetry: () => Promise.reject(new Error('no token')) }));
    const result = ending(policy.execute(ran));
    await time.clock.advance('1m');
    expect(await result).toMatchObject({ error: { message: 'no token' } });
    expect(ran).toHaveBeenCalledTimes(1);
  });
});

describe('beforeRetry that is left while it runs', () => {
  const signals: AbortSignal[] = [];
  /** Takes a second, and does not listen to its signal. */
  const deaf = (_info: BeforeRetryInfo, { signal }: Call): Promise<void> => {
    signals.push(signal);
    return pause(1000);
  };
  const ran = vi.fn(() => Promise.reject(reset()));
  const budget = quotaOf(1);
  const policy = retry({ ...plain, budget, beforeRetry: deaf });

  beforeEach(() => {
    signals.length = 0;
    ran.mockClear();
  });

  async function nothingFollows(reason: unknown): Promise<void> {
    expect(signals.map((signal) => signal.reason)).toEqual([reason]);
    expect(budget.statistics()).toMatchObject({ balance: 1, granted: 0 }); // R3
    await time.clock.advance('1m');
    expect(ran).toHaveBeenCalledTimes(1);
  }

  test('C1, C2: by its caller: the call ends at once, with the reason', async () => {
    const controller = new AbortController();
    const result = policy.attempt(ran, { signal: controller.signal });
    await time.clock.advance(500);
    const reason = new Error('the user left');
    controller.abort(reason);
    expect(await result).toEqual({ ok: false, by: 'caller', error: reason });
    await nothingFollows(reason);
  });

  test('by the call’s own limit', async () => {
    const result = ending(policy.execute(ran, { timeout: 600 }));
    await time.clock.advance(600);
    const ended = await result;
    expect(ended).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
    await nothingFollows('error' in ended && ended.error);
  });

  test('by a limit around the retry', async () => {
    const result = ending(compose(limit(600, 'whole'), policy).execute(ran));
    await time.clock.advance(600);
    const ended = await result;
    expect(ended).toMatchObject({ error: { code: 'ERR_TIMEOUT', policy: 'whole' } });
    await nothingFollows('error' in ended && ended.error);
  });

  test('P1: and its work counts for the permits around it until it ends', async () => {
    let inside = 1;
    const permit = policyOf({ enter: () => PROCEED, release: () => void inside-- });
    const controller = new AbortController();
    const result = ending(compose(permit, policy).execute(ran, { signal: controller.signal }));
    await time.clock.advance(500);
    controller.abort('gone');
    expect(await result).toEqual({ error: 'gone' });
    await time.clock.advance(499);
    expect(inside).toBe(1);
    await time.clock.advance(1);
    expect(inside).toBe(0);
  });
});
