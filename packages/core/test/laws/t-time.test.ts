import { afterEach, describe, expect, test, vi } from 'vitest';
import { bulkhead } from '../../src/bulkhead/bulkhead.ts';
import { circuitBreaker } from '../../src/circuit-breaker/circuit-breaker.ts';
import { compose } from '../../src/policy/compose.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { rateLimit } from '../../src/rate-limiter/rate-limiter.ts';
import { retry } from '../../src/retry/retry.ts';
import { ctx } from '../../src/scope/ctx.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { ScheduledTimer } from '../../src/time/clock.ts';
import { useClock } from '../../src/time/current-clock.ts';
import { Deadline } from '../../src/time/deadline.ts';
import { systemClock } from '../../src/time/system-clock.ts';
import { timeout } from '../../src/timeout/timeout.ts';
import { deaf, endless, failIn, inTime, obedient } from '../support/work.ts';
import { HOST, ORDERS, stranger, threeAttempts } from './orders.ts';

const time = onVirtualTime();
const fail = (): never => {
  throw new Error('down');
};

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A clock whose date jumps with every look. */
class JumpyClock extends VirtualClock {
  #jumps = 0;

  override epochMs(): number {
    this.#jumps++;
    return super.epochMs() + (this.#jumps % 2 === 0 ? -1 : 1) * this.#jumps * 86_400_000;
  }
}

/** A clock whose timers fire up to 3 ms early. */
class EarlyClock extends VirtualClock {
  override schedule(delayMs: number, callback: () => void): ScheduledTimer {
    return super.schedule(delayMs > 5 ? delayMs - 3 : delayMs, callback);
  }
}

describe('T1 a date that jumps changes nothing', () => {
  test('in virtual time: timeout, backoff, tokens and recovery are what they are', async () => {
    using clock = useClock(new JumpyClock());
    const endedMs: number[] = [];
    const note = (): void => void endedMs.push(clock.nowMs());
    const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: 50 });
    const limiter = rateLimit({ limit: 10, period: '1s' });
    const ends = [
      timeout(40).execute(deaf(200, 1)).catch(note),
      threeAttempts().execute(fail).catch(note),
      Promise.all([limiter.execute(() => 1), limiter.execute(note)]),
      compose(retry({ baseDelay: 1, jitter: 'none' }), breaker)
        .execute(fail)
        .catch(note),
    ];
    await clock.advance(1000);
    await Promise.all(ends);
    expect(endedMs.toSorted((a, b) => a - b)).toEqual([40, expect.closeTo(55, -1), 100, 200]);
    await time.clock.advance(1000);
  });

  test('on the clock of the machine', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    using _clock = useClock(systemClock);
    const result = ending(timeout('5s').execute(endless));
    vi.setSystemTime(Date.now() + 10_000_000);
    await vi.advanceTimersByTimeAsync(4999);
    vi.setSystemTime(0);
    let isOver = false;
    void result.then(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(0);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await result).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
  });
});

describe('T2 the longest of times', () => {
  test('Infinity sets no timer', async () => {
    const set = vi.spyOn(time.clock, 'schedule');
    const policy = compose(timeout(Number.POSITIVE_INFINITY), threeAttempts(), timeout(Number.POSITIVE_INFINITY));
    let left: number | undefined;
    await policy.execute((call) => (left = call.remainingMs()), { timeout: Number.POSITIVE_INFINITY });
    expect(left).toBe(Number.POSITIVE_INFINITY);
    expect(set).not.toHaveBeenCalled();
  });

  test.each([
    ['a timeout', timeout('2000h'), undefined],
    ['a call’s own timeout', timeout(Number.POSITIVE_INFINITY), '2000h'],
  ] as const)('beyond 2^31-1 ms %s does not fire at once, but when it should', async (_name, policy, own) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    using _clock = useClock(systemClock);
    const set = vi.spyOn(globalThis, 'setTimeout');
    let isOver = false;
    const result = ending(policy.execute(endless, { timeout: own })).finally(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(2000 * 3_600_000 - 1);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await result).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
    for (const [, delayMs] of set.mock.calls) expect(delayMs).toBeLessThan(2 ** 31);
  });
});

test('T3 a timer that wakes early looks again', async () => {
  using clock = useClock(new EarlyClock());
  const ends: Record<string, number> = {};
  const note = (name: string) => (): void => {
    ends[name] = clock.nowMs();
  };
  const limiter = rateLimit({ limit: 10, period: '1s' });
  let starts = 0;
  const all = [
    timeout(100).execute(deaf(500, 1)).catch(note('timeout')),
    timeout(Number.POSITIVE_INFINITY).execute(deaf(500, 1), { timeout: 150 }).catch(note('call')),
    timeout(Number.POSITIVE_INFINITY)
      .execute(deaf(500, 1), { deadline: Deadline.in(170) })
      .catch(note('deadline')),
    threeAttempts().execute(() => (starts++ === 0 ? fail() : note('backoff')())),
    Promise.all([limiter.execute(() => 1), limiter.execute(note('token'))]),
  ];
  await clock.advance(1000);
  await Promise.all(all);
  await time.clock.advance(1000);
  expect(ends).toEqual({ timeout: 100, call: 150, deadline: 170, backoff: 100, token: 100 });
});

describe('T4 the least of all limits wins', () => {
  const limits = [
    ['the outer', [50, 100], undefined, undefined],
    ['the inner', [100, 50], undefined, undefined],
    ['the call’s', [100, 100], 50, undefined],
    ['the deadline', [100, 100], 80, 50],
  ] as const;

  test.each(limits)('%s', async (_name, [outer, inner], own, deadline) => {
    let left: number | undefined;
    const policy = compose(timeout(outer), threeAttempts(), timeout(inner));
    const options = { timeout: own, deadline: deadline === undefined ? undefined : Deadline.in(deadline) };
    const result = policy.execute((call) => {
      left = call.remainingMs();
      return inTime(500, 1);
    }, options);
    await time.clock.settle();
    expect(left).toBe(50);
    void result.catch(() => {});
    await time.clock.advance(1000);
  });

  test('the parent’s limit bounds a call inside, in an engine of its own and beneath a stranger', async () => {
    const left: number[] = [];
    const inner = compose(stranger(), timeout('1m'));
    const result = ending(
      timeout(100).execute((call) =>
        inner.execute(
          (nested) => {
            left.push(nested.remainingMs());
            return obedient(500, 1)(nested);
          },
          { parent: call },
        ),
      ),
    );
    await time.clock.advance(100);
    expect(await result).toMatchObject({ error: { timeoutMs: 100 } });
    expect(left).toEqual([100]);
  });

  test('the scope’s limit bounds the calls inside', async () => {
    let left: number | undefined;
    const result = ending(
      ctx.scope('app', { timeout: 70 }, () =>
        timeout(100).execute((call) => {
          left = call.remainingMs();
          return obedient(500, 1)(call);
        }),
      ),
    );
    await time.clock.advance(70);
    expect(await result).toMatchObject({ error: { code: 'ERR_TIMEOUT', timeoutMs: 70 } });
    expect(left).toBe(70);
  });
});

describe('T4 what cannot fit what remains is refused at once', () => {
  const at = async (policy: Policy<unknown, unknown>, ms: number): Promise<unknown> => {
    const result = await ending(policy.execute(fail, { timeout: ms }));
    expect(time.clock.nowMs()).toBe(0);
    return 'error' in result ? result.error : result;
  };

  test.each(ORDERS)('a backoff in $name: with the error it has', async ({ make }) => {
    const { policy } = make();
    const error = await ending(policy.execute(fail, { ...HOST, timeout: 100 }));
    expect(error).toMatchObject({ error: { message: 'down' } });
    expect(time.clock.nowMs()).toBe(0);
    expect(time.clock.pendingTimers).toBe(0);
  });

  test('a wait for a token: with the limiter’s own code, and without a debt', async () => {
    const limiter = rateLimit({ limit: 1, period: '1s' });
    await limiter.execute(() => 1);
    expect(await at(limiter, 500)).toMatchObject({ code: 'ERR_RATE_LIMITED', retryAfterMs: 1000 });
    expect(await at(compose(timeout(500), limiter), 900)).toMatchObject({ code: 'ERR_RATE_LIMITED' });
    expect(limiter.statistics()).toMatchObject({ waiting: 0, waitMs: 1000 });
  });

  test('a wait for an open breaker: with the breaker’s own code', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '10s' });
    await ending(breaker.execute(fail));
    expect(await at(compose(retry(), breaker), 5000)).toMatchObject({ code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 10_000 });
  });

  test('a wait in a queue, whose length nobody knows, ends at the limit', async () => {
    const permits = bulkhead({ maxConcurrency: 1 });
    const first = permits.execute(deaf(500, 1));
    const waiting = ending(compose(timeout(100), permits).execute(() => 2));
    await time.clock.advance(100);
    expect(await waiting).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
    expect(permits.statistics().waiting).toBe(0);
    await time.clock.advance(400);
    await first;
  });

  test('a call whose deadline has passed runs nothing', async () => {
    const ran = vi.fn();
    const deadline = Deadline.in(100);
    await time.clock.advance(100);
    for (const { make } of ORDERS) {
      expect(await ending(make().policy.execute(ran, { ...HOST, deadline }))).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
    }
    expect(ran).not.toHaveBeenCalled();
  });

  test('time in the queue counts for the whole, not for the attempt', async () => {
    const permits = bulkhead({ maxConcurrency: 1 });
    const first = permits.execute(deaf(800, 1));
    const policy = compose(timeout(1000), permits, timeout(100));
    const quick = ending(policy.execute(deaf(50, 'quick')));
    const slow = ending(policy.execute(obedient(500, 'slow')));
    await time.clock.advance(1000);
    expect(await quick).toEqual({ value: 'quick' });
    expect(await slow).toMatchObject({ error: { timeoutMs: 100 } });
    await first;
  });
});

describe('T5 what somebody awaits holds the process, housekeeping does not', () => {
  const waits: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['a timeout', () => timeout(50).execute(endless)],
    ['a call’s own timeout', () => threeAttempts().execute(endless, { timeout: 50 })],
    ['a deadline', () => threeAttempts().execute(endless, { deadline: Deadline.in(50) })],
    ['a backoff', () => threeAttempts().execute(fail)],
    [
      'a token',
      async () => {
        const limiter = rateLimit({ limit: 10, period: '1s' });
        await limiter.execute(() => 1);
        await limiter.execute(() => 2);
      },
    ],
  ];

  test.each(waits)('%s holds it while it is awaited, and no longer', async (_name, wait) => {
    const result = ending(wait());
    await time.clock.settle();
    expect(time.clock.pendingTimers).toBeGreaterThan(0);
    await time.clock.advance(1000);
    await result;
    expect(time.clock.pendingTimers).toBe(0);
  });

  test('nor does an engine that is idle, whatever it has done', async () => {
    for (const { make } of ORDERS) await make().policy.execute(() => 1, HOST);
    for (const { make } of ORDERS) await make().policy.execute(() => 1, { ...HOST, timeout: '1h' });
    for (const { make } of ORDERS) await make().policy.execute(() => 1, { ...HOST, deadline: Deadline.in('1h') });
    await time.clock.settle();
    expect(time.clock.pendingTimers).toBe(0);
    const failing = Promise.all(ORDERS.map(({ make }) => ending(make().policy.execute(() => failIn(10, 1), { ...HOST, timeout: '1m' }))));
    await time.clock.advance('1m');
    await failing;
    expect(time.clock.pendingTimers).toBe(0);
  });
});
