import { describe, expect, test } from 'vitest';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { ctx } from './ctx.ts';
import type { TaskContext } from './task.ts';

const time = onVirtualTime();

const closed = (message: string | RegExp): unknown =>
  expect.objectContaining({ error: expect.objectContaining({ code: 'ERR_SCOPE_CLOSED', message: expect.stringMatching(message) }) });

const itself = (task: TaskContext): TaskContext => task;

/** What each way of starting something comes to in the code that calls it. */
const tryAll = async (): Promise<unknown[]> => {
  const spawned = (): unknown => ending(ctx.spawn(() => 'never'));
  return [
    await ending(ctx.sleep(1)),
    await ending(ctx.scope('late', () => 'never')),
    await ending(new Promise((resolve) => resolve(spawned()))),
  ];
};

describe('S5, rule 32: through a context that is over nothing can be started', () => {
  test('by what a finished task has left running, though its scope goes on', async () => {
    let leftover: Promise<unknown[]> | undefined;
    const result = ctx.scope('app', async (scope) => {
      const gate = new Promise<void>((open) => void time.clock.schedule(1000, open));
      const leave = (): void => {
        leftover = gate.then(tryAll);
      };
      await scope.spawn(leave, { name: 'row' });
      await ctx.sleep('2s');
      return leftover;
    });
    await time.clock.advance('2s');
    expect(await result).toEqual([
      closed('sleep in app/row, which is over'),
      closed('scope late was not started: app/row is over'),
      closed('spawn in app/row, which is over'),
    ]);
  });

  test('by what a body has left running', async () => {
    let leftover: Promise<unknown[]> | undefined;
    await ctx.scope('app', () => {
      leftover = new Promise<void>((open) => void time.clock.schedule(1000, open)).then(tryAll);
    });
    await time.clock.advance('1s');
    expect(await leftover).toEqual([
      closed('sleep in app, which is over'),
      closed('scope late was not started: app is over'),
      closed('spawn in app, which is over'),
    ]);
  });

  test('through a handle that was kept', async () => {
    const { scope, task } = await ctx.scope('app', async (own) => ({ scope: own, task: await own.spawn(itself, { name: 'row' }) }));
    expect(await ending(scope.sleep(1))).toEqual(closed('sleep in app, which is over'));
    expect(await ending(scope.scope('late', () => 'never'))).toMatchObject({
      error: { code: 'ERR_SCOPE_CLOSED', message: 'scope late was not started: app is over', operation: 'app' },
    });
    expect(() => scope.spawn(() => 'never')).toThrow(expect.objectContaining({ code: 'ERR_SCOPE_CLOSED', operation: 'app' }));
    expect(await ending(task.sleep(1))).toEqual(closed('sleep in app/row, which is over'));
    task.hold(new Promise(() => {}));
    expect(scope.statistics().inFlight).toBe(0);
  });

  test('what a closed scope is asked to keep is kept by the scope around', async () => {
    const log: string[] = [];
    const result = ctx.scope('outer', async () => {
      const task = await ctx.scope('inner', (inner) => inner.spawn(itself));
      task.hold(new Promise<void>((resolve) => void time.clock.schedule(1000, resolve)).then(() => log.push('held')));
    });
    void result.then(() => log.push('outer'));
    await time.clock.advance('1s');
    await result;
    expect(log).toEqual(['held', 'outer']);
  });
});

describe('a sleep nobody awaits', () => {
  test('ends with its task or scope, and holds neither up', async () => {
    const outcomes: unknown[] = [];
    const forget = (): void => void ending(ctx.sleep('1h')).then((outcome) => outcomes.push(outcome));
    await ctx.scope('app', async (scope) => {
      forget();
      forget();
      await scope.spawn(forget, { name: 'row' });
      expect(time.clock.pendingTimers).toBe(2);
    });
    expect(time.clock.pendingTimers).toBe(0);
    await time.clock.settle();
    expect(outcomes).toEqual([
      closed('a sleep was going on in app/row, which is over'),
      closed('a sleep was going on in app, which is over'),
      closed('a sleep was going on in app, which is over'),
    ]);
  });

  test('that lost a race is over with the scope', async () => {
    const value = await ctx.scope('app', () => Promise.race([ctx.sleep('1h').then(() => 'late'), Promise.resolve('value')]));
    expect(value).toBe('value');
    expect(time.clock.pendingTimers).toBe(0);
  });
});

describe('outside of any scope', () => {
  test('there is no limit and no cancellation', async () => {
    expect(ctx.remainingMs()).toBe(Number.POSITIVE_INFINITY);
    expect(ctx.signal.aborted).toBe(false);
    expect(ctx.signal).toBe(ctx.signal);
    ctx.throwIfCancelled();
  });

  test('sleep waits all the same', async () => {
    const result = ending(ctx.sleep('1s'));
    expect(time.clock.pendingTimers).toBe(1);
    await time.clock.advance('1s');
    expect(await result).toEqual({ value: undefined });
  });

  test('a task needs an owner', () => {
    expect(() => ctx.spawn(() => 'never')).toThrow(
      expect.objectContaining({ code: 'ERR_NO_SCOPE', message: 'spawn needs an owner: call it inside ctx.scope' }),
    );
  });

  test('the members need no this', async () => {
    const { scope, spawn, sleep, remainingMs, throwIfCancelled } = ctx;
    const value = scope('app', { timeout: '5s' }, async () => {
      throwIfCancelled();
      await sleep('1s');
      return [await spawn(() => 'child'), remainingMs()];
    });
    await time.clock.advance('1s');
    expect(await value).toEqual(['child', 4000]);
  });
});

test('ctx means wherever the code runs, a scope means itself', async () => {
  const result = ctx.scope('outer', async (outer) => {
    const inner = ctx.scope('inner', async (scope) => {
      const sleeps = [ending(ctx.sleep('1h')), ending(outer.sleep('1s'))];
      scope.cancel('stop');
      expect([ctx.signal.aborted, outer.signal.aborted]).toEqual([true, false]);
      expect([ctx.remainingMs(), outer.remainingMs()]).toEqual([0, Number.POSITIVE_INFINITY]);
      const paths = [await outer.scope('sibling', ({ path }) => path), await outer.spawn(({ path }) => path, { name: 'child' })];
      return [...paths, ...(await Promise.all(sleeps))];
    });
    return inner;
  });
  await time.clock.advance('1s');
  expect(await result).toEqual(['outer/sibling', 'outer/child', { error: 'stop' }, { value: undefined }]);
});
