import { describe, expect, test } from 'vitest';
import type { TimeoutError } from '../errors/timeout-error.ts';
import { listen } from '../observe/events.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { Clock } from '../time/clock.ts';
import { Deadline } from '../time/deadline.ts';
import { ctx } from './ctx.ts';

const time = onVirtualTime();

describe('a timeout', () => {
  test('cancels the scope when it has passed, and not before', async () => {
    const events: unknown[] = [];
    using _listening = listen('scope', (event) => events.push(event));
    const left: number[] = [];
    const result = ending(
      ctx.scope('report', { timeout: '30s' }, async () => {
        left.push(ctx.remainingMs());
        await ctx.sleep('29s');
        left.push(ctx.remainingMs());
        await ctx.sleep('1h');
      }),
    );
    await time.clock.advance('29999ms');
    expect(time.clock.pendingTimers).toBe(2);
    await time.clock.advance(1);
    const { error } = (await result) as { error: TimeoutError };
    expect(error).toMatchObject({
      name: 'TimeoutError',
      code: 'ERR_TIMEOUT',
      message: 'scope report timed out after 30s',
      operation: 'report',
      timeoutMs: 30_000,
    });
    expect(left).toEqual([30_000, 1000]);
    expect(events).toEqual([
      { type: 'timed-out', policy: 'report', scope: 'report', reason: error },
      { type: 'closed', policy: 'report', scope: 'report' },
    ]);
  });

  test('still counts while the children are waited for', async () => {
    const result = ending(
      ctx.scope('report', { timeout: '30s' }, (scope) => {
        scope.spawn(() => ctx.sleep('1h'));
        return 'value';
      }),
    );
    await time.clock.advance('30s');
    expect(await result).toMatchObject({ error: { message: 'scope report timed out after 30s' } });
  });

  test('says nothing where the scope was cancelled before', async () => {
    const events: string[] = [];
    using _listening = listen('scope', (event) => events.push(event.type));
    const result = ending(
      ctx.scope('report', { timeout: '1s' }, async (scope) => {
        scope.cancel('stop');
        await new Promise<void>((resolve) => void time.clock.schedule(2000, resolve));
        scope.throwIfCancelled();
      }),
    );
    await time.clock.advance('2s');
    expect(await result).toEqual({ error: 'stop' });
    expect(events).toEqual(['cancelled', 'closed']);
  });

  test('is gone when the scope has ended', async () => {
    let signal: AbortSignal | undefined;
    await ctx.scope('report', { timeout: '30s' }, () => {
      signal = ctx.signal;
    });
    expect(time.clock.pendingTimers).toBe(0);
    await time.clock.advance('1m');
    expect(signal?.aborted).toBe(false);
  });

  test('T2: Infinity is none', async () => {
    await ctx.scope('report', { timeout: Number.POSITIVE_INFINITY }, () => {
      expect(ctx.remainingMs()).toBe(Number.POSITIVE_INFINITY);
      expect(time.clock.pendingTimers).toBe(0);
    });
  });

  test('T2: may be longer than the longest timer', async () => {
    const result = ending(ctx.scope('report', { timeout: '10000h' }, () => ctx.sleep('20000h')));
    await time.clock.advance('10000h');
    expect(await result).toMatchObject({ error: { timeoutMs: 36_000_000_000 } });
  });
});

test('timeouts of one length share a timer, a deadline leaves none behind', async () => {
  let timers = 0;
  const { clock } = time;
  const counting: Clock = {
    nowMs: () => clock.nowMs(),
    epochMs: () => clock.epochMs(),
    schedule(delayMs, callback) {
      timers++;
      const timer = clock.schedule(delayMs, callback);
      const cancel = (): void => {
        timers--;
        timer.cancel();
      };
      return { ...timer, cancel };
    },
  };
  for (const timeout of ['7s', '7s', '7s'] as const) await ctx.scope('app', { clock: counting, timeout }, () => undefined);
  expect(timers).toBe(1); // it is kept for the next one, and holds nobody up
  for (const ms of [1001, 1002, 1003]) await ctx.scope('app', { clock: counting, deadline: Deadline.in(ms) }, () => undefined);
  expect(timers).toBe(1);
});

describe('a deadline', () => {
  test('cancels the scope like a timeout', async () => {
    const deadline = Deadline.in('10s');
    await time.clock.advance('4s');
    const result = ending(ctx.scope('report', { deadline }, () => ctx.sleep('1h')));
    await time.clock.advance('6s');
    expect(await result).toMatchObject({
      error: { code: 'ERR_TIMEOUT', message: 'scope report did not end by its deadline, 6s after it began', timeoutMs: 6000 },
    });
  });

  test.each([
    ['10s', '20s', 'timed out after 10s'],
    ['10s', '10s', 'timed out after 10s'],
    ['20s', '10s', 'did not end by its deadline, 10s after it began'],
  ] as const)('beside a timeout: the least of the two wins (timeout %s, deadline %s)', async (timeout, deadline, how) => {
    const result = ending(ctx.scope('report', { timeout, deadline: Deadline.in(deadline) }, () => ctx.sleep('1h')));
    await time.clock.advance('10s');
    expect(await result).toMatchObject({ error: { message: `scope report ${how}` } });
  });

  test('is gone when the scope has ended', async () => {
    await ctx.scope('report', { deadline: Deadline.in('10s') }, () => expect(time.clock.pendingTimers).toBe(1));
    expect(time.clock.pendingTimers).toBe(0);
  });

  test('that has passed lets nothing begin', async () => {
    const deadline = Deadline.in('10s');
    await time.clock.advance('10s');
    let begun = false;
    const result = ctx.scope('report', { deadline }, () => {
      begun = true;
    });
    expect(await ending(result)).toMatchObject({
      error: { code: 'ERR_TIMEOUT', message: 'scope report was not started: its deadline has passed', operation: 'report' },
    });
    expect(begun).toBe(false);
  });
});

describe('T4, rule 37: of nested limits the least wins', () => {
  test('a longer one inside sets no timer', async () => {
    const result = ending(
      ctx.scope('outer', { timeout: '10s' }, () => {
        expect(time.clock.pendingTimers).toBe(1);
        return ctx.scope('same', { timeout: '10s' }, () =>
          ctx.scope('longer', { timeout: '1m', deadline: Deadline.in('2m') }, (longer) => {
            expect(time.clock.pendingTimers).toBe(1);
            expect([ctx.remainingMs(), longer.remainingMs()]).toEqual([10_000, 10_000]);
            return longer.spawn((task) => {
              expect(task.remainingMs()).toBe(10_000);
              return ctx.sleep('1h');
            });
          }),
        );
      }),
    );
    await time.clock.advance('10s');
    expect(await result).toMatchObject({ error: { message: 'scope outer timed out after 10s' } });
  });

  test('a shorter one inside ends the inner scope alone', async () => {
    const result = ctx.scope('outer', { timeout: '10s' }, async () => {
      const inner = await ending(ctx.scope('inner', { timeout: '1s' }, () => ctx.sleep('1h')));
      return { ...inner, leftMs: ctx.remainingMs(), isCancelled: ctx.signal.aborted };
    });
    await time.clock.advance('1s');
    expect(await result).toMatchObject({
      error: { message: 'scope outer/inner timed out after 1s' },
      leftMs: 9000,
      isCancelled: false,
    });
  });

  test('what is left of it goes on to a scope that begins later', async () => {
    const result = ending(
      ctx.scope('outer', { timeout: '10s' }, async () => {
        await ctx.sleep('4s');
        await ctx.scope('inner', { timeout: '6s' }, async () => {
          expect([ctx.remainingMs(), time.clock.pendingTimers]).toEqual([6000, 1]);
          await ctx.sleep('1h');
        });
      }),
    );
    await time.clock.advance('10s');
    expect(await result).toMatchObject({ error: { message: 'scope outer timed out after 10s' } });
  });
});

describe('rule 38: a clock of the scope’s own', () => {
  test('is what everything inside waits on', async () => {
    const own = new VirtualClock({ nowMs: 1_000_000 });
    const result = ending(
      ctx.scope('app', { clock: own, timeout: '10s' }, async (scope) => {
        await ctx.scope('inner', () => ctx.sleep('1s'));
        await scope.spawn((task) => task.sleep('1s'));
        expect(ctx.remainingMs()).toBe(8000);
        await ctx.sleep('1h');
      }),
    );
    expect(time.clock.pendingTimers).toBe(0);
    await own.advance('10s');
    expect(await result).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
    expect(own.pendingTimers).toBe(0);
  });

  test('has the time that is left outside', async () => {
    const own = new VirtualClock({ nowMs: 1_000_000 });
    const result = ctx.scope('outer', { timeout: '10s' }, async () => {
      await ctx.sleep('4s');
      return ctx.scope('inner', { clock: own, timeout: '20s' }, () => [ctx.remainingMs(), own.pendingTimers]);
    });
    await time.clock.advance('4s');
    expect(await result).toEqual([6000, 0]);
  });
});

test('two sleeps of one moment end in the order they began', async () => {
  const order: number[] = [];
  const result = ctx.scope('app', (scope) => {
    for (const n of [1, 2, 3]) scope.spawn(() => ctx.sleep('1s').then(() => order.push(n)));
  });
  await time.clock.advance('1s');
  await result;
  expect(order).toEqual([1, 2, 3]);
});
