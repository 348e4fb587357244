import { describe, expect, test } from 'vitest';
import { ambient } from '../context/ambient.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { ctx } from './ctx.ts';
import type { Task } from './task.ts';

const time = onVirtualTime();
const fault = new Error('fault');
const fails = (): never => {
  throw fault;
};

describe('rule 35: the handle of a task', () => {
  test('awaits like a promise, and holds a native one', async () => {
    const result = ctx.scope('app', async (scope) => {
      const task = scope.spawn(() => ctx.sleep('1s').then(() => 'value'));
      expect(task.promise).toBeInstanceOf(Promise);
      return [await task, await task.promise, await Promise.all([task]), await task.then((value) => `${value}!`)];
    });
    await time.clock.advance('1s');
    expect(await result).toEqual(['value', 'value', ['value'], 'value!']);
  });

  test('has catch and finally', async () => {
    const log: unknown[] = [];
    const result = ctx.scope('app', async (scope) => {
      log.push(await scope.spawn(() => 'value').catch(() => 'caught'));
      log.push(await scope.spawn(() => 'value').finally(() => log.push('finally')));
      const failing = scope.spawn(fails);
      log.push(await failing.catch((error: unknown) => error));
      log.push(
        await failing.then(
          () => 'not reached',
          () => 'rejected',
        ),
      );
      log.push(await failing.finally(() => undefined).catch(() => 'still rejects'));
    });
    expect(await ending(result)).toEqual({ error: fault });
    expect(log).toEqual(['value', 'finally', 'value', fault, 'rejected', 'still rejects']);
  });

  test('knows how far the task has come, before whoever awaits it goes on', async () => {
    const statuses: string[] = [];
    const result = ctx.scope('app', async (scope) => {
      const note = (task: Task<unknown>): Promise<unknown> => task.finally(() => statuses.push(`${task.name} ${task.status}`));
      const tasks = [
        scope.spawn(() => 'value', { name: 'a' }),
        scope.spawn(() => ctx.sleep('1h'), { name: 'b' }),
        scope.spawn(() => ctx.sleep('1h').catch(() => 'in spite of it'), { name: 'c' }),
        scope.spawn(() => ctx.sleep('1h').catch((reason: unknown) => Promise.reject(new Error('stopped', { cause: reason }))), {
          name: 'd',
        }),
        scope.spawn(() => ctx.sleep('1h').catch(() => Promise.reject(new Error('cleanup failed'))), { name: 'e' }),
        scope.spawn(fails, { name: 'f' }),
      ];
      expect.soft(tasks.map((task) => task.status)).toEqual(Array(6).fill('running'));
      await Promise.allSettled(tasks.map(note));
    });
    expect(await ending(result)).toEqual({ error: fault });
    expect(statuses.toSorted()).toEqual(['a done', 'b cancelled', 'c done', 'd cancelled', 'e failed', 'f failed']);
  });

  test('is named by its option, else by its function, else as a task', async () => {
    const loadUser = (): number => 1;
    await ctx.scope('app', (scope) => {
      const tasks = [scope.spawn(loadUser, { name: 'user 7' }), scope.spawn(loadUser, { name: undefined }), scope.spawn(() => 1)];
      expect(tasks.map(({ name }) => name)).toEqual(['user 7', 'loadUser', 'task']);
    });
  });
});

describe('what a task runs under', () => {
  test('serves as a call', async () => {
    const seen = await ctx.scope('app', { timeout: '5s' }, (scope) =>
      scope.spawn(
        (task) => {
          task.throwIfCancelled();
          task.commit();
          task.charge({ tokens: 5 });
          return [task.name, task.attempt, task.path, task.remainingMs(), task.signal === ctx.signal];
        },
        { name: 'row 7' },
      ),
    );
    expect(seen).toEqual(['row 7', 1, 'app/row 7', 5000, true]);
  });

  test('begins at once', async () => {
    const log: string[] = [];
    await ctx.scope('app', (scope) => {
      scope.spawn(() => log.push('child'));
      log.push('body');
    });
    expect(log).toEqual(['child', 'body']);
  });

  test('can be cancelled from inside and outside, and hears of both', async () => {
    const result = ctx.scope('app', async (scope) => {
      const task = scope.spawn(async (own) => {
        await own.sleep('1h').catch(() => undefined);
        return [own.signal.reason, own.remainingMs(), await ending(own.sleep('1h')), await ending(ctx.sleep('1h'))];
      });
      task.cancel();
      const reason = expect.objectContaining({ kind: 'explicit', message: 'task task was cancelled' });
      expect(await task).toEqual([reason, 0, { error: reason }, { error: reason }]);
    });
    await result;
  });

  test('what it holds keeps the scope, not the task', async () => {
    const log: string[] = [];
    const result = ctx.scope('app', async (scope) => {
      const later = (ms: number): Promise<void> => new Promise((resolve) => void time.clock.schedule(ms, resolve));
      await scope.spawn((task) => {
        task.hold(later(1000).then(() => Promise.reject(new Error('either way'))));
        task.hold(later(2000));
      });
      log.push('task');
    });
    void result.then(() => log.push('scope'));
    await time.clock.advance('1s');
    expect(log).toEqual(['task']);
    await time.clock.advance('1s');
    await result;
    expect(log).toEqual(['task', 'scope']);
  });

  test('leaves nothing behind in a scope that lives long', async () => {
    await ctx.scope('app', async (scope) => {
      const hangsBelow = (): boolean => ambient()?.token.hasLinks === true;
      const task = scope.spawn(() => Promise.resolve());
      expect(hangsBelow()).toBe(true);
      await task;
      await time.clock.settle();
      expect(hangsBelow()).toBe(false);
    });
  });

  test('a task of a task is the scope’s child: it outlives whoever began it', async () => {
    const log: string[] = [];
    const result = ctx.scope('app', async (scope) => {
      const first = scope.spawn(() => {
        ctx.spawn(({ path }) => ctx.sleep('1s').then(() => log.push(path)), { name: 'second' });
      });
      await first;
      first.cancel();
    });
    await time.clock.advance('1s');
    await result;
    expect(log).toEqual(['app/second']);
  });
});
