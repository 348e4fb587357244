import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CancelledError } from '../errors/cancelled-error.ts';
import { suppressedOf } from '../errors/history.ts';
import { listen } from '../observe/events.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { ctx } from './ctx.ts';
import type { Scope } from './scope.ts';

const time = onVirtualTime();

// Within a cancelled scope a failed `expect` would only be attached to the reason: there it is `expect.soft`.

/** Ways in which a scope is cancelled with a given reason, a second after it began. */
const cancellers: readonly [string, (reason: unknown, body: (scope: Scope) => Promise<unknown>) => Promise<unknown>][] = [
  [
    'itself',
    (reason, body) =>
      ctx.scope('app', (scope) => {
        time.clock.schedule(1000, () => scope.cancel(reason));
        return body(scope);
      }),
  ],
  [
    'its signal',
    (reason, body) => {
      const controller = new AbortController();
      time.clock.schedule(1000, () => controller.abort(reason));
      return ctx.scope('app', { signal: controller.signal }, body);
    },
  ],
  [
    'the scope around',
    (reason, body) =>
      ctx.scope('outer', (outer) => {
        time.clock.schedule(1000, () => outer.cancel(reason));
        return ctx.scope('app', body);
      }),
  ],
  [
    'the task around',
    (reason, body) =>
      ctx.scope('outer', (outer) => {
        const task = outer.spawn(() => ctx.scope('app', body));
        time.clock.schedule(1000, () => task.cancel(reason));
        return task;
      }),
  ],
];

describe.each(cancellers)('cancelled by %s', (_, cancelled) => {
  const reasons: readonly [string, unknown][] = [
    ['an error', new Error('stop')],
    ['an object', { the: 'reason' }],
    ['a text', 'stop'],
  ];

  test.each(reasons)('C1: comes back as the same object: %s', async (_name, reason) => {
    const signals: AbortSignal[] = [];
    const result = ending(
      cancelled(reason, async (scope) => {
        signals.push(ctx.signal);
        scope.spawn(async (task) => {
          signals.push(task.signal, ctx.signal);
          await ctx.sleep('1h');
        });
        await ctx.sleep('1h');
      }),
    );
    await time.clock.advance('1s');
    const { error } = (await result) as { error: unknown };
    expect(error).toBe(reason);
    expect(signals.map((signal) => signal.reason === reason)).toEqual([true, true, true]);
  });

  test('C1: an API that wrapped the reason is attached to it', async () => {
    const reason = new Error('stop');
    const wrapper = new DOMException('This operation was aborted', { name: 'AbortError', cause: reason });
    const childsWrapper = new Error('row failed', { cause: new Error('read failed', { cause: reason }) });
    const result = ending(
      cancelled(reason, async (scope) => {
        scope.spawn(() => ctx.sleep('1h').catch(() => Promise.reject(childsWrapper)));
        await ctx.sleep('1h').catch(() => Promise.reject(wrapper));
      }),
    );
    await time.clock.advance('1s');
    expect(await result).toHaveProperty('error', reason);
    expect(new Set(suppressedOf(reason))).toEqual(new Set([wrapper, childsWrapper]));
    expect(suppressedOf(reason)).toHaveLength(2);
  });

  test('C4, rule 22: an AbortError of somebody else’s is a failure, which came later', async () => {
    const reason = new Error('stop');
    const theirs = new DOMException('This operation was aborted', 'AbortError');
    const events: unknown[] = [];
    using _listening = listen('scope', (event) => event.type === 'failed' && events.push(event));
    const result = ending(cancelled(reason, () => ctx.sleep('1h').catch(() => Promise.reject(theirs))));
    await time.clock.advance('1s');
    expect(await result).toHaveProperty('error', reason);
    expect(suppressedOf(reason)).toEqual([theirs]);
    expect(events[0]).toMatchObject({ by: expect.stringMatching(/app$/), error: theirs });
  });

  test('C6, rule 23: every wait rejects again, so that a swallowed cancellation cannot hang', async () => {
    const reason = new Error('stop');
    let swallowed = 0;
    const result = ending(
      cancelled(reason, async (scope) => {
        const waits = [
          () => ctx.sleep('1h'),
          () => scope.sleep('1h'),
          () => ctx.scope('inner', () => 'never'),
          () => scope.scope('inner', () => 'never'),
          () => ctx.spawn(() => 'never'),
          () => scope.spawn(() => 'never'),
          async () => ctx.throwIfCancelled(),
          async () => scope.throwIfCancelled(),
        ];
        await ctx.sleep('1h').catch(() => undefined);
        for (const wait of waits) {
          const outcome = await ending(wait());
          expect.soft(outcome).toHaveProperty('error', reason);
          swallowed++;
        }
        expect.soft(ctx.remainingMs()).toBe(0);
      }),
    );
    await time.clock.advance('1s');
    await result;
    expect(swallowed).toBe(8);
  });

  test('C3: waits for all that is inside, cleanup included', async () => {
    const log: string[] = [];
    const clean = async (what: string): Promise<void> => {
      await ctx.sleep('1h').catch(() => undefined);
      await new Promise<void>((resolve) => void time.clock.schedule(1000, resolve));
      log.push(what);
    };
    const result = cancelled('stop', async (scope) => {
      scope.spawn(() => clean('child'));
      await ctx.scope('inner', () => clean('inner'));
    });
    const ended = ending(result).then(() => log.push('end'));
    await time.clock.advance('1500ms');
    expect(log).toEqual([]);
    await time.clock.advance('500ms');
    await ended;
    expect(log.toSorted()).toEqual(['child', 'end', 'inner']);
    expect(log.at(-1)).toBe('end');
  });
});

describe('rule 23: a cancellation that was swallowed', () => {
  test('counts for nothing if the body and all children end well in spite of it', async () => {
    const events: unknown[] = [];
    using _listening = listen('scope', (event) => events.push(event));
    const value = await ctx.scope('app', async (scope) => {
      const child = scope.spawn(() => ctx.sleep('1h').catch(() => 'child'), { name: 'child' });
      scope.cancel('stop');
      return [await child, await ctx.sleep('1h').catch(() => 'body')];
    });
    expect(value).toEqual(['child', 'body']);
    expect(events).toEqual([
      { type: 'cancelled', policy: 'app', scope: 'app', reason: 'stop' },
      { type: 'cancel-swallowed', policy: 'app', scope: 'app', by: 'app/child' },
      { type: 'cancel-swallowed', policy: 'app', scope: 'app', by: 'app' },
      { type: 'closed', policy: 'app', scope: 'app' },
    ]);
  });

  test.each<[string, (scope: Scope) => void]>([
    ['was cut short', (scope) => void scope.spawn(() => ctx.sleep('1h'))],
    ['failed afterwards', (scope) => void scope.spawn(() => ctx.sleep('1h').catch(() => Promise.reject(new Error('later'))))],
  ])('does not hide that a child %s: the body had returned', async (_, startChild) => {
    const result = ctx.scope('app', (scope) => {
      startChild(scope);
      time.clock.schedule(1000, () => scope.cancel('stop'));
      return 'value';
    });
    const ended = ending(result);
    await time.clock.advance('1s');
    expect(await ended).toEqual({ error: 'stop' });
  });

  test('does not hide that a child was not started', async () => {
    const result = ctx.scope('app', (scope) => {
      scope.cancel('stop');
      scope.spawn(() => 'never');
      return 'value';
    });
    expect(await ending(result)).toEqual({ error: 'stop' });
  });
});

describe('cancelling', () => {
  test('rule 24: is synchronous and idempotent, and the first reason wins', async () => {
    const result = ctx.scope('app', (scope) => {
      const child = scope.spawn((task) => ctx.sleep('1h').catch(() => task.signal.reason));
      expect(scope.signal.aborted).toBe(false);
      scope.cancel('first');
      expect(scope.signal.reason).toBe('first');
      expect(() => scope.throwIfCancelled()).toThrow('first');
      scope.cancel('second');
      return child;
    });
    expect(await result).toBe('first');
  });

  test('rule 21: has a reason of its own where none is given', async () => {
    const of = (scope: string): Promise<unknown> =>
      ctx.scope(scope, async (own) => {
        own.cancel();
        await own.sleep('1h');
      });
    const [one, other] = (await Promise.all([ending(of('a')), ending(of('a'))])) as { error: CancelledError }[];
    expect(one?.error).toMatchObject({ name: 'AbortError', code: 'ERR_CANCELLED', kind: 'explicit', message: 'scope a was cancelled' });
    expect(one?.error).not.toBe(other?.error);
  });

  test('C2: is looked at before anything begins', async () => {
    let begun = 0;
    const begin = (): void => void begun++;
    expect(await ending(ctx.scope('app', { signal: AbortSignal.abort('stop') }, begin))).toEqual({ error: 'stop' });
    const inside = ctx.scope('outer', async (outer) => {
      outer.cancel('stop');
      expect.soft(await ending(ctx.scope('inner', begin))).toEqual({ error: 'stop' });
      expect.soft(await ending(outer.spawn(begin))).toEqual({ error: 'stop' });
    });
    expect(await ending(inside)).toEqual({ error: 'stop' });
    expect(begun).toBe(0);
  });

  test('rule 18: a task spawned into a cancelled scope is cancelled already', async () => {
    const result = ctx.scope('app', (scope) => {
      scope.cancel('stop');
      const task = scope.spawn(() => 'never', { name: 'late' });
      expect.soft([task.name, task.status]).toEqual(['late', 'cancelled']);
      expect.soft(() => task.cancel('again')).not.toThrow();
    });
    expect(await ending(result)).toEqual({ error: 'stop' });
  });

  test('of a task ends that task alone, and all that it does', async () => {
    const result = ctx.scope('app', async (scope) => {
      const ends: unknown[] = [];
      const inner = (): Promise<void> => ctx.scope('inner', () => ctx.sleep('1h')).finally(() => ends.push(ctx.signal.reason));
      const [a, b] = [scope.spawn(inner), scope.spawn(() => ctx.sleep('1s').then(() => 'b'))];
      a.cancel('stop');
      a.cancel('again');
      ends.push(await ending(a), await ending(b), a.status, b.status);
      return ends;
    });
    await time.clock.advance('1s');
    expect(await result).toEqual(['stop', { error: 'stop' }, { value: 'b' }, 'cancelled', 'done']);
  });

  test('reaches what a finished task has left behind', async () => {
    const result = ctx.scope('app', async (scope) => {
      await scope.spawn(() => void ctx.scope('leftover', () => ctx.sleep('1h')).catch(() => undefined));
      scope.cancel('stop');
      return 'value';
    });
    expect(await result).toBe('value');
  });

  test('C5: listens once to a foreign signal, and no longer than the scope lives', async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = controller.signal;
    controller.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners++;
      addEventListener.apply(controller.signal, args);
    };
    controller.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners--;
      removeEventListener.apply(controller.signal, args);
    };
    const scopes = Array.from({ length: 100 }, () => ctx.scope('app', { signal: controller.signal }, () => ctx.sleep('1s')));
    expect(listeners).toBe(1);
    await time.clock.advance('1s');
    await Promise.all(scopes);
    await time.clock.settle();
    expect(listeners).toBe(0);
  });

  test('C5: makes no AbortSignal that nobody asks for', async () => {
    let made = 0;
    class Counted extends AbortController {
      constructor() {
        super();
        made++;
      }
    }
    vi.stubGlobal('AbortController', Counted);
    onTestFinished(() => void vi.unstubAllGlobals());
    const run = (look: (signal: () => AbortSignal) => void): Promise<unknown> =>
      ending(
        ctx.scope('outer', () =>
          ctx.scope('inner', async (scope) => {
            scope.spawn(async (task) => {
              look(() => task.signal);
              await ctx.sleep('1h');
            });
            scope.cancel('stop');
          }),
        ),
      );
    await run(() => {});
    expect(made).toBe(0);
    await run((signal) => expect.soft(signal().aborted).toBe(false));
    expect(made).toBe(1);
  });

  test('C7: success aborts nothing', async () => {
    const signals: AbortSignal[] = [];
    const value = await ctx.scope('app', async (scope) => {
      signals.push(ctx.signal);
      return await scope.spawn((task) => {
        signals.push(task.signal);
        return 'value';
      });
    });
    expect(value).toBe('value');
    expect(signals.map((signal) => signal.aborted)).toEqual([false, false]);
  });

  test('ends 10,000 children, and leaves nothing of them', async () => {
    const COUNT = 10_000;
    let ended = 0;
    const result = ctx.scope('app', async (scope) => {
      const tasks = Array.from({ length: COUNT }, () =>
        scope.spawn(async () => {
          try {
            await ctx.sleep('1h');
          } finally {
            ended++;
          }
        }),
      );
      expect(time.clock.pendingTimers).toBe(COUNT);
      await ctx.sleep('1s');
      scope.cancel('stop');
      expect.soft(time.clock.pendingTimers).toBe(0);
      await Promise.allSettled(tasks.map((task) => task.promise));
      return tasks.every((task) => task.status === 'cancelled');
    });
    const outcome = ending(result);
    await time.clock.advance('1s');
    expect(await outcome).toEqual({ error: 'stop' });
    expect(ended).toBe(COUNT);
    expect(suppressedOf('stop')).toEqual([]);
  });
});
