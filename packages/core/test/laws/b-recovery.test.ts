import { describe, expect, test, vi } from 'vitest';
import { circuitBreaker } from '../../src/circuit-breaker/circuit-breaker.ts';
import { OUTCOME } from '../../src/outcome/classify.ts';
import { compose } from '../../src/policy/compose.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { rateLimit } from '../../src/rate-limiter/rate-limiter.ts';
import { retry } from '../../src/retry/retry.ts';
import { timeout } from '../../src/timeout/timeout.ts';
import { deaf, inTime, obedient } from '../support/work.ts';
import { halfOpen, PLACES } from './breaker-places.ts';

const time = onVirtualTime();
const fail = (): never => {
  throw new Error('down');
};

describe.each(PLACES)('%s', (_name, around) => {
  test('B3 after closing, the calls in flight ramp up, and are never below one', async () => {
    const breaker = await halfOpen(time.clock, { rampUp: 7 });
    await breaker.execute(() => 'probe');
    expect(breaker.state).toBe('closed');
    for (const places of [1, 2, 4]) {
      const ran = vi.fn(() => inTime(10, 1));
      const calls = Array.from({ length: 5 }, () => ending(around(breaker).execute(ran, { idempotent: false })));
      await time.clock.settle();
      expect(ran).toHaveBeenCalledTimes(places);
      await time.clock.advance(10);
      const refused = (await Promise.all(calls)).filter((outcome) => 'error' in outcome);
      expect(refused).toHaveLength(5 - places);
      for (const { error } of refused) expect(error).toMatchObject({ code: 'ERR_CIRCUIT_OPEN', retryAfterMs: expect.any(Number) });
    }
    expect(await Promise.all([1, 2, 3, 4, 5].map((value) => around(breaker).execute(() => value)))).toEqual([1, 2, 3, 4, 5]);
  });

  test('B3 a call that hangs does not keep a circuit that has closed to itself', async () => {
    const breaker = await halfOpen(time.clock, { rampUp: 4 });
    await breaker.execute(() => 'probe');
    const hanging = ending(around(breaker).execute(() => inTime(5000, 1), { idempotent: false }));
    await time.clock.advance(250);
    expect(await around(breaker).execute(() => 2, { idempotent: false })).toBe(2);
    await time.clock.advance('1s');
    expect(breaker.statistics()).toMatchObject({ state: 'closed', inFlight: 1 });
    expect(breaker.statistics()).not.toHaveProperty('ramp');
    await time.clock.advance('5s');
    await hanging;
  });

  test('B4 a callee that hangs opens the circuit before its calls end', async () => {
    const breaker = circuitBreaker({ failureThreshold: 2, slowCallDuration: '1s', recoveryTimeout: '10s' });
    const calls = Array.from({ length: 2 }, () => ending(around(breaker).execute(() => inTime(60_000, 1), { idempotent: false })));
    await time.clock.advance(999);
    expect(breaker.state).toBe('closed');
    await time.clock.advance(1);
    expect(breaker.statistics()).toMatchObject({ state: 'open', inFlight: 2, retryAfterMs: 10_000 });
    await time.clock.advance('4s');
    const refused = await ending(around(breaker).execute(() => 3, { idempotent: false }));
    expect(refused).toMatchObject({ error: { code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 6000 } });
    await time.clock.advance('1m');
    expect(await Promise.all(calls)).toEqual([{ value: 1 }, { value: 1 }]);
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', inFlight: 0, opened: 1 });
  });

  test('B4 what a call waits for inside the breaker before its operation starts is not the callee being slow', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, slowCallDuration: '1s' });
    const limiter = rateLimit({ limit: 1, period: '10s' });
    await limiter.execute(() => 0);
    const waits = compose(around(breaker), limiter).execute(() => inTime(500, 1));
    await time.clock.advance('10s');
    expect(breaker.state).toBe('closed');
    await time.clock.advance(500);
    expect(await waits).toBe(1);
    const slow = compose(around(breaker), limiter).execute(() => inTime(1500, 2));
    await time.clock.advance(9500 + 1000);
    expect(breaker.state).toBe('open');
    await time.clock.advance(500);
    expect(await slow).toBe(2);
  });

  test('B4 a call that its caller gives up is neutral while it is quick, and has been slow when it was', async () => {
    const breaker = circuitBreaker({ window: { calls: 10 }, slowCallDuration: '1s' });
    const controller = new AbortController();
    const first = ending(around(breaker).execute(obedient(5000, 1), { signal: controller.signal }));
    await time.clock.advance(900);
    const second = ending(around(breaker).execute(deaf(5000, 2), { signal: controller.signal, idempotent: false }));
    controller.abort('gone');
    await time.clock.advance(900);
    expect(breaker.statistics()).toMatchObject({ calls: 0, slowCalls: 0 });
    const late = ending(compose(timeout(1100), around(breaker)).execute(obedient(5000, 3)));
    await time.clock.advance(1200);
    expect(breaker.statistics()).toMatchObject({ calls: 1, slowCalls: 1, failures: 0 });
    await time.clock.advance('10s');
    await Promise.all([first, second, late]);
    expect(breaker.statistics()).toMatchObject({ calls: 1, slowCalls: 1, inFlight: 0 });
  });

  test('B6 it stays open longer each time it opens again, up to the maximum, until it has been stable', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1s', maxRecoveryTimeout: '5s' });
    const openings = async (times: number): Promise<readonly unknown[]> => {
      const waits: unknown[] = [];
      for (let i = 0; i < times; i++) {
        await ending(around(breaker).execute(fail, { idempotent: false }));
        const { error } = (await ending(around(breaker).execute(fail, { idempotent: false }))) as { error: { retryAfterMs: number } };
        waits.push(error.retryAfterMs);
        await time.clock.advance(error.retryAfterMs);
      }
      return waits;
    };
    expect(await openings(4)).toEqual([1000, 2000, 4000, 5000]);
    await around(breaker).execute(() => 'probe');
    await time.clock.advance(4999);
    expect(await openings(1)).toEqual([5000]);
    await around(breaker).execute(() => 'probe');
    await time.clock.advance(5000);
    expect(await openings(2)).toEqual([1000, 2000]);
  });
});

test('B3 after it has closed, calls pass at once where nothing is to ramp up', async () => {
  const breaker = await halfOpen(time.clock, { successThreshold: 2, rampUp: 0 });
  await breaker.execute(() => 1);
  expect(breaker.state).toBe('half-open');
  await breaker.execute(() => 2);
  expect(breaker.state).toBe('closed');
  expect(await Promise.all([3, 4, 5].map((value) => breaker.execute(() => value)))).toEqual([3, 4, 5]);
});

test('B3 a crowd that waited in retries comes through bit by bit after closing', async () => {
  const breaker = await halfOpen(time.clock, { rampUp: 50 });
  await breaker.execute(() => 'probe');
  let running = 0;
  const spare: number[] = [];
  const work = async (): Promise<number> => {
    const { ramp } = breaker.statistics();
    if (ramp !== undefined) spare.push(ramp.limit - ++running);
    return await inTime(10, 1).finally(() => running--);
  };
  const crowd = Array.from({ length: 30 }, () => compose(retry({ maxAttempts: 20 }), breaker).execute(work));
  await time.clock.advance('10s');
  expect(await Promise.all(crowd)).toEqual(Array.from({ length: 30 }, () => 1));
  expect(spare).toHaveLength(30);
  expect(Math.min(...spare)).toBe(0); // as many as may be, and never more
});

test('R2 an isolated circuit is not waited for: nobody knows for how long', async () => {
  const breaker = circuitBreaker();
  using _isolation = breaker.isolate('deploying');
  const result = await ending(compose(retry({ maxAttempts: 5 }), breaker).execute(fail));
  expect(result).toMatchObject({ error: { code: 'ERR_CIRCUIT_OPEN', reason: 'deploying' } });
  expect([breaker.statistics().rejected, time.clock.nowMs()]).toEqual([1, 0]);
});

test.each([
  ['in a row', { failureThreshold: 4 }],
  ['over the last calls', { window: { calls: 10 }, minimumCalls: 4, slowCallRate: 1 }],
  ['over the last while', { window: { period: '1m' }, minimumCalls: 4, slowCallRate: 1 }],
] as const)('B4 slow calls are counted %s', async (_name, options) => {
  const breaker = circuitBreaker({ ...options, slowCallDuration: '1s' });
  const calls = [0, 100, 200, 300].map(async (ms) => {
    await inTime(ms, undefined);
    return await ending(breaker.execute(() => inTime(10_000, 1)));
  });
  await time.clock.advance(1299);
  expect(breaker.state).toBe('closed');
  await time.clock.advance(1);
  expect(breaker.state).toBe('open');
  await time.clock.advance('10s');
  await Promise.all(calls);
});

test('B4 slow calls open it when they become slow, whenever that is noticed', async () => {
  const breaker = circuitBreaker({ failureThreshold: 1, slowCallDuration: '1s', recoveryTimeout: '10s' });
  const call = breaker.execute(() => inTime(60_000, 1));
  await time.clock.advance('5s');
  expect(await ending(breaker.execute(() => 2))).toMatchObject({ error: { code: 'ERR_CIRCUIT_OPEN', retryAfterMs: 6000 } });
  await time.clock.advance('1m');
  await call;
});

test('B6 it stays open for as long as the failure that opened it asked for, up to the maximum', async () => {
  const asking = (retryAfterMs: number): Error => Object.assign(new Error('busy'), { [OUTCOME]: { kind: 'overloaded', retryAfterMs } });
  for (const [askedMs, openMs] of [
    [500, 1000],
    [4000, 4000],
    [1e9, 60_000],
  ] as const) {
    const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1s', maxRecoveryTimeout: '1m' });
    await ending(breaker.execute(() => Promise.reject(asking(askedMs))));
    expect(breaker.statistics().retryAfterMs).toBe(openMs);
  }
});
