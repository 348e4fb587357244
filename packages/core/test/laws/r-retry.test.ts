import { describe, expect, test, vi } from 'vitest';
import { bulkhead } from '../../src/bulkhead/bulkhead.ts';
import { circuitBreaker } from '../../src/circuit-breaker/circuit-breaker.ts';
import { attemptsOf } from '../../src/errors/history.ts';
import { KeelsonError } from '../../src/errors/keelson-error.ts';
import { type KeelsonEvent, listen } from '../../src/observe/events.ts';
import { OUTCOME } from '../../src/outcome/classify.ts';
import { compose } from '../../src/policy/compose.ts';
import type { Call, Policy } from '../../src/policy/policy.ts';
import { quotaOf } from '../../src/policy/retry-allowances.test-support.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { useRandom } from '../../src/random/current-random.ts';
import { rateLimit } from '../../src/rate-limiter/rate-limiter.ts';
import { type RetryOptions, retry } from '../../src/retry/retry.ts';
import { timeout } from '../../src/timeout/timeout.ts';
import { inTime } from '../support/work.ts';
import { HOST, ORDERS, stranger, threeAttempts } from './orders.ts';

const time = onVirtualTime();
const fail = (): never => {
  throw new Error('down');
};

/** The delays between the attempts of one call that always fails, if chance says `random`. */
async function delaysOf(options: RetryOptions, random: number, operation: () => unknown = fail): Promise<number[]> {
  const delays: number[] = [];
  using _random = useRandom({ next: () => random });
  using _listening = listen('retry', (event: KeelsonEvent & { delayMs?: number }) => {
    if (event.type === 'retrying') delays.push(event.delayMs as number);
  });
  const result = ending(retry(options).execute(operation));
  await time.clock.advance('1h');
  await result;
  return delays;
}

const busy = (retryAfterMs: number): Error => Object.assign(new Error('busy'), { [OUTCOME]: { kind: 'throttled', retryAfterMs } });

describe('R1 the cap comes before the jitter', () => {
  const capped = { maxAttempts: 6, baseDelay: 100, maxDelay: 300 } as const;

  test.each([
    ['none', 0.5, [100, 200, 300, 300, 300]],
    ['full', 0.5, [50, 100, 150, 150, 150]],
    ['full', 0.99, [99, 198, 297, 297, 297]],
    ['equal', 0.5, [75, 150, 225, 225, 225]],
    [{ plusOrMinus: 0.5 }, 0, [50, 100, 100, 100, 100]],
    [{ plusOrMinus: 0.5 }, 0.5, [100, 200, 200, 200, 200]],
  ] as const)('%j jitter where chance says %f', async (jitter, random, expected) => {
    expect(await delaysOf({ ...capped, jitter }, random)).toEqual(expected.map((ms) => expect.closeTo(ms, 6)));
  });

  test.each(['decorrelated', 'smooth'] as const)('%s jitter is still spread at the cap', async (jitter) => {
    const low = await delaysOf({ ...capped, jitter }, 0.2);
    const high = await delaysOf({ ...capped, jitter }, 0.9);
    expect(Math.max(...high)).toBeLessThanOrEqual(300);
    expect(low.at(-1)).toBeLessThan(0.9 * (high.at(-1) as number));
  });
});

describe('R2 what the callee asks for is waited for', () => {
  test.each([
    ['no jitter', 0, 5000],
    ['some jitter', 0.5, 5500],
  ])('with %s', async (_name, random, expected) => {
    let starts = 0;
    const delays = await delaysOf({ baseDelay: 10, maxDelay: '30s' }, random, () => {
      if (starts++ === 0) throw busy(5000);
    });
    expect(delays).toEqual([expected]);
  });

  test('if that fits the deadline; else the call fails at once with the error it has', async () => {
    const error = busy(5000);
    const policy = compose(timeout('4s'), retry({ maxDelay: '1h' }));
    expect(await ending(policy.execute(() => Promise.reject(error)))).toEqual({ error });
    expect(time.clock.nowMs()).toBe(0);
  });

  test('the jitter never pushes it beyond the deadline', async () => {
    using _random = useRandom({ next: () => 0.999 });
    let starts = 0;
    const result = compose(timeout(5001), retry()).execute(() => {
      if (starts++ === 0) throw busy(5000);
      return time.clock.nowMs();
    });
    await time.clock.advance('6s');
    expect(await result).toBeLessThan(5001);
  });

  test('where there is no deadline, if it is no longer than maxDelay', async () => {
    expect(await delaysOf({ maxDelay: '4s' }, 0, () => Promise.reject(busy(5000)))).toEqual([]);
    expect(await delaysOf({ maxDelay: '5s', maxAttempts: 2 }, 0, () => Promise.reject(busy(5000)))).toEqual([5000]);
  });

  test('so is an open breaker, until it lets a probe through', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '5s' });
    using _random = useRandom({ next: () => 0 });
    let starts = 0;
    const result = compose(retry({ maxAttempts: 3, baseDelay: 1, jitter: 'none' }), breaker).execute(() => {
      if (starts++ === 0) fail();
      return time.clock.nowMs();
    });
    await time.clock.advance('10s');
    expect(await result).toBe(5000);
  });

  test('and one that is half-open with its probes out', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1s', probeLease: 800 });
    using _random = useRandom({ next: () => 0 });
    await ending(breaker.execute(fail));
    await time.clock.advance('1s');
    const probe = breaker.execute(() => inTime(500, 'probe'));
    const result = compose(retry({ maxAttempts: 2 }), breaker).execute(() => time.clock.nowMs());
    await time.clock.advance('10s');
    expect(await probe).toBe('probe');
    expect(await result).toBe(1800); // the rest of the lease
  });

  test('such a wait costs an attempt, but nothing of the budget', async () => {
    const budget = quotaOf(1);
    let starts = 0;
    const result = ending(
      retry({ maxAttempts: 3, budget }).execute(() => {
        starts++;
        throw busy(100);
      }),
    );
    await time.clock.advance('1m');
    expect(await result).toMatchObject({ error: { message: 'busy' } });
    expect(starts).toBe(3);
    expect(budget.statistics()).toMatchObject({ balance: 1, granted: 0 });
  });
});

describe.each(ORDERS)('in $name', ({ make }) => {
  test('R4 nothing is tried again after output has started', async () => {
    const ran = vi.fn((call: Call) => {
      call.commit();
      throw new Error('half of it is out');
    });
    const result = ending(make().policy.execute(ran, HOST));
    await time.clock.advance('1m');
    expect(await result).toMatchObject({ error: { message: 'half of it is out' } });
    expect(ran).toHaveBeenCalledTimes(1);
  });

  test('R5 nor what is not idempotent', async () => {
    const ran = vi.fn(fail);
    const result = ending(make().policy.execute(ran, { ...HOST, idempotent: false }));
    await time.clock.advance('1m');
    expect(await result).toMatchObject({ error: { message: 'down' } });
    expect(ran).toHaveBeenCalledTimes(1);
  });

  test('R7 three attempts are three, however many retries stand around each other', async () => {
    const ran = vi.fn(fail);
    const result = ending(make().policy.execute(ran, HOST));
    await time.clock.advance('1m');
    expect(await result).toMatchObject({ error: { message: 'down' } });
    expect(ran).toHaveBeenCalledTimes(3);
  });
});

describe('R6 a retry passes what is inside anew', () => {
  test('the rate limiter', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s' });
    const startedMs: number[] = [];
    const result = ending(
      compose(threeAttempts(), limiter).execute(() => {
        startedMs.push(time.clock.nowMs());
        return fail();
      }),
    );
    await time.clock.advance('10s');
    await result;
    expect(startedMs).toEqual([0, 1000, 2000]);
  });

  test('the bulkhead, which others may have meanwhile', async () => {
    const permits = bulkhead({ maxConcurrency: 1 });
    const order: string[] = [];
    let starts = 0;
    const first = compose(threeAttempts(), permits).execute(() => {
      order.push('first');
      return starts++ === 0 ? fail() : 'ok';
    });
    await time.clock.advance(50);
    await permits.execute(() => order.push('second'));
    await time.clock.advance(50);
    await first;
    expect(order).toEqual(['first', 'second', 'first']);
  });

  test.each([
    ['around it, each attempt counts', (breaker: Policy<unknown, unknown>) => compose(threeAttempts(), breaker), 'open'],
    ['inside it, each call counts', (breaker: Policy<unknown, unknown>) => compose(breaker, threeAttempts()), 'closed'],
  ] as const)('a breaker: with the retry %s', async (_name, around, state) => {
    const breaker = circuitBreaker({ failureThreshold: 3 });
    const result = ending(around(breaker).execute(fail));
    await time.clock.advance('1s');
    await result;
    expect(breaker.state).toBe(state);
  });
});

describe('R7 nested retries', () => {
  const outer = (): Policy<unknown, unknown> => threeAttempts();

  test.each([
    ['side by side in one composition', () => compose(outer(), outer())],
    ['with a stranger between', () => compose(outer(), stranger(), timeout('10s'), outer())],
    ['three deep', () => compose(outer(), compose(outer(), compose(outer())))],
  ] as const)('%s make three attempts', async (_name, make) => {
    const ran = vi.fn(fail);
    const result = ending(make().execute(ran));
    await time.clock.advance('1m');
    await result;
    expect(ran).toHaveBeenCalledTimes(3);
  });

  test('in engines of their own do so too, also where the error was wrapped', async () => {
    const ran = vi.fn(fail);
    const result = ending(
      outer().execute((call) =>
        outer()
          .execute(ran, { parent: call })
          .catch((error: unknown) => {
            throw new Error('the client failed', { cause: error });
          }),
      ),
    );
    await time.clock.advance('1m');
    expect(await result).toMatchObject({ error: { message: 'the client failed' } });
    expect(ran).toHaveBeenCalledTimes(3);
  });

  test('multiply where that is asked for', async () => {
    const ran = vi.fn(fail);
    const multiplying = retry({ maxAttempts: 3, baseDelay: 1, jitter: 'none', nested: 'multiply' });
    const result = ending(compose(multiplying, outer()).execute(ran));
    await time.clock.advance('1m');
    await result;
    expect(ran).toHaveBeenCalledTimes(9);
  });

  test('number their attempts by the innermost, and say what came before', async () => {
    const attempts: number[] = [];
    const result = ending(
      compose(outer(), timeout('1m'), outer()).execute((call) => {
        attempts.push(call.attempt);
        return fail();
      }),
    );
    await time.clock.advance('1m');
    const ended = await result;
    expect(attempts).toEqual([1, 2, 3]);
    expect(attemptsOf('error' in ended ? ended.error : undefined).map(({ attempt }) => attempt)).toEqual([1, 2]);
  });
});

test('a refusal in this process is tried again only when it says when', async () => {
  const ran = vi.fn(() => {
    throw new KeelsonError('ERR_BULKHEAD_FULL', 'full');
  });
  const result = ending(threeAttempts().execute(ran));
  await time.clock.advance('1m');
  await result;
  expect(ran).toHaveBeenCalledTimes(1);
});
