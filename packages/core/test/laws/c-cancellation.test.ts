import { describe, expect, test, vi } from 'vitest';
import { circuitBreaker } from '../../src/circuit-breaker/circuit-breaker.ts';
import { suppressedOf } from '../../src/errors/history.ts';
import { listen } from '../../src/observe/events.ts';
import { compose } from '../../src/policy/compose.ts';
import type { Call, Operation } from '../../src/policy/policy.ts';
import { policyFrom } from '../../src/policy/policy-from.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { rateLimit } from '../../src/rate-limiter/rate-limiter.ts';
import { retry } from '../../src/retry/retry.ts';
import { ctx } from '../../src/scope/ctx.ts';
import { timeout } from '../../src/timeout/timeout.ts';
import { deaf, failIn, inTime, obedient } from '../support/work.ts';
import { HOST, ORDERS, threeAttempts } from './orders.ts';

const time = onVirtualTime();
const REASON = { reason: 'the caller left' };
const errorOf = (ended: Awaited<ReturnType<typeof ending>>): unknown => ('error' in ended ? ended.error : undefined);
const fail = (): never => {
  throw new Error('down');
};

describe.each(ORDERS)('in $name', ({ make }) => {
  test('C1 whoever aborts a running call gets the reason back, the same object, and is told that it was the caller', async () => {
    const { policy, bulkhead } = make();
    const controller = new AbortController();
    const result = policy.attempt(deaf(500, 1), { ...HOST, signal: controller.signal });
    await time.clock.advance(10);
    controller.abort(REASON);
    const outcome = await result;
    expect(outcome).toMatchObject({ ok: false, by: 'caller' });
    expect(outcome.ok ? undefined : outcome.error).toBe(REASON);
    expect(time.clock.nowMs()).toBe(10);
    await time.clock.advance(1000);
    expect(bulkhead.statistics()).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  test('C1 just before a deadline the reason comes back, not a timeout', async () => {
    const { policy } = make();
    const controller = new AbortController();
    const result = ending(policy.execute(deaf(2000, 1), { ...HOST, signal: controller.signal, timeout: 1000 }));
    await time.clock.advance(999);
    controller.abort(REASON);
    await time.clock.advance(5000);
    expect(errorOf(await result)).toBe(REASON);
  });

  test('C2 a call that is aborted before it begins runs nothing and takes nothing', async () => {
    const { policy, bulkhead } = make();
    const ran = vi.fn();
    expect(await ending(policy.execute(ran, { ...HOST, signal: AbortSignal.abort(REASON) }))).toEqual({ error: REASON });
    expect(ran).not.toHaveBeenCalled();
    expect(bulkhead.statistics()).toMatchObject({ inFlight: 0, waiting: 0, refused: 0 });
  });

  test('C2 a queued call leaves at once, and the others keep their order', async () => {
    const { policy, bulkhead } = make();
    const controller = new AbortController();
    const order: number[] = [];
    const first = policy.execute(deaf(500, 0), HOST);
    const queued = [1, 2, 3].map((index) =>
      ending(policy.execute(() => order.push(index), { ...HOST, signal: index === 2 ? controller.signal : undefined })),
    );
    await time.clock.settle();
    expect(bulkhead.statistics().waiting).toBe(3);
    controller.abort(REASON);
    expect(bulkhead.statistics().waiting).toBe(2);
    expect(await queued[1]).toEqual({ error: REASON });
    expect(time.clock.nowMs()).toBe(0);
    await time.clock.advance(500);
    await Promise.all([first, ...queued]);
    expect(order).toEqual([1, 3]);
  });

  test('C2 an abort ends a backoff at once, and no attempt follows', async () => {
    const { policy } = make();
    const controller = new AbortController();
    const ran = vi.fn(fail);
    const result = ending(policy.execute(ran, { ...HOST, signal: controller.signal }));
    await time.clock.advance(50);
    controller.abort(REASON);
    expect(await result).toEqual({ error: REASON });
    expect(time.clock.nowMs()).toBe(50);
    expect(time.clock.pendingTimers).toBe(0);
    await time.clock.advance('1m');
    expect(ran).toHaveBeenCalledTimes(1);
  });

  test('C2 an abort from inside an attempt that then fails is not followed by another', async () => {
    const { policy } = make();
    const controller = new AbortController();
    const ran = vi.fn(() => {
      controller.abort(REASON);
      throw new Error('down');
    });
    expect(await ending(policy.execute(ran, { ...HOST, signal: controller.signal }))).toEqual({ error: REASON });
    await time.clock.advance('1m');
    expect(ran).toHaveBeenCalledTimes(1);
  });

  test('C4 an error is told by identity, not by its name: an AbortError of the operation’s own is tried again', async () => {
    const { policy } = make();
    let starts = 0;
    const result = ending(
      policy.execute(() => {
        if (starts++ === 0) throw new DOMException('connection aborted', 'AbortError');
        return 'second';
      }, HOST),
    );
    await time.clock.advance(100);
    expect(await result).toEqual({ value: 'second' });
  });

  test('C5 a signal that many calls share has one listener, and none when they are over', async () => {
    const { policy } = make();
    const { signal } = new AbortController();
    const [added, removed] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
    const results = Array.from({ length: 8 }, () => policy.execute(deaf(10, 1), { ...HOST, signal }));
    await time.clock.advance(80);
    await Promise.all(results);
    await time.clock.settle();
    expect(added).toHaveBeenCalledTimes(1);
    expect(removed).toHaveBeenCalledTimes(1);
  });

  test('C6 under a call that was cancelled everything rejects, again and again, with the same reason', async () => {
    const { policy } = make();
    const controller = new AbortController();
    let call: Call | undefined;
    const result = ending(
      policy.execute(
        (own) => {
          call = own;
          return inTime(50, 1);
        },
        { ...HOST, signal: controller.signal },
      ),
    );
    await time.clock.settle();
    controller.abort(REASON);
    await result;
    const ran = vi.fn();
    for (let i = 0; i < 3; i++) {
      expect(await ending(policy.execute(ran, { ...HOST, parent: call }))).toEqual({ error: REASON });
      expect(() => call?.throwIfCancelled()).toThrow(expect.objectContaining(REASON));
    }
    expect(ran).not.toHaveBeenCalled();
    await time.clock.advance(50);
  });

  test('C7 success does not abort the signal, nor does anything later', async () => {
    const { policy } = make();
    const controller = new AbortController();
    let signal: AbortSignal | undefined;
    const run: Operation<unknown> = (call) => {
      signal = call.signal;
    };
    await policy.execute(run, { ...HOST, signal: controller.signal, timeout: 100 });
    await time.clock.advance('1h');
    controller.abort(REASON);
    expect(signal?.aborted).toBe(false);
  });

  test('C7 what a call holds is still cancelled by its caller', async () => {
    const { policy } = make();
    const controller = new AbortController();
    let signal: AbortSignal | undefined;
    const head = await policy.execute(
      (call) => {
        signal = call.signal;
        call.hold(inTime(500, 'the body'));
        return 'the head';
      },
      { ...HOST, signal: controller.signal },
    );
    expect(head).toBe('the head');
    controller.abort(REASON);
    expect(signal?.reason).toBe(REASON);
    await time.clock.advance(500);
  });

  test('C8 the permit, the deadline and the signal live until what the operation holds has settled', async () => {
    const { policy, bulkhead } = make();
    let call: Call | undefined;
    await policy.execute(
      (own) => {
        call = own;
        own.hold(inTime(300, 'the body'));
        return 'the head';
      },
      { ...HOST, timeout: 200 },
    );
    expect(bulkhead.statistics().inFlight).toBe(1);
    expect(call?.remainingMs()).toBe(200);
    expect(call?.signal.aborted).toBe(false);
    await time.clock.advance(200);
    expect(call?.signal.reason).toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(bulkhead.statistics().inFlight).toBe(1);
    await time.clock.advance(100);
    expect(bulkhead.statistics().inFlight).toBe(0);
  });

  test('C8 the call of an abandoned attempt stays aborted for ever', async () => {
    const { policy } = make();
    const controller = new AbortController();
    let call: Call | undefined;
    const abandoned: Operation<unknown> = (own) => {
      call = own;
      return inTime(5000, 'late');
    };
    const result = ending(policy.execute(abandoned, { ...HOST, signal: controller.signal }));
    await time.clock.advance(10);
    controller.abort(REASON);
    await result;
    await time.clock.advance('1h');
    expect(await policy.execute(() => 'another', HOST)).toBe('another');
    expect(call?.signal.reason).toBe(REASON);
    expect(call?.remainingMs()).toBe(0);
    expect(() => call?.throwIfCancelled()).toThrow(expect.objectContaining(REASON));
  });
});

test('C1 an API’s own error around the reason is attached to it, and nothing else is changed', async () => {
  const controller = new AbortController();
  const reason = new Error('the caller left');
  const wrapper = new DOMException('This operation was aborted', { name: 'AbortError', cause: reason });
  const wrapping: Operation<never> = (call) =>
    new Promise((_, reject) => call.signal.addEventListener('abort', () => reject(wrapper), { once: true }));
  const result = ending(compose(threeAttempts(), timeout('1s')).execute(wrapping, { signal: controller.signal }));
  controller.abort(reason);
  expect(await result).toEqual({ error: reason });
  await time.clock.settle();
  expect(suppressedOf(reason)).toEqual([wrapper]);
});

test('C1 an unrelated error of an operation that was abandoned is not', async () => {
  const controller = new AbortController();
  const reason = new Error('the caller left');
  const result = ending(threeAttempts().execute(() => failIn(10, new Error('something else')), { signal: controller.signal }));
  controller.abort(reason);
  await result;
  await time.clock.advance(10);
  expect(suppressedOf(reason)).toEqual([]);
});

test('C2 an abort that comes when the wait is over, but before it is noticed, still comes in time', async () => {
  const controller = new AbortController();
  const ran = vi.fn(fail);
  const listening = listen('retry', () => controller.abort(REASON));
  const result = ending(retry({ baseDelay: 0 }).execute(ran, { signal: controller.signal }));
  expect(await result).toEqual({ error: REASON });
  await time.clock.settle();
  listening[Symbol.dispose]();
  expect(ran).toHaveBeenCalledTimes(1);
});

test('C2 an abort ends the wait for a token at once, and the token goes to whoever comes next', async () => {
  const limiter = rateLimit({ limit: 1, period: '1s' });
  const controller = new AbortController();
  await limiter.execute(() => 1);
  const waiting = ending(limiter.execute(() => 2, { signal: controller.signal }));
  await time.clock.advance(10);
  controller.abort(REASON);
  expect(await waiting).toEqual({ error: REASON });
  expect(time.clock.nowMs()).toBe(10);
  expect(limiter.statistics().waitMs).toBe(990);
});

test('C2 an abort ends the wait for an open breaker at once', async () => {
  const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '10s' });
  const controller = new AbortController();
  const ran = vi.fn(fail);
  const result = ending(compose(retry({ baseDelay: 1, jitter: 'none' }), breaker).execute(ran, { signal: controller.signal }));
  await time.clock.advance(1000);
  controller.abort(REASON);
  expect(await result).toEqual({ error: REASON });
  expect(ran).toHaveBeenCalledTimes(1);
  expect(time.clock.pendingTimers).toBe(0);
});

test('C3 a part of a call that its owner aborts neither hangs nor masks the real error of another', async () => {
  const real = new Error('the real one');
  const both = policyFrom('both', async (operation, options) => {
    const own = new AbortController();
    const parent = options.parent as Call;
    const aborted = operation({ ...parent, signal: own.signal } as Call);
    const failing = operation(parent);
    own.abort('its own reason');
    const [first, second] = await Promise.allSettled([aborted, failing]);
    expect(first).toEqual({ status: 'rejected', reason: 'its own reason' });
    throw (second as PromiseRejectedResult).reason;
  });
  let starts = 0;
  const result = ending(compose(both, timeout('1s')).execute(() => (starts++ === 0 ? inTime(50, 'late') : failIn(5, real))));
  await time.clock.advance(50);
  expect(await result).toEqual({ error: real });
});

test('C3 an inner limit does not mask an error that came before it', async () => {
  const real = new Error('the real one');
  const result = ending(compose(timeout('2s'), timeout(20)).execute(() => failIn(10, real)));
  await time.clock.advance(100);
  expect(await result).toEqual({ error: real });
});

test('C4 a rejection around the reason is that cancellation, however deep it is wrapped', async () => {
  const controller = new AbortController();
  const outer = threeAttempts();
  const ran = vi.fn(async (call: Call) => {
    const inner = timeout('1s').execute(obedient(500, 1), { parent: call });
    await inner.catch((error: unknown) => {
      throw new Error('the client gave up', { cause: new Error('the socket was closed', { cause: error }) });
    });
  });
  const result = ending(outer.execute(ran, { signal: controller.signal }));
  await time.clock.advance(10);
  controller.abort(REASON);
  expect(await result).toEqual({ error: REASON });
  await time.clock.advance('1m');
  expect(ran).toHaveBeenCalledTimes(1);
});

describe('C5 the token tree is our own', () => {
  test('no AbortController is made for a call that nobody asks for its signal', async () => {
    const made = vi.fn();
    const Original = AbortController;
    vi.stubGlobal(
      'AbortController',
      class extends Original {
        constructor() {
          super();
          made();
        }
      },
    );
    const { policy } = (ORDERS.at(-1) as (typeof ORDERS)[number]).make();
    const { signal } = new Original();
    await policy.execute((call) => policy.describe() && call.remainingMs(), { ...HOST, signal, timeout: '1s' });
    vi.unstubAllGlobals();
    expect(made).not.toHaveBeenCalled();
  });

  test('nothing is raced and no signal is combined', async () => {
    const spies = [vi.spyOn(AbortSignal, 'any'), vi.spyOn(AbortSignal, 'timeout'), vi.spyOn(Promise, 'race'), vi.spyOn(Promise, 'any')];
    for (const { make } of ORDERS) {
      const controller = new AbortController();
      const { policy } = make();
      const cancelled = ending(policy.execute(obedient(2000, 1), { ...HOST, signal: controller.signal }));
      await time.clock.advance(10);
      controller.abort(REASON);
      await cancelled;
    }
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  test('a thousand calls are told in the order they came', async () => {
    const controller = new AbortController();
    const told: number[] = [];
    const policy = timeout('1s');
    const results = Array.from({ length: 1000 }, (_, index) =>
      policy.execute(obedient(100, 1), { signal: controller.signal }).catch(() => told.push(index)),
    );
    controller.abort(REASON);
    await Promise.all(results);
    expect(told).toEqual(Array.from({ length: 1000 }, (_, index) => index));
  });
});

test('C6 in a scope that was cancelled every wait rejects again', async () => {
  const seen: unknown[] = [];
  await ending(
    ctx.scope('app', async (scope) => {
      scope.cancel(REASON);
      for (let i = 0; i < 3; i++) {
        seen.push(await ending(ctx.sleep('1h')));
        seen.push(await ending(timeout('1s').execute(() => 'never')));
      }
      expect(() => ctx.throwIfCancelled()).toThrow(expect.objectContaining(REASON));
    }),
  );
  expect(seen).toEqual(Array.from({ length: 6 }, () => ({ error: REASON })));
  expect(time.clock.nowMs()).toBe(0);
});

test('C8 a probe keeps its place until the work that was abandoned beneath it has ended', async () => {
  const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1s', probeLease: '1m' });
  await ending(breaker.execute(fail));
  await time.clock.advance('1s');
  const controller = new AbortController();
  const probe = ending(breaker.execute(deaf(500, 1), { signal: controller.signal }));
  await time.clock.advance(10);
  controller.abort(REASON);
  await probe;
  expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 1 });
  await time.clock.advance(490);
  expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 0 });
});
