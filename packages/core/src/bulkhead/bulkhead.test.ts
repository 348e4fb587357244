import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { type KeelsonEvent, listen } from '../observe/events.ts';
import { watchLive } from '../observe/live.ts';
import { compose } from '../policy/compose.ts';
import { again, limit } from '../policy/test-layers.test-support.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { type ScriptedCall, scriptedOperation } from '../testing/scripted-operation.ts';
import { type Bulkhead, type BulkheadStatistics, bulkhead } from './bulkhead.ts';
import { BulkheadFullError } from './bulkhead-layer.ts';

const time = onVirtualTime();

/** Where a bulkhead stands. */
const counts = (policy: Bulkhead): readonly number[] => {
  const { inFlight, waiting, abandoned } = policy.statistics();
  return [inFlight, waiting, abandoned];
};

/** Ends `running`, and calls `body` when its permit is somebody else's, who has not begun yet: a reaction after the hand-off, one before the start. */
function afterHandOff<T>(running: ScriptedCall<string>, body: () => T): Promise<T> {
  running.resolve('first');
  return Promise.resolve().then(body);
}

describe('P2: the order', () => {
  test('is that of coming', async () => {
    const policy = bulkhead({ maxConcurrency: 2 });
    const started: number[] = [];
    const work = scriptedOperation<void>();
    const results = Array.from({ length: 20 }, (_, n) =>
      policy.execute((call) => {
        started.push(n);
        return work.operation(call);
      }),
    );
    for (let ended = 0; ended < 20; ended++) {
      const call = await work.expectCall();
      expect(counts(policy)[0]).toBeLessThanOrEqual(2);
      call.resolve();
    }
    await Promise.all(results);
    expect(started).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  test('holds against a newcomer at the very moment a permit comes back', async () => {
    const policy = bulkhead({ maxConcurrency: 1 });
    const started: string[] = [];
    const run = (name: string): Promise<void> => policy.execute(() => void started.push(name));
    const work = scriptedOperation<string>();
    const first = policy.execute(work.operation).then(() => run('newcomer'));
    const second = run('waiting');
    const other = afterHandOff(await work.expectCall(), () => run('another newcomer'));
    await Promise.all([first, second, other]);
    expect(started[0]).toBe('waiting');
    expect(started).toHaveLength(3);
  });

  test('goes through 10,000 calls that wait and end at once, without a deep stack', async () => {
    const policy = bulkhead({ maxConcurrency: 1, maxQueue: Number.POSITIVE_INFINITY });
    let ended = 0;
    await Promise.all(Array.from({ length: 10_000 }, () => policy.execute(() => void ended++)));
    expect([ended, ...counts(policy)]).toEqual([10_000, 0, 0, 0]);
  });
});

describe('L3: the queue', () => {
  test('is bounded: beyond, a call is refused at once and never started', async () => {
    const policy = bulkhead({ maxConcurrency: 1, maxQueue: 1, name: 'database' });
    const work = scriptedOperation<string>();
    const results = [policy.execute(work.operation), policy.execute(work.operation)];
    const outcome = await policy.attempt(work.operation, { name: 'loadUser' });
    expect(outcome).toMatchObject({ ok: false, by: 'policy', error: { code: 'ERR_BULKHEAD_FULL', operation: 'loadUser' } });
    expect((outcome as { error: unknown }).error).toBeInstanceOf(BulkheadFullError);
    (await work.expectCall()).resolve('first');
    (await work.expectCall()).resolve('second');
    expect(await Promise.all(results)).toEqual(['first', 'second']);
    expect(work.calls).toHaveLength(2);
    expect(policy.statistics().refused).toBe(1);
  });

  test('C2: is left at once by a caller who cancels, with the caller’s reason, and by one whose time is up', async () => {
    const policy = bulkhead({ maxConcurrency: 1 });
    const work = scriptedOperation<string>();
    const running = policy.execute(work.operation);
    const controller = new AbortController();
    const left = policy.attempt(work.operation, { signal: controller.signal });
    const late = compose(limit(100), policy).attempt(work.operation, { name: 'loadUser' });
    const last = policy.execute(work.operation);
    await time.clock.settle();
    expect(counts(policy)).toEqual([1, 3, 0]);
    const reason = new Error('left');
    controller.abort(reason);
    expect(counts(policy)).toEqual([1, 2, 0]);
    expect(await left).toEqual({ ok: false, by: 'caller', error: reason });
    await time.clock.advance(100);
    expect(counts(policy)).toEqual([1, 1, 0]);
    expect(await late).toMatchObject({ ok: false, by: 'policy', error: { code: 'ERR_TIMEOUT' } });
    (await work.expectCall()).resolve('first');
    (await work.expectCall()).resolve('last');
    expect(await Promise.all([running, last])).toEqual(['first', 'last']);
  });

  test('C2: takes nobody whose caller has cancelled before', async () => {
    const policy = bulkhead({ maxConcurrency: 1 });
    const reason = new Error('left');
    await expect(policy.execute(() => 'value', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(counts(policy)).toEqual([0, 0, 0]);
  });

  test('hands on the permit of one who is granted it and then cancels before running', async () => {
    const policy = bulkhead({ maxConcurrency: 1 });
    const work = scriptedOperation<string>();
    const controller = new AbortController();
    const first = policy.execute(work.operation);
    const granted = ending(policy.execute(() => 'never', { signal: controller.signal }));
    const next = policy.execute(work.operation);
    const reason = new Error('left');
    const between = afterHandOff(await work.expectCall(), () => {
      const standing = counts(policy);
      controller.abort(reason);
      return standing;
    });
    expect(await between).toEqual([1, 1, 0]); // the second has the permit of the first, the third waits
    expect(await granted).toEqual({ error: reason });
    (await work.expectCall()).resolve('next');
    expect(await Promise.all([first, next])).toEqual(['first', 'next']);
    expect(counts(policy)).toEqual([0, 0, 0]);
  });
});

describe('P1: a permit', () => {
  test('is held until the work has ended, whatever became of its caller', async () => {
    const policy = bulkhead({ maxConcurrency: 2 });
    const work = scriptedOperation<string>();
    const controller = new AbortController();
    const cancelled = ending(policy.execute(work.operation, { signal: controller.signal }));
    const timedOut = ending(compose(policy, limit(100)).execute(work.operation));
    const next = policy.execute(work.operation);
    await time.clock.settle();
    controller.abort();
    await time.clock.advance(100);
    await Promise.all([cancelled, timedOut]);
    expect(counts(policy)).toEqual([2, 1, 2]);
    const [first, second] = [await work.expectCall(), await work.expectCall()];
    await work.expectNoCall();
    first.reject(new Error('at last'));
    (await work.expectCall()).resolve('next');
    expect(await next).toBe('next');
    expect(counts(policy)).toEqual([1, 0, 1]);
    second.resolve('at last');
    await time.clock.settle();
    expect(counts(policy)).toEqual([0, 0, 0]);
  });

  test('is held as long as what the call holds, which is no abandoned work', async () => {
    const policy = bulkhead({ maxConcurrency: 1 });
    const body = Promise.withResolvers<void>();
    expect(
      await policy.execute((call) => {
        call.hold(body.promise);
        return 'head';
      }),
    ).toBe('head');
    expect(counts(policy)).toEqual([1, 0, 0]);
    body.resolve();
    await time.clock.settle();
    expect(counts(policy)).toEqual([0, 0, 0]);
  });

  test('that abandoned work holds is counted against maxAbandoned: who would wait behind too much of it is refused', async () => {
    const policy = bulkhead({ maxConcurrency: 2, maxAbandoned: 1, name: 'database' });
    const abandoning = compose(policy, limit(100));
    const work = scriptedOperation<string>();
    const first = ending(abandoning.execute(work.operation));
    await time.clock.advance(100);
    await first;
    const second = ending(abandoning.execute(work.operation)); // the other permit is free
    const waiting = policy.execute(() => 'waited');
    await time.clock.advance(100);
    await second;
    const refused = await policy.attempt(() => 'never', { name: 'loadUser' });
    expect(refused).toMatchObject({
      by: 'policy',
      error: {
        code: 'ERR_BULKHEAD_FULL',
        message:
          'loadUser was refused: database is held by 2 abandoned calls (2 running, 1 waiting); make the operation end when call.signal aborts, or raise maxAbandoned',
      },
    });
    for (const call of work.open) call.resolve('at last');
    expect(await waiting).toBe('waited');
    expect(await policy.execute(() => 'again')).toBe('again');
  });

  test('R6: outside a retry covers all attempts, inside it is taken anew for each', async () => {
    const policy = bulkhead({ maxConcurrency: 1 });
    const seen: (readonly number[])[] = [];
    const failing = (): never => {
      seen.push(counts(policy));
      throw new Error('down');
    };
    const outside = ending(compose(policy, again(2, 100)).execute(failing));
    await time.clock.settle();
    seen.push(counts(policy));
    await time.clock.advance(100);
    await outside;
    expect(seen.splice(0)).toEqual([
      [1, 0, 0],
      [1, 0, 0],
      [1, 0, 0],
    ]);
    const inside = ending(compose(again(2, 100), policy).execute(failing));
    await time.clock.settle();
    seen.push(counts(policy));
    await time.clock.advance(100);
    await inside;
    expect(seen).toEqual([
      [1, 0, 0],
      [0, 0, 0],
      [1, 0, 0],
    ]);
  });
});

describe('P5: close', () => {
  test('refuses those who wait and those who come, and lets those who run end', async () => {
    const policy = bulkhead({ maxConcurrency: 1, name: 'database' });
    const work = scriptedOperation<string>();
    const running = policy.execute(work.operation);
    const waiting = [policy.attempt(work.operation), policy.attempt(work.operation)];
    await time.clock.settle();
    policy.close();
    policy.close();
    for (const outcome of await Promise.all(waiting)) expect(outcome).toMatchObject({ by: 'policy', error: { code: 'ERR_CLOSED' } });
    await expect(policy.execute(work.operation, { name: 'loadUser' })).rejects.toMatchObject({
      code: 'ERR_CLOSED',
      message: 'loadUser was refused: database is closed',
    });
    expect(policy.statistics()).toMatchObject({ inFlight: 1, waiting: 0, refused: 0, isClosed: true });
    (await work.expectCall()).resolve('done');
    expect(await running).toBe('done');
    expect(counts(policy)).toEqual([0, 0, 0]);
  });

  test('comes too late for one who has a permit already', async () => {
    const policy = bulkhead({ maxConcurrency: 1 });
    const work = scriptedOperation<string>();
    const first = policy.execute(work.operation);
    const granted = policy.execute(() => 'granted');
    await afterHandOff(await work.expectCall(), () => policy.close());
    expect(await first).toBe('first');
    expect(await granted).toBe('granted');
  });
});

test('P3: a call that has waited runs in the async context of who made it', async () => {
  const request = new AsyncLocalStorage<number>();
  const policy = bulkhead({ maxConcurrency: 1 });
  const calls = [1, 2, 3].map((n) => request.run(n, () => policy.execute(async () => request.getStore())));
  expect(await request.run(9, () => Promise.all(calls))).toEqual([1, 2, 3]);
});

describe('looking at it', () => {
  test('statistics are a frozen snapshot that survives JSON', async () => {
    await time.clock.advance(1000);
    const policy = bulkhead({ maxConcurrency: 1, maxQueue: 1, name: 'database' });
    const work = scriptedOperation<string>();
    const results = [policy.execute(work.operation), policy.execute(work.operation), ending(policy.execute(work.operation))];
    await time.clock.advance(250);
    const busy = policy.statistics();
    const expected: BulkheadStatistics = {
      name: 'database',
      inFlight: 1,
      waiting: 1,
      waitingByPriority: { critical: 0, high: 0, normal: 1, low: 0, background: 0 },
      oldestWaitMs: 250,
      abandoned: 0,
      refused: 1,
      dropped: 0,
      maxConcurrency: 1,
      maxQueue: 1,
      maxAbandoned: 1,
      isClosed: false,
    };
    expect(busy).toStrictEqual(expected);
    expect([busy, busy.waitingByPriority].every(Object.isFrozen)).toBe(true);
    expect(JSON.parse(JSON.stringify(busy))).toEqual(busy);
    for (let i = 0; i < 2; i++) (await work.expectCall()).resolve('done');
    await Promise.all(results);
    expect(busy).toStrictEqual(expected);
  });

  test('statistics say null where JSON has no word', () => {
    const boundless = bulkhead({ maxConcurrency: 1, maxQueue: Number.POSITIVE_INFINITY, maxAbandoned: Number.POSITIVE_INFINITY });
    const statistics = boundless.statistics();
    expect(statistics).toMatchObject({ maxQueue: null, maxAbandoned: null, oldestWaitMs: null });
    expect(JSON.parse(JSON.stringify(statistics))).toEqual(statistics);
  });

  test('it is in the live registry', () => {
    using view = watchLive();
    const policy = bulkhead({ maxConcurrency: 1 });
    expect(view.objects()).toEqual([policy]);
  });

  test('waits, refusals and drops are told of on keelson:bulkhead', async () => {
    const events: KeelsonEvent[] = [];
    using _listening = listen('bulkhead', (event) => events.push(event));
    const policy = bulkhead({ maxConcurrency: 1, maxQueue: 2, name: 'database' });
    const work = scriptedOperation<string>();
    const results = ['a', 'b', 'c', 'd'].map((name) => policy.attempt(work.operation, { name }));
    const refused = (await results[3]) as { error: unknown };
    policy.close();
    const dropped = (await Promise.all(results.slice(1, 3))) as { error: unknown }[];
    const common = { policy: 'database', attempt: 1 };
    expect(events).toEqual([
      { ...common, type: 'queued', operation: 'b', ahead: 0 },
      { ...common, type: 'queued', operation: 'c', ahead: 1 },
      { ...common, type: 'rejected', operation: 'd', error: refused.error },
      { ...common, type: 'rejected', operation: 'b', error: dropped[0]?.error },
      { ...common, type: 'rejected', operation: 'c', error: dropped[1]?.error },
    ]);
    (await work.expectCall()).resolve('done');
    await results[0];
  });

  test('L3: a drop for another call is told of as well, and of whom', async () => {
    const events: KeelsonEvent[] = [];
    using _listening = listen('bulkhead', (event) => events.push(event));
    const policy = bulkhead({ maxConcurrency: 1, maxQueue: 1, overflow: 'dropOldest' });
    const work = scriptedOperation<string>();
    const running = policy.execute(work.operation, { name: 'first' });
    const dropped = policy.attempt(work.operation, { name: 'second' });
    const last = policy.execute(() => 'last', { name: 'third' });
    const outcome = await dropped;
    expect(outcome).toMatchObject({ by: 'policy', error: { code: 'ERR_BULKHEAD_FULL', operation: 'second' } });
    expect(events.map(({ type, operation }) => `${operation} ${type}`)).toEqual(['second queued', 'third queued', 'second rejected']);
    expect(events.at(-1)).toMatchObject({ error: (outcome as { error: unknown }).error });
    expect(policy.statistics()).toMatchObject({ waiting: 1, refused: 0, dropped: 1 });
    (await work.expectCall()).resolve('done');
    expect(await Promise.all([running, last])).toEqual(['done', 'last']);
  });

  test('C1: one that is dropped, and cancelled before it is told, has its caller’s reason', async () => {
    const policy = bulkhead({ maxConcurrency: 1, maxQueue: 1, overflow: 'dropOldest' });
    const work = scriptedOperation<string>();
    const running = policy.execute(work.operation);
    const controller = new AbortController();
    const dropped = ending(policy.execute(work.operation, { signal: controller.signal }));
    const last = policy.execute(() => 'last');
    const reason = new Error('left');
    controller.abort(reason);
    expect(await dropped).toEqual({ error: reason });
    (await work.expectCall()).resolve('done');
    expect(await Promise.all([running, last])).toEqual(['done', 'last']);
    expect(counts(policy)).toEqual([0, 0, 0]);
  });

  test('a message says how long a call has waited', async () => {
    const policy = bulkhead({ maxConcurrency: 1 });
    const work = scriptedOperation<string>();
    const running = policy.execute(work.operation);
    const late = policy.attempt(work.operation, { name: 'loadUser', timeout: '2s' });
    await time.clock.advance('1200ms');
    const first: ScriptedCall<string> = await work.expectCall();
    first.resolve('done');
    await running;
    await time.clock.advance('800ms');
    expect(await late).toMatchObject({ error: { message: 'loadUser timed out after 2s (waited 1.2s for a permit)' } });
    (await work.expectCall()).resolve('too late');
    await time.clock.settle();
  });
});

test('P5: drain lets those who run and wait finish, work that was abandoned included, and nobody else in', async () => {
  const policy = bulkhead({ maxConcurrency: 1 });
  const work = scriptedOperation<string>();
  const abandoned = ending(compose(policy, limit(10)).execute(work.operation));
  const waiting = policy.execute(() => 'waited');
  let isDrained = false;
  const drained = policy.drain().then(() => {
    isDrained = true;
  });
  await expect(policy.execute(() => 'late')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  await time.clock.advance(10);
  await abandoned;
  expect(isDrained).toBe(false);
  (await work.expectCall()).resolve('at last');
  expect(await waiting).toBe('waited');
  await drained;
  expect(policy.statistics()).toMatchObject({ inFlight: 0, isClosed: true });
});
