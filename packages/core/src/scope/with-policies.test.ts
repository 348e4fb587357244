import { describe, expect, test } from 'vitest';
import { suppressedOf } from '../errors/history.ts';
import { compose } from '../policy/compose.ts';
import { LayerPolicy } from '../policy/layer-policy.ts';
import type { Call } from '../policy/policy.ts';
import { policyFrom } from '../policy/policy-from.ts';
import { again, limit, Permits, policyOf } from '../policy/test-layers.test-support.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { scriptedOperation } from '../testing/scripted-operation.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { ctx } from './ctx.ts';
import type { TaskContext } from './task.ts';

const time = onVirtualTime();

class Bulkhead extends LayerPolicy {}
const hangs = (): Promise<never> => new Promise(() => {});
const later = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => void time.clock.schedule(ms, () => resolve(value)));

describe('a call inside a scope', () => {
  test('C1, C2: ends at once when the scope is cancelled, running or waiting, with the scope’s reason', async () => {
    const permits = new Permits(1);
    const bulkhead = new Bulkhead(permits);
    const reason = new Error('stop');
    const ends: unknown[] = [];
    const result = ctx.scope('app', async (scope) => {
      const work = scriptedOperation<string>();
      const calls = [
        bulkhead.attempt(work.operation), // runs
        bulkhead.attempt(work.operation), // waits for the permit
        again(3, 1000).attempt(() => Promise.reject(new Error('busy'))), // waits for its second attempt
      ];
      const { call } = await work.expectCall();
      scope.cancel(reason);
      expect.soft(call.signal.reason).toBe(reason);
      ends.push(...(await Promise.all(calls)));
      expect.soft(await bulkhead.attempt(hangs)).toEqual({ ok: false, by: 'caller', error: reason });
      work.open[0]?.reject(reason);
      throw reason;
    });
    expect(await ending(result)).toHaveProperty('error', reason);
    const cancelled = { ok: false, by: 'caller', error: reason };
    expect(ends).toEqual([cancelled, cancelled, cancelled]);
    expect([permits.taken, permits.waiting]).toEqual([0, 0]);
  });

  test('hears of its own task’s cancellation', async () => {
    const result = ctx.scope('app', async (scope) => {
      const task = scope.spawn(() => limit(60_000).attempt((call) => later(call.signal.aborted ? 0 : 1000, 'late')));
      task.cancel('stop');
      return await task;
    });
    await time.clock.advance('1s');
    expect(await result).toEqual({ ok: false, by: 'caller', error: 'stop' });
  });

  test('C1: a wrapper that comes late goes to the reason’s history', async () => {
    const reason = new Error('stop');
    const wrapper = new Error('aborted', { cause: reason });
    const result = ctx.scope('app', async (scope) => {
      const call = limit(60_000).execute(
        ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(wrapper))),
      );
      scope.cancel(reason);
      return await call;
    });
    expect(await ending(result)).toHaveProperty('error', reason);
    expect(suppressedOf(reason)).toEqual([wrapper]);
  });

  test('T4: knows the scope’s deadline', async () => {
    const result = ctx.scope('app', { timeout: '5s' }, () =>
      compose(limit(60_000)).execute((call) => [call.remainingMs(), ctx.remainingMs()]),
    );
    expect(await result).toEqual([5000, 5000]);
  });

  test('T4: a wait that cannot fit what remains is refused at once, with the last error', async () => {
    const busy = new Error('busy');
    const refused = new Error('no token before the deadline');
    const result = ctx.scope('app', { timeout: '5s' }, async () => {
      const backoff = await again(3, 6000).attempt(() => Promise.reject(busy));
      const token = await policyOf({ enter: (step) => step.waitUntil(step.nowMs() + 5000, () => refused) }).attempt(() => 'never');
      return [backoff, token, time.clock.nowMs()];
    });
    expect(await result).toEqual([{ ok: false, by: 'operation', error: busy }, { ok: false, by: 'policy', error: refused }, 0]);
  });

  test('takes time and chance from the scope, however deep', async () => {
    const clock = new VirtualClock({ nowMs: 500 });
    const drawn: unknown[] = [];
    const draws = policyOf({
      enter(step) {
        drawn.push(step.nowMs(), step.random());
        return step.limit(1000);
      },
    });
    const stranger = policyFrom('stranger', (operation, options) => operation(options.parent as never));
    await ctx.scope('app', { clock, random: { next: () => 0.25 } }, async (scope) => {
      await draws.execute((call) => draws.execute(() => 'value', { parent: call }));
      await scope.spawn((task) => draws.execute(() => 'value', { parent: task }));
      await compose(stranger, draws).execute(() => 'value');
      await ctx.scope('inner', () => draws.execute(() => 'value'));
    });
    expect(drawn).toEqual(Array(5).fill([500, 0.25]).flat());
  });

  test('P1: work that a policy abandoned is the scope’s child', async () => {
    const log: string[] = [];
    const work = (): Promise<number> => later(3000, 'work').then((what) => log.push(what));
    const result = ctx.scope('outer', async () => {
      await ctx.scope('inner', async (inner) => {
        expect(await limit(1000).attempt(work)).toMatchObject({ by: 'policy', error: { code: 'ERR_TIMEOUT' } });
        log.push('inner body');
        expect(inner.statistics().inFlight).toBe(1);
      });
      log.push('inner');
    });
    await time.clock.advance('3s');
    await result;
    expect(log).toEqual(['inner body', 'work', 'inner']);
  });

  test('P1: so is what a task’s call abandoned, after the task', async () => {
    const log: string[] = [];
    const work = (): Promise<number> => later(3000, 'work').then((what) => log.push(what));
    const result = ctx.scope('app', async (scope) => {
      await scope.spawn(() => limit(1000).attempt(work));
      await scope.spawn((task) => limit(1000).attempt(work, { parent: task }));
      log.push('tasks');
    });
    void result.then(() => log.push('scope'));
    await time.clock.advance('5s');
    await result;
    expect(log).toEqual(['work', 'tasks', 'work', 'scope'].toSorted((a, b) => log.indexOf(a) - log.indexOf(b)));
    expect(log.at(-1)).toBe('scope');
  });

  test('S2: that nobody awaits is waited for by the scope', async () => {
    const log: string[] = [];
    const result = ctx.scope('app', async (scope) => {
      void limit(60_000).execute(() => later(1000, 'call').then((what) => log.push(what)));
      await scope.spawn(() => void limit(60_000).execute(() => later(2000, 'task’s call').then((what) => log.push(what))));
      log.push('body');
    });
    void result.then(() => log.push('scope'));
    await time.clock.advance('2s');
    await result;
    expect(log).toEqual(['body', 'call', 'task’s call', 'scope']);
  });

  test('C8: what it still holds keeps the scope, whose deadline stays as it was', async () => {
    const permits = new Permits(1);
    const log: unknown[] = [];
    const result = ctx.scope('app', { timeout: '5s' }, async () => {
      const body = (call: Call): string => {
        call.hold(later(1000, undefined));
        call.hold(new Promise<void>((ended) => call.signal.addEventListener('abort', () => ended())));
        return 'response';
      };
      log.push(await new Bulkhead(permits).execute(body), permits.taken);
    });
    void result.then(() => log.push('scope', permits.taken));
    await time.clock.advance('4999ms');
    expect(log).toEqual(['response', 1]);
    await time.clock.advance(1);
    await result;
    expect(log).toEqual(['response', 1, 'scope', 0]);
  });

  test('S5: cannot begin once its scope or task is over', async () => {
    let leftover: Promise<unknown> | undefined;
    const begin = (): Promise<unknown> => limit(1000).attempt(() => 'never', { name: 'load' });
    const task = await ctx.scope('app', async (scope) => {
      leftover = later(1000, undefined).then(begin);
      return { own: await scope.spawn((own: TaskContext) => own, { name: 'row' }) };
    });
    await time.clock.advance('1s');
    expect(await leftover).toMatchObject({
      by: 'caller',
      error: { code: 'ERR_SCOPE_CLOSED', message: 'load was not started: scope app is over', operation: 'load' },
    });
    expect(await limit(1000).attempt(() => 'never', { name: 'load', parent: task.own })).toMatchObject({
      by: 'caller',
      error: { code: 'ERR_SCOPE_CLOSED', message: 'load was not started: scope app/row is over' },
    });
  });

  test('a scope inside an operation covers the calls in it, named parent or not', async () => {
    const work = scriptedOperation<string>();
    const result = limit(60_000).attempt((call) =>
      ctx.scope('inner', { timeout: '1s' }, () => limit(30_000).execute(work.operation, { parent: call })),
    );
    const inner = await work.expectCall();
    expect(inner.call.remainingMs()).toBe(1000);
    await time.clock.advance('1s');
    expect(inner.call.signal.aborted).toBe(true);
    inner.resolve('too late');
    expect(await result).toMatchObject({ ok: false, by: 'operation', error: { message: 'scope inner timed out after 1s' } });
  });

  test('two scopes at once: each call is its own scope’s', async () => {
    const run = (name: string, timeout: number): Promise<unknown> =>
      ending(ctx.scope(name, { timeout }, () => again(5, 400).execute(() => Promise.reject(new Error(`${name} is busy`)))));
    const results = [run('a', 1000), run('b', 3000)];
    await time.clock.advance('3s');
    expect(await Promise.all(results)).toEqual([{ error: new Error('a is busy') }, { error: new Error('b is busy') }]);
  });
});
