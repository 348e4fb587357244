import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { describe, expect, onTestFinished, test } from 'vitest';
import { foreignListeners } from '../cancel/foreign-signal.ts';
import { watchLive } from '../observe/live.ts';
import { expectNoLeaks } from '../testing/expect-no-leaks.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from '../time/current-clock.ts';
import { Semaphore } from './semaphore.ts';

/** How `promise` stands once all that can run has run. */
const stateOf = async (promise: Promise<unknown>): Promise<'pending' | 'fulfilled' | 'rejected'> => {
  let state: 'pending' | 'fulfilled' | 'rejected' = 'pending';
  promise.then(
    () => {
      state = 'fulfilled';
    },
    () => {
      state = 'rejected';
    },
  );
  await new Promise(setImmediate);
  return state;
};

/** Events `dropped` of the test, by whom. */
const listenForDrops = (): unknown[] => {
  const drops: unknown[] = [];
  const listener = (event: unknown): void => void drops.push(event);
  channel('keelson:semaphore').subscribe(listener);
  onTestFinished(() => void channel('keelson:semaphore').unsubscribe(listener));
  return drops;
};

describe('permits', () => {
  test('are given while there are some, then callers wait', async () => {
    const semaphore = new Semaphore(2);
    await semaphore.acquire();
    const second = await semaphore.acquire();
    const third = semaphore.acquire();
    expect(await stateOf(third)).toBe('pending');
    expect(semaphore.statistics()).toMatchObject({ inFlight: 2, waiting: 1 });
    second.release();
    expect(await stateOf(third)).toBe('fulfilled');
    expect(semaphore.statistics()).toMatchObject({ inFlight: 2, waiting: 0 });
  });

  test('P2: go straight to whoever has waited longest, never to a newcomer', async () => {
    const semaphore = new Semaphore(1);
    const held = await semaphore.acquire();
    const order: string[] = [];
    const waiting = ['a', 'b', 'c'].map(async (name) => {
      using _permit = await semaphore.acquire();
      order.push(name);
    });
    held.release();
    expect(semaphore.tryAcquire()).toBeUndefined();
    waiting.push(semaphore.acquire().then((permit) => permit.release()));
    await Promise.all(waiting);
    expect(order).toEqual(['a', 'b', 'c']);
    expect(semaphore.statistics()).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  test('are given back once, however often they are released', async () => {
    const semaphore = new Semaphore(2);
    const [first] = [await semaphore.acquire(), await semaphore.acquire()];
    first.release();
    first.release();
    first[Symbol.dispose]();
    expect(semaphore.statistics().inFlight).toBe(1);
  });

  test('tryAcquire never waits', () => {
    const semaphore = new Semaphore(1);
    const permit = semaphore.tryAcquire();
    expect(semaphore.tryAcquire()).toBeUndefined();
    permit?.release();
    expect(semaphore.tryAcquire()).toBeDefined();
  });

  test('P3: a waiter goes on in the async context it began in, not in that of the releaser', async () => {
    const storage = new AsyncLocalStorage<string>();
    const semaphore = new Semaphore(1);
    const held = await semaphore.acquire();
    const seen = storage.run('waiter', async () => {
      using _permit = await semaphore.acquire();
      return storage.getStore();
    });
    storage.run('releaser', () => held.release());
    expect(await seen).toBe('waiter');
  });

  test('a waiter never runs on the stack of the releaser', async () => {
    const semaphore = new Semaphore(1);
    const held = await semaphore.acquire();
    let hasRun = false;
    const waiting = semaphore.acquire().then(() => {
      hasRun = true;
    });
    held.release();
    expect(hasRun).toBe(false);
    await waiting;
  });

  test('10,000 waiters are served without recursion', async () => {
    const semaphore = new Semaphore(1);
    let served = 0;
    await Promise.all(Array.from({ length: 10_000 }, () => semaphore.run(() => void served++)));
    expect(served).toBe(10_000);
  });
});

describe('the caller', () => {
  test('C1, C2: ends its wait at once, with its own reason as the same object', async () => {
    await using _leaks = expectNoLeaks();
    const drops = listenForDrops();
    const semaphore = new Semaphore(1, { name: 'gate' });
    using _held = await semaphore.acquire();
    const controller = new AbortController();
    const reason = { mine: true };
    const waiting = semaphore.acquire({ signal: controller.signal });
    controller.abort(reason);
    expect(semaphore.statistics().waiting).toBe(0);
    await expect(waiting).rejects.toBe(reason);
    expect(drops).toEqual([{ type: 'dropped', policy: 'gate', by: 'caller' }]);
  });

  test('C2: takes no permit once it is cancelled', async () => {
    const semaphore = new Semaphore(1);
    const reason = new Error('too late');
    await expect(semaphore.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(semaphore.statistics().inFlight).toBe(0);
  });

  test('C2: notices an abort that came while nobody waited', async () => {
    const semaphore = new Semaphore(1);
    const controller = new AbortController();
    const held = await semaphore.acquire();
    const first = semaphore.acquire({ signal: controller.signal });
    held.release();
    const permit = await first;
    await new Promise(setImmediate);
    const reason = new Error('later');
    controller.abort(reason);
    await expect(semaphore.acquire({ signal: controller.signal })).rejects.toBe(reason);
    permit.release();
  });

  test('keeps a permit that was granted before the abort', async () => {
    await using _leaks = expectNoLeaks();
    const semaphore = new Semaphore(1);
    const held = await semaphore.acquire();
    const controller = new AbortController();
    const waiting = semaphore.acquire({ signal: controller.signal });
    held.release();
    controller.abort();
    const permit = await waiting;
    expect(semaphore.statistics().inFlight).toBe(1);
    permit.release();
  });

  test('C5: many waiters on one signal cost one listener, and none when they are gone', async () => {
    const semaphore = new Semaphore(1);
    using _held = await semaphore.acquire();
    const controller = new AbortController();
    const before = foreignListeners();
    const waiting = Array.from({ length: 100 }, () => semaphore.acquire({ signal: controller.signal }));
    expect(foreignListeners() - before).toBe(1);
    controller.abort(new Error('stop'));
    const settled = await Promise.allSettled(waiting);
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true);
    expect(foreignListeners() - before).toBe(0);
  });
});

describe('a timeout', () => {
  test('ends the wait, with numbers and what to change', async () => {
    using clock = useClock(new VirtualClock());
    await using _leaks = expectNoLeaks({ clock });
    const drops = listenForDrops();
    const semaphore = new Semaphore(1, { name: 'gate' });
    using _held = await semaphore.acquire();
    const waiting = semaphore.acquire({ timeout: '2s' });
    const other = semaphore.acquire({ timeout: '3s' });
    const rejected = expect(waiting).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      policy: 'gate',
      timeoutMs: 2000,
      message: 'gate timed out after 2s (1 of 1 permits in flight, 1 more waiting); raise the permits or the timeout',
    });
    await clock.advance(1999);
    expect(await stateOf(waiting)).toBe('pending');
    await clock.advance(1);
    await rejected;
    expect(drops).toEqual([{ type: 'dropped', policy: 'gate', by: 'timeout' }]);
    const last = expect(other).rejects.toMatchObject({ timeoutMs: 3000 });
    await clock.advance('1s');
    await last;
  });

  test('leaves no timer once the permit came', async () => {
    using clock = useClock(new VirtualClock());
    await using _leaks = expectNoLeaks({ clock });
    const semaphore = new Semaphore(1);
    const held = await semaphore.acquire();
    const waiting = semaphore.acquire({ timeout: '1h' });
    expect(clock.pendingTimers).toBe(1);
    held.release();
    (await waiting).release();
    expect(clock.pendingTimers).toBe(0);
  });

  test('T2: of Infinity is none', async () => {
    using clock = useClock(new VirtualClock());
    const semaphore = new Semaphore(1);
    const held = await semaphore.acquire();
    const waiting = semaphore.acquire({ timeout: Number.POSITIVE_INFINITY });
    expect(clock.pendingTimers).toBe(0);
    held.release();
    expect(await stateOf(waiting)).toBe('fulfilled');
  });
});

describe('run', () => {
  test('P1: holds the permit until what fn returned has settled', async () => {
    const semaphore = new Semaphore(1);
    const work = Promise.withResolvers<string>();
    const result = semaphore.run(() => work.promise);
    expect(await stateOf(result)).toBe('pending');
    expect(semaphore.statistics().inFlight).toBe(1);
    work.resolve('done');
    expect(await result).toBe('done');
    expect(semaphore.statistics().inFlight).toBe(0);
  });

  test('F1: gives the permit back after a throw, a rejection and a value', async () => {
    const semaphore = new Semaphore(1);
    const fault = new Error('fault');
    const throwing = (): never => {
      throw fault;
    };
    await expect(semaphore.run(throwing)).rejects.toBe(fault);
    await expect(semaphore.run(() => Promise.reject(fault))).rejects.toBe(fault);
    expect(await semaphore.run(() => 5)).toBe(5);
    expect(semaphore.statistics().inFlight).toBe(0);
  });

  test('C2: does not run fn once the wait has ended', async () => {
    const semaphore = new Semaphore(1);
    await expect(semaphore.run(() => expect.unreachable(), { signal: AbortSignal.abort('stop') })).rejects.toBe('stop');
  });
});

describe('close', () => {
  test('P5: settles everybody who waits, refuses all who come later, and may be called twice', async () => {
    using clock = useClock(new VirtualClock());
    await using _leaks = expectNoLeaks({ clock });
    const drops = listenForDrops();
    const semaphore = new Semaphore(1, { name: 'gate' });
    const held = await semaphore.acquire();
    const waiting = [semaphore.acquire(), semaphore.acquire({ timeout: '1h', signal: new AbortController().signal })];
    const settled = Promise.allSettled(waiting);
    semaphore.close();
    semaphore.close();
    const closed = expect.objectContaining({ code: 'ERR_CLOSED', policy: 'gate', message: 'gate is closed' });
    expect(await settled).toEqual([
      { status: 'rejected', reason: closed },
      { status: 'rejected', reason: closed },
    ]);
    held.release();
    await expect(semaphore.acquire()).rejects.toEqual(closed);
    expect(semaphore.tryAcquire()).toBeUndefined();
    expect(drops).toEqual([
      { type: 'dropped', policy: 'gate', by: 'close' },
      { type: 'dropped', policy: 'gate', by: 'close' },
    ]);
  });

  test('leaves permits in flight as they are', async () => {
    const semaphore = new Semaphore(2);
    const held = await semaphore.acquire();
    semaphore.close();
    expect(semaphore.statistics()).toMatchObject({ inFlight: 1, isClosed: true });
    held.release();
    expect(semaphore.statistics().inFlight).toBe(0);
  });

  test('C1: a caller who is cancelled gets its own reason also from a closed semaphore', async () => {
    const semaphore = new Semaphore(1);
    semaphore.close();
    await expect(semaphore.acquire({ signal: AbortSignal.abort('mine') })).rejects.toBe('mine');
  });
});

describe('statistics', () => {
  test('are frozen and plain', async () => {
    const semaphore = new Semaphore(3);
    await semaphore.acquire();
    const statistics = semaphore.statistics();
    expect(Object.isFrozen(statistics)).toBe(true);
    expect(JSON.parse(JSON.stringify(statistics))).toEqual({ name: 'semaphore', permits: 3, inFlight: 1, waiting: 0, isClosed: false });
  });

  test('are seen by whoever looks', () => {
    using live = watchLive();
    const semaphore = new Semaphore(1);
    expect(live.objects()).toContain(semaphore);
  });
});

describe('F2: wrong options', () => {
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3'])('permits: %s', (permits) => {
    expect(() => new Semaphore(permits as number)).toThrow(/^Semaphore: permits must be a whole number of at least 1, got /);
  });

  test('name and unknown keys', () => {
    expect(() => new Semaphore(1, { name: '' })).toThrow('Semaphore: name must be a text that is not empty, got ""');
    expect(() => new Semaphore(1, { size: 5 } as object)).toThrow('Semaphore: unknown option "size"');
  });

  test('of acquire', async () => {
    const semaphore = new Semaphore(1);
    const refused = async (options: object): Promise<string> =>
      semaphore.acquire(options).then(
        () => 'a permit',
        (error: Error) => error.message,
      );
    expect(await refused({ timeout: 0 })).toMatch(/^semaphore.acquire: timeout must be a duration above 0 /);
    expect(await refused({ signal: 'stop' })).toBe('semaphore.acquire: signal must be an AbortSignal, got "stop"');
    expect(await refused({ priority: 1 })).toMatch(/^semaphore.acquire: unknown option "priority"/);
    expect(semaphore.statistics().inFlight).toBe(0);
  });
});
