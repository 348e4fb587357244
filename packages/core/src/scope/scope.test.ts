import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { ambient } from '../context/ambient.ts';
import type { CancelledError } from '../errors/cancelled-error.ts';
import { suppressedOf } from '../errors/history.ts';
import type { KeelsonError } from '../errors/keelson-error.ts';
import { listen } from '../observe/events.ts';
import { watchLive } from '../observe/live.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { ctx } from './ctx.ts';

const time = onVirtualTime();

const throws = (error: unknown): (() => never) => {
  return () => {
    throw error;
  };
};

describe('the body', () => {
  test.each([
    ['a value', () => 1],
    ['a promise', async () => 1],
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what the test is about
    ['a thenable', () => ({ then: (resolve: (value: number) => void) => resolve(1) })],
  ])('F1: may return %s', async (_, body) => {
    expect(await ctx.scope('app', body as () => number)).toBe(1);
  });

  test.each([[new Error('fault')], ['a text'], [undefined], [null]])('F1: may throw %s, at once or later', async (error) => {
    expect(await ending(ctx.scope('app', throws(error)))).toEqual({ error });
    expect(await ending(ctx.scope('app', async () => throws(error)()))).toEqual({ error });
  });

  test('is given its scope', async () => {
    const seen = await ctx.scope('app', (scope) => [scope.name, scope.path, scope.remainingMs(), scope.signal.aborted]);
    expect(seen).toEqual(['app', 'app', Number.POSITIVE_INFINITY, false]);
    expect(await ctx.scope('app', () => ctx.scope('import', (scope) => scope.path))).toBe('app/import');
  });

  test('rule 14: that throws cancels the children, waits for them and rejects with its own error', async () => {
    const fault = new Error('fault');
    const log: unknown[] = [];
    const result = ctx.scope('app', async (scope) => {
      scope.spawn(async () => {
        await ctx.sleep('1h').catch((reason: unknown) => log.push(reason));
        await new Promise<void>((resolve) => void time.clock.schedule(1000, resolve)); // ignores its signal for a while
        log.push('child ended');
      });
      throw fault;
    });
    void result.catch(() => log.push('scope ended'));
    await time.clock.advance('1s');
    expect(await ending(result)).toEqual({ error: fault });
    expect(log).toEqual([
      expect.objectContaining({ kind: 'body-failed', code: 'ERR_CANCELLED', cause: fault }),
      'child ended',
      'scope ended',
    ]);
  });
});

describe('the end', () => {
  test('S2: body, then children, then the scope around; rule 15: children are waited for, not stopped', async () => {
    const log: string[] = [];
    const result = ctx.scope('outer', async (outer) => {
      const value = await ctx.scope('inner', async (inner) => {
        inner.spawn(async () => {
          await ctx.sleep('2s');
          log.push('inner child');
        });
        log.push('inner body');
        return 'value';
      });
      log.push('inner');
      outer.spawn(async () => {
        await ctx.sleep('1s');
        log.push('outer child');
      });
      return value;
    });
    void result.then(() => log.push('outer'));
    await time.clock.advance('3s');
    expect(await result).toBe('value');
    expect(log).toEqual(['inner body', 'inner child', 'inner', 'outer child', 'outer']);
  });

  test('S2: waits for what children start meanwhile, and for scopes that nobody awaits', async () => {
    const log: string[] = [];
    const result = ctx.scope('app', (scope) => {
      scope.spawn(async () => {
        await ctx.sleep('1s');
        scope.spawn(async () => {
          await ctx.sleep('1s');
          log.push('grandchild');
          void ctx.scope('leftover', async () => {
            await ctx.sleep('1s');
            log.push('leftover scope');
          });
        });
      });
    });
    void result.then(() => log.push('app'));
    await time.clock.advance('3s');
    await result;
    expect(log).toEqual(['grandchild', 'leftover scope', 'app']);
  });

  test.each(Array.from({ length: 12 }, (_, hops) => [hops]))(
    'S2: a spawn %i microtasks after the last child is refused or waited for, never lost',
    async (hops) => {
      let outcome = 'never tried';
      const spawnLate = async (gate: Promise<void>, spawn: typeof ctx.spawn): Promise<void> => {
        await gate;
        for (let hop = 0; hop < hops; hop++) await Promise.resolve();
        outcome = 'running';
        try {
          spawn(() => ctx.sleep(1).then(() => (outcome = 'waited for')));
        } catch (error) {
          outcome = (error as KeelsonError).code;
        }
      };
      const result = ctx.scope('app', (scope) => {
        const gate = new Promise<void>((open) => void time.clock.schedule(1, open));
        scope.spawn(() => gate);
        void spawnLate(gate, (fn) => scope.spawn(fn));
      });
      const atEnd = result.then(() => outcome);
      await time.clock.advance(5);
      expect(['waited for', 'never tried', 'ERR_SCOPE_CLOSED']).toContain(await atEnd);
      expect(outcome).not.toBe('running');
    },
  );

  test('waits for what it was asked to keep, however often that is let go', async () => {
    const log: string[] = [];
    const result = ctx.scope('app', (scope) => {
      const letGo = ambient()?.keepOpen('something');
      letGo?.();
      letGo?.();
      scope.spawn(() => ctx.sleep('1s').then(() => log.push('child')));
    });
    void result.then(() => log.push('scope'));
    await time.clock.advance('1s');
    await result;
    expect(log).toEqual(['child', 'scope']);
  });

  test('is all there is to say of a scope that nothing happened to', async () => {
    const events: unknown[] = [];
    using _listening = listen('scope', (event) => events.push(event));
    await ctx.scope('app', (scope) => scope.spawn(() => 'value'));
    expect(events).toEqual([{ type: 'closed', policy: 'app', scope: 'app' }]);
  });

  test('can be looked at while it lives', async () => {
    using live = watchLive();
    await ctx.scope('app', (scope) => {
      expect(live.objects()).toContain(scope);
    });
  });

  test('leaves nothing in its statistics', async () => {
    let read = (): unknown => undefined;
    const result = ctx.scope('app', (scope) => {
      read = () => scope.statistics();
      scope.spawn(() => ctx.sleep('1s'));
      scope.spawn(() => ctx.sleep('2s'));
    });
    expect(read()).toEqual({ name: 'app', path: 'app', isClosed: false, isCancelled: false, inFlight: 2 });
    await time.clock.advance('1s');
    expect(read()).toMatchObject({ inFlight: 1 });
    await time.clock.advance('1s');
    await result;
    expect(read()).toEqual({ name: 'app', path: 'app', isClosed: true, isCancelled: false, inFlight: 0 });
    expect(Object.isFrozen(read())).toBe(true);
    expect(JSON.parse(JSON.stringify(read()))).toEqual(read());
  });
});

describe('S1, rule 4: the first failure decides and keeps its identity', () => {
  test('of a child, while the body waits; rule 13: what the body then ends with is no error of its own', async () => {
    const fault = new Error('fault');
    let seen: unknown;
    const result = ctx.scope('app', async (scope) => {
      scope.spawn(throws(fault), { name: 'load' });
      await ctx.sleep('1h').catch((reason: unknown) => {
        seen = reason;
        throw reason;
      });
    });
    expect(await ending(result)).toEqual({ error: fault });
    expect((await ending(result)) as { error: unknown }).toHaveProperty('error', fault);
    expect(seen).toMatchObject({ kind: 'sibling-failed', message: 'app/load failed' });
    expect((seen as CancelledError).cause).toBe(fault);
    expect(suppressedOf(fault)).toEqual([]);
  });

  test('of a child, after the body has returned', async () => {
    const fault = new Error('fault');
    const result = ctx.scope('app', (scope) => {
      scope.spawn(async () => {
        await ctx.sleep('1s');
        throw fault;
      });
      return 'value';
    });
    const ended = ending(result);
    await time.clock.advance('1s');
    expect(await ended).toEqual({ error: fault });
  });

  test('later ones of body and children are attached to it and reported', async () => {
    const [first, second, third] = [new Error('first'), new Error('second'), new Error('third')];
    const events: unknown[] = [];
    using _listening = listen('scope', (event) => events.push(event));
    const result = ctx.scope('app', async (scope) => {
      scope.spawn(() => ctx.sleep('1h').catch(throws(second)), { name: 'b' });
      scope.spawn(throws(first), { name: 'a' });
      await ctx.sleep('1h').catch(() => undefined);
      throw third;
    });
    expect(await ending(result)).toHaveProperty('error', first);
    expect(suppressedOf(first)).toEqual([second, third]);
    const failed = { type: 'failed', policy: 'app', scope: 'app' };
    expect(events).toEqual([
      { ...failed, by: 'app/a', error: first },
      { ...failed, by: 'app/b', error: second },
      { ...failed, by: 'app', error: third },
      { type: 'closed', policy: 'app', scope: 'app' },
    ]);
  });

  test('whoever passes it on is no second failure; whoever wraps it is attached', async () => {
    const fault = new Error('fault');
    const wrapper = new Error('import failed', { cause: fault });
    const childsWrapper = new Error('row failed', { cause: fault });
    const events: unknown[] = [];
    using _listening = listen('scope', (event) => event.type === 'failed' && events.push(event));
    const passedOn = ctx.scope('app', async (scope) => {
      const failing = scope.spawn(throws(fault), { name: 'failing' });
      scope.spawn(() => failing, { name: 'passes on' });
      await failing;
    });
    expect(await ending(passedOn)).toHaveProperty('error', fault);
    expect(suppressedOf(fault)).toEqual([]);
    expect(events).toHaveLength(1);

    const wrapped = ctx.scope('app', async (scope) => {
      const failing = scope.spawn(throws(fault), { name: 'failing' });
      scope.spawn(() => failing.catch(throws(childsWrapper)));
      await failing.catch(throws(wrapper));
    });
    expect(await ending(wrapped)).toHaveProperty('error', fault);
    expect(suppressedOf(fault)).toEqual(expect.arrayContaining([wrapper, childsWrapper]));
    expect(suppressedOf(fault)).toHaveLength(2);
  });

  test('rule 5: an error that is frozen has its history all the same; one that is no object only in the events', async () => {
    const frozen = Object.freeze(new Error('frozen'));
    const later = new Error('later');
    const seen: unknown[] = [];
    using _listening = listen('scope', (event) => event.type === 'failed' && seen.push((event as { error?: unknown }).error));
    const failing = (first: unknown): Promise<void> =>
      ctx.scope('app', (scope) => {
        scope.spawn(() => ctx.sleep('1h').catch(throws(later)));
        throw first;
      });
    expect(await ending(failing(frozen))).toHaveProperty('error', frozen);
    expect(suppressedOf(frozen)).toEqual([later]);
    expect(await ending(failing('a text'))).toEqual({ error: 'a text' });
    expect(seen).toEqual([frozen, later, 'a text', later]);
  });

  test('a failure in a scope inside, once caught, is nothing to the scope around', async () => {
    const fault = new Error('fault');
    const result = ctx.scope('outer', async (outer) => {
      const sibling = outer.spawn(() => ctx.sleep('1s').then(() => 'sibling'));
      const inner = await ctx.scope('inner', (scope) => void scope.spawn(throws(fault))).catch((error: unknown) => error);
      return [inner, await sibling];
    });
    await time.clock.advance('1s');
    expect(await result).toEqual([fault, 'sibling']);
  });

  test('S6, rule 34: a child that fails with nobody awaiting it makes no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      const fault = new Error('fault');
      const result = ctx.scope('app', async (scope) => {
        scope.spawn(() => ctx.sleep(1).then(throws(fault)));
        scope.spawn(() => ctx.sleep('1h'));
        void ctx.sleep('1h');
        scope.spawn(throws(new Error('later')));
        await ctx.sleep('1h').catch(() => undefined);
        scope.spawn(() => 'too late');
      });
      const ended = ending(result);
      await time.clock.advance(1);
      await ended;
      await time.clock.settle();
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});

test('two scopes at once never mix: context, cancellation, failure', async () => {
  const seen: string[] = [];
  const visit = async (name: string): Promise<string> =>
    ctx.scope(name, async (scope) => {
      const tasks = ['x', 'y'].map((task) =>
        scope.spawn(
          async ({ path }) => {
            for (let step = 0; step < 3; step++) await ctx.sleep(1);
            seen.push(`${path} in ${scope.path} cancelled: ${ctx.signal.aborted}`);
            return task;
          },
          { name: task },
        ),
      );
      if (name === 'b') await ctx.sleep(2).then(() => scope.cancel('stop'));
      return (await Promise.all(tasks)).join('');
    });
  const [a, b] = [ending(visit('a')), ending(visit('b'))];
  await time.clock.advance(5);
  expect(await a).toEqual({ value: 'xy' });
  expect(await b).toEqual({ error: 'stop' });
  expect(seen).toEqual(['a/x in a cancelled: false', 'a/y in a cancelled: false']);
});

test('P3: code inside goes on in its own async context, ours and every other', async () => {
  const foreign = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const note = (): void => void seen.push([foreign.getStore(), ambient()?.path]);
  const run = (name: string): Promise<void> =>
    foreign.run(name, () =>
      ctx.scope('app', async (scope) => {
        const child = scope.spawn(() => ctx.sleep(1).then(note), { name: 'child' });
        await ctx.sleep(1);
        note();
        await child;
        note();
      }),
    );
  const runs = [run('a'), run('b')];
  await time.clock.advance(1);
  await Promise.all(runs);
  const of = (name: string): unknown[] => [
    [name, 'app/child'],
    [name, 'app'],
    [name, 'app'],
  ];
  expect(new Set(seen)).toEqual(new Set([...of('a'), ...of('b')]));
  expect(seen).toHaveLength(6);
  expect(ambient()).toBeUndefined();
});
