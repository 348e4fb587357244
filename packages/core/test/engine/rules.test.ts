// The rules of the engine that no single law names, one by one. The numbers are those of docs/decisions/0001-one-engine.md.
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test, vi } from 'vitest';
import { CancelledError } from '../../src/errors/cancelled-error.ts';
import { compose } from '../../src/policy/compose.ts';
import { DONE, PROCEED } from '../../src/policy/layer.ts';
import type { Call, ExecuteOptions, Operation } from '../../src/policy/policy.ts';
import { policyFrom } from '../../src/policy/policy-from.ts';
import { again, limit, Permits, policyOf } from '../../src/policy/test-layers.test-support.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { layered } from '../support/layered.ts';
import { noted } from '../support/noted.ts';
import { deaf, inTime, obedient } from '../support/work.ts';

const time = onVirtualTime();
const REASON = { reason: 'the caller left' };
const fail = (): never => {
  throw new Error('down');
};

/** A policy that notes the way of every call through it. */
const way = (log: string[], name: string): ReturnType<typeof policyOf> =>
  noted(log, {
    name,
    enter: () => {
      log.push(`${name}: in`);
      return PROCEED;
    },
    succeed: () => {
      log.push(`${name}: out`);
      return DONE;
    },
    fail: () => {
      log.push(`${name}: failed`);
      return DONE;
    },
  });

test('rule 1: a composition is a flat list of strictly nested frames, however composed', async () => {
  const nested: string[] = [];
  await compose(way(nested, 'a'), compose(way(nested, 'b'), compose(way(nested, 'c')))).execute(() => 1);
  expect(nested).toEqual(['a: in', 'b: in', 'c: in', 'c: out', 'c: released', 'b: out', 'b: released', 'a: out', 'a: released']);
  const flat: string[] = [];
  await compose(compose(way(flat, 'a'), way(flat, 'b')), way(flat, 'c')).execute(() => 1);
  expect(flat).toEqual(nested);
});

test('rules 2 and 7: a result that comes after its call went on reaches no layer, and is disposed of', async () => {
  const log: string[] = [];
  const disposed: string[] = [];
  const late = (ms: number, name: string): Promise<Disposable> => inTime(ms, { [Symbol.dispose]: () => void disposed.push(name) });
  let starts = 0;
  const result = compose(way(log, 'a'), again(2, 10), limit(20)).execute(() => (starts++ === 0 ? late(50, 'first') : late(5, 'second')));
  await time.clock.advance(100);
  await result;
  expect(log).toEqual(['a: in', 'a: out', 'a: released']);
  expect(disposed).toEqual(['first']);
});

test('rule 4: a limit unwinds only what is inside; to what is outside it is an ordinary error', async () => {
  const log: string[] = [];
  const result = ending(compose(way(log, 'outside'), limit(10), way(log, 'inside')).execute(obedient(50, 1)));
  await time.clock.advance(10);
  expect(await result).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
  const released = log.filter((each) => each.endsWith('released'));
  expect(log.filter((each) => !released.includes(each))).toEqual(['outside: in', 'inside: in', 'inside: abandoned', 'outside: failed']);
  expect(released.toSorted()).toEqual(['inside: released', 'outside: released']);
});

test('rule 4: the error of a limit is not made before it has passed', async () => {
  const expire = vi.fn(() => new Error('too late'));
  const policy = policyOf({ enter: (step) => step.limit(10), expire });
  const result = policy.execute(deaf(9, 1));
  await time.clock.advance(100);
  await result;
  expect(expire).not.toHaveBeenCalled();
});

test('rule 5: at every end our books come first, and the abort listeners of strangers last', async () => {
  const log: string[] = [];
  const controller = new AbortController();
  const listening: Operation<unknown> = (call) => {
    call.signal.addEventListener('abort', () => log.push('the listener'));
    return inTime(50, 1);
  };
  const cancelled = ending(compose(way(log, 'a'), way(log, 'b')).execute(listening, { signal: controller.signal }));
  controller.abort(REASON);
  await cancelled;
  expect(log.slice(2)).toEqual(['b: abandoned', 'a: abandoned', 'the listener']);
  log.length = 0;
  const limited = ending(compose(way(log, 'a'), limit(10), way(log, 'b')).execute(listening));
  await time.clock.advance(10);
  await limited;
  expect(log.slice(2, 4)).toEqual(['b: abandoned', 'the listener']);
  await time.clock.advance(100);
});

describe('rule 6: a frame that is left over running work owes its release', () => {
  test('until all of that has ended', async () => {
    const permits = new Permits(2);
    const controller = new AbortController();
    const result = ending(layered(permits).execute(deaf(50, 1), { signal: controller.signal }));
    controller.abort(REASON);
    expect(await result).toEqual({ error: REASON });
    expect([permits.taken, (permits as { lingering?: number }).lingering]).toEqual([1, 1]);
    await time.clock.advance(50);
    expect([permits.taken, (permits as { lingering?: number }).lingering]).toEqual([0, 0]);
  });

  test('but only in the entry that the work was started under', async () => {
    const [outer, inner] = [new Permits(1), new Permits(2)];
    let starts = 0;
    const policy = compose(layered(outer), again(2, 10), limit(20), layered(inner));
    const result = policy.execute(() => inTime(starts++ === 0 ? 100 : 5, 1));
    await time.clock.advance(35);
    await result;
    expect([outer.taken, inner.taken]).toEqual([1, 1]); // the second entry of `inner` has nothing left to wait for
    await time.clock.advance(65);
    expect([outer.taken, inner.taken]).toEqual([0, 0]);
  });
});

test('rule 8: another attempt has a call of its own, and no layer inside remembers the last one', async () => {
  const tickets: unknown[] = [];
  const calls: Call[] = [];
  const remembering = (): ReturnType<typeof policyOf> =>
    policyOf({
      enter: (step) => {
        tickets.push(step.ticket);
        step.ticket = 'old';
        return PROCEED;
      },
    });
  const policy = compose(again(2, 10), remembering(), remembering(), remembering());
  const result = policy.execute((call) => (calls.push(call) === 1 ? fail() : 'ok'));
  await time.clock.advance(10);
  expect(await result).toBe('ok');
  expect(tickets).toEqual(Array.from({ length: 6 }, () => undefined));
  expect(calls.map((call) => call.attempt)).toEqual([1, 2]);
  expect(calls[0]).not.toBe(calls[1]);
});

test.each([
  ['outside a retry: one permit through all attempts and waits', true, [1, 1]],
  ['inside: taken anew by each attempt', false, [1, 0]],
] as const)('rule 8: a permit %s', async (_name, isOutside, expected) => {
  const permits = new Permits(1);
  const taken: number[] = [];
  const policy = isOutside ? compose(layered(permits), again(2, 20)) : compose(again(2, 20), layered(permits));
  let starts = 0;
  const result = policy.execute(() => {
    taken.push(permits.taken);
    return starts++ === 0 ? fail() : 'ok';
  });
  await time.clock.advance(10);
  taken.push(permits.taken);
  await time.clock.advance(10);
  await result;
  expect(taken).toEqual([...expected, 1]);
});

test('rule 9: a wait that cannot fit what remains is not begun', async () => {
  const log: string[] = [];
  const pause = noted(log, { enter: (step) => step.waitUntil(step.nowMs() + 100, () => new Error('no time')) });
  expect(await pause.attempt(() => 1, { timeout: 100 })).toMatchObject({ ok: false, by: 'policy', error: { message: 'no time' } });
  expect(log).toEqual(['abandoned waiting']);
  expect(time.clock.nowMs()).toBe(0);
  const down = compose(limit(100), again(2, 100)).execute(fail);
  await expect(down).rejects.toThrow('down');
  expect(time.clock.nowMs()).toBe(0);
});

test('rule 10: a permit belongs to the call from its grant on, and is handed on if the call is cancelled before it runs', async () => {
  const [controller, order] = [new AbortController(), [] as string[]];
  const permits = new Permits(1);
  // Between the grant and the microtask in which the second would start, its caller leaves.
  const granted = permits.release.bind(permits);
  permits.release = () => {
    granted();
    controller.abort(REASON);
  };
  const policy = layered(permits);
  let finish = (): void => {};
  const first = policy.execute(() => new Promise<void>((resolve) => (finish = resolve)));
  const second = ending(policy.execute(() => order.push('second'), { signal: controller.signal }));
  const third = policy.execute(() => order.push('third'));
  finish();
  await Promise.all([first, third]);
  expect(await second).toEqual({ error: REASON });
  expect(order).toEqual(['third']);
  expect(permits.taken).toBe(0);
});

test('rule 11: ten thousand queued calls that return at once do not grow the stack', async () => {
  const policy = layered(new Permits(1));
  const first = policy.execute(deaf(1, -1));
  const others = Array.from({ length: 10_000 }, (_, index) => policy.execute(() => index));
  await time.clock.advance(1);
  expect(await first).toBe(-1);
  expect(await Promise.all(others)).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
});

test('rule 11: nor do ten thousand attempts that fail at once, without a delay between them', async () => {
  let starts = 0;
  const failing = (): never => {
    starts++;
    throw new Error('down');
  };
  await expect(again(10_000, 0).execute(failing)).rejects.toThrow('down');
  expect(starts).toBe(10_000);
});

test('rule 12: after a timer that calls share, each goes on in the async context of its own caller', async () => {
  const storage = new AsyncLocalStorage<string>();
  const policy = compose(again(2, 10), limit(20));
  const call = (name: string): Promise<unknown> =>
    storage.run(name, () => {
      let starts = 0;
      return policy.execute(() => (starts++ === 0 ? inTime(100, 'late') : storage.getStore()));
    });
  const results = Promise.all(['a', 'b', 'c'].map(call));
  await time.clock.advance(100);
  expect(await results).toEqual(['a', 'b', 'c']);
});

describe('rule 13: what a layer throws', () => {
  const fault = new Error('the layer is wrong');
  const throwing = (): never => {
    throw fault;
  };

  test.each(['enter', 'succeed', 'fail', 'consulted', 'expire'] as const)('in %s becomes the outcome', async (hook) => {
    const permits = new Permits(1);
    const hooks = {
      enter: () => PROCEED,
      ...(hook === 'consulted'
        ? { enter: (step: Parameters<NonNullable<Parameters<typeof policyOf>[0]['enter']>>[0]) => step.consult(() => 1) }
        : {}),
      ...(hook === 'expire' ? { enter: (step: Parameters<NonNullable<Parameters<typeof policyOf>[0]['enter']>>[0]) => step.limit(5) } : {}),
      [hook]: throwing,
    };
    const operation: Operation<unknown> = hook === 'fail' ? fail : hook === 'expire' ? obedient(10, 1) : () => 1;
    const result = ending(compose(layered(permits), policyOf(hooks)).execute(operation));
    await time.clock.advance(5);
    expect(await result).toEqual({ error: fault });
    expect(permits.taken).toBe(0);
  });

  test.each(['abandon', 'release'] as const)('in %s is thrown from a microtask, and every permit comes back', async (hook) => {
    const thrown: unknown[] = [];
    vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => {
      try {
        callback();
      } catch (error) {
        thrown.push(error);
      }
    });
    const [outer, inner] = [new Permits(1), new Permits(1)];
    const controller = new AbortController();
    const policy = compose(layered(outer), policyOf({ [hook]: throwing }), layered(inner));
    const result = ending(policy.execute(obedient(10, 1), { signal: controller.signal }));
    controller.abort(REASON);
    expect(await result).toEqual({ error: REASON });
    await time.clock.settle();
    vi.restoreAllMocks();
    expect(thrown).toEqual([fault]);
    expect([outer.taken, inner.taken]).toEqual([0, 0]);
  });

  test('in a verdict that does not fit its hook is said so', async () => {
    const attempt = await policyOf({ name: 'confused', enter: (step) => step.again(1) }).attempt(() => 1);
    expect(attempt).toMatchObject({ ok: false, by: 'policy', error: { code: 'ERR_UNSUPPORTED', policy: 'confused' } });
  });
});

describe('rule 15: one timer for all calls of a duration', () => {
  test('and none once they are over', async () => {
    const policy = limit(1000);
    const results = Array.from({ length: 500 }, (_, index) => policy.execute(deaf(10, index)));
    await time.clock.settle();
    expect(time.clock.pendingTimers).toBe(501); // 500 operations, one list
    await time.clock.advance(10);
    await Promise.all(results);
    expect(time.clock.pendingTimers).toBe(0);
  });
});

describe('rule 16: a foreign policy is an operation around the rest of the plan', () => {
  test('which is told the call’s options, its place in the tree, and no limit of its own', async () => {
    let told: ExecuteOptions = {};
    let leftMs: number | undefined;
    const stranger = policyFrom('stranger', async (operation, options) => {
      told = options;
      leftMs = options.parent?.remainingMs();
      return await operation(options.parent as Call);
    });
    const keys = { host: 'a' };
    await compose(stranger, limit(10)).execute(() => 1, { keys, timeout: 50, name: 'load' });
    expect(told).toMatchObject({ name: 'load', keys, timeout: undefined });
    expect(told.signal).toBe(told.parent?.signal);
    expect(leftMs).toBe(50);
  });

  test('each call of its operation runs the inner layers anew, with tickets of its own', async () => {
    const log: string[] = [];
    const twice = policyFrom('twice', async (operation, options) => {
      const values = await Promise.all([operation(options.parent as Call), operation(options.parent as Call)]);
      return values[0];
    });
    await compose(way(log, 'outside'), twice, way(log, 'inside')).execute(() => 1);
    expect(log.filter((each) => each === 'inside: in')).toHaveLength(2);
    expect(log.filter((each) => each === 'inside: released')).toHaveLength(2);
    expect(log.filter((each) => each.startsWith('outside'))).toEqual(['outside: in', 'outside: out', 'outside: released']);
  });

  test('and is additionally under the signal that the foreign policy gives it', async () => {
    const own = new AbortController();
    const stranger = policyFrom(
      'stranger',
      async (operation, options) => await operation({ ...(options.parent as Call), signal: own.signal } as Call),
    );
    const result = ending(compose(stranger, limit(100)).execute(obedient(50, 1)));
    await time.clock.advance(10);
    own.abort('the stranger’s own reason');
    expect(await result).toEqual({ error: 'the stranger’s own reason' });
  });
});

describe('rule 17: when a foreign policy settles', () => {
  test('the calls it left are cancelled, and what they leave running holds our permits', async () => {
    const [outside, inside] = [new Permits(1), new Permits(1)];
    const early = policyFrom<string>('early', async (operation, options) => {
      void (operation as Operation<unknown>)(options.parent as Call);
      return 'early';
    });
    let signal: AbortSignal | undefined;
    const result = compose(layered(outside), early, layered(inside)).execute((call) => {
      signal = call.signal;
      return inTime(50, 1);
    });
    expect(await result).toBe('early');
    expect(signal?.reason).toBeInstanceOf(CancelledError);
    expect([outside.taken, inside.taken]).toEqual([1, 1]);
    await time.clock.advance(50);
    expect([outside.taken, inside.taken]).toEqual([0, 0]);
  });

  test('its operation can be called no more', async () => {
    let operate: (() => unknown) | undefined;
    const keeping = policyFrom<string>('keeping', async (operation, options) => {
      operate = () => operation(options.parent as Call);
      return 'settled';
    });
    const ran = vi.fn();
    await keeping.execute(ran);
    expect(() => operate?.()).toThrow(CancelledError);
    expect(ran).not.toHaveBeenCalled();
  });
});

test('rule 18: what is outside a foreign policy ends at once, though that does not listen', async () => {
  const controller = new AbortController();
  const deafStranger = policyFrom('deaf', async (operation, options) => {
    await inTime(100, 0);
    return await operation(options.parent as Call);
  });
  const ran = vi.fn();
  const result = ending(compose(limit(1000), deafStranger).execute(ran, { signal: controller.signal }));
  await time.clock.advance(10);
  controller.abort(REASON);
  expect(await result).toEqual({ error: REASON });
  await time.clock.advance(100);
  expect(ran).not.toHaveBeenCalled();
});

test('rule 19: a permit waits for the work of calls made inside, in engines of their own', async () => {
  const permits = new Permits(1);
  const inner = compose(again(2, 10), limit(1000));
  const result = ending(compose(layered(permits), limit(20)).execute((call) => inner.execute(deaf(100, 1), { parent: call })));
  await time.clock.advance(20);
  expect(await result).toMatchObject({ error: { code: 'ERR_TIMEOUT' } });
  expect(permits.taken).toBe(1);
  await time.clock.advance(80);
  expect(permits.taken).toBe(0);
});

test('rule 19: and for the work of calls made inside those', async () => {
  const permits = new Permits(1);
  const controller = new AbortController();
  const nested = (depth: number, call: Call): Promise<unknown> =>
    policyOf({}).execute((own) => (depth === 0 ? inTime(100, 1) : nested(depth - 1, own)), { parent: call });
  const result = ending(layered(permits).execute((call) => nested(3, call), { signal: controller.signal }));
  controller.abort(REASON);
  expect(await result).toEqual({ error: REASON });
  await time.clock.advance(99);
  expect(permits.taken).toBe(1);
  await time.clock.advance(1);
  expect(permits.taken).toBe(0);
});
