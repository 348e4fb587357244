// The rules of the engine (docs/design.md) that no single law names, and the faults that the fuzz of random stacks has found.
import { describe, expect, test } from 'vitest';
import { compose } from '../../src/policy/compose.ts';
import { DONE, type Layer, PROCEED, type Step, type Verdict } from '../../src/policy/layer.ts';
import type { Call, Operation } from '../../src/policy/policy.ts';
import { policyFrom } from '../../src/policy/policy-from.ts';
import { again, limit, Permits, policyOf } from '../../src/policy/test-layers.test-support.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { WaitQueue } from '../../src/sync/wait-queue.ts';
import { layered } from '../support/layered.ts';

const time = onVirtualTime();
const REASON = { reason: 'the caller left' };

const later = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => void time.clock.schedule(ms, () => resolve(value)));

/** Notes the hooks of one layer in the order they are called. */
function noted(hooks: Partial<Layer>): { readonly log: string[]; readonly policy: ReturnType<typeof policyOf> } {
  const log: string[] = [];
  const policy = policyOf({
    runsCallerCode: true,
    ...hooks,
    abandon: (step, waiting) => {
      log.push(waiting ? 'abandoned waiting' : 'abandoned');
      hooks.abandon?.(step, waiting);
    },
    release: (ticket) => {
      log.push('released');
      hooks.release?.(ticket);
    },
  });
  return { log, policy };
}

describe('user code that a hook calls ends the call', () => {
  test.each(['again', 'consult'] as const)('on the way out, where the layer says %s: it is told, and released', async (verdict) => {
    const controller = new AbortController();
    const { log, policy } = noted({
      fail: (step) => {
        controller.abort(REASON);
        return verdict === 'again' ? step.again(10) : step.consult(() => 'an answer');
      },
    });
    const failing = (): never => {
      throw new Error('down');
    };
    expect(await ending(policy.execute(failing, { signal: controller.signal }))).toEqual({ error: REASON });
    expect(log).toEqual(['abandoned waiting', 'released']);
  });

  test('after a consultation on the way out: the layer is not left twice', async () => {
    const controller = new AbortController();
    const { log, policy } = noted({
      succeed: (step) => step.consult(() => 'an answer'),
      consulted: (step) => {
        controller.abort(REASON);
        return step.again(10);
      },
    });
    expect(await ending(policy.execute(() => 1, { signal: controller.signal }))).toEqual({ error: REASON });
    expect(log).toEqual(['abandoned waiting', 'released']);
  });

  test('while the error of a limit is made: the layer is not left twice, and what it ended is told', async () => {
    const controller = new AbortController();
    const { log, policy } = noted({
      enter: (step) => step.limit(10),
      expire: () => {
        controller.abort(REASON);
        return new Error('too late');
      },
    });
    let aborted: unknown;
    const result = ending(
      policy.execute((call) => later(20, call.signal).then((signal) => (aborted = signal.reason)), { signal: controller.signal }),
    );
    await time.clock.advance(20);
    expect(await result).toEqual({ error: REASON });
    expect(log).toEqual(['released']);
    expect(aborted).toBe(REASON);
  });

  test.each(['abandon', 'release'] as const)('in %s, while a limit is unwound: each frame is left once', async (hook) => {
    const controller = new AbortController();
    const abort = (): void => controller.abort(REASON);
    const outer = noted({});
    const inner = noted({ [hook]: abort });
    const full = policyOf({ enter: (step) => step.park(new WaitQueue()) });
    const policy = compose(outer.policy, limit(10), inner.policy, noted({}).policy, full);
    const result = ending(policy.execute(() => 'never', { signal: controller.signal }));
    await time.clock.advance(20);
    expect(await result).toEqual({ error: REASON });
    expect(outer.log).toEqual(['abandoned', 'released']);
    expect(inner.log).toEqual(['abandoned', 'released']);
  });

  test('in abandon, while the call is cancelled: the first reason stands, and each frame is left once', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const outer = noted({});
    const inner = noted({ abandon: () => second.abort('second') });
    const policy = compose(outer.policy, inner.policy);
    const parent = policyOf({});
    const result = ending(
      parent.execute((call) => policy.execute(() => later(20, 1), { parent: call, signal: second.signal }), { signal: first.signal }),
    );
    await time.clock.advance(5);
    first.abort(REASON);
    await time.clock.advance(20);
    expect(await result).toEqual({ error: REASON });
    expect([outer.log, inner.log]).toEqual([
      ['abandoned', 'released'],
      ['abandoned', 'released'],
    ]);
  });

  test.each(['a value', 'an error'])('in release, while %s travels outwards: no layer outside is asked any more', async (what) => {
    const controller = new AbortController();
    const asked: string[] = [];
    const ask = (hook: string) => (): Verdict => {
      asked.push(hook);
      return DONE;
    };
    const outer = noted({ succeed: ask('succeed'), fail: ask('fail') });
    const inner = noted({ release: () => controller.abort(REASON) });
    const operation = (): Promise<string> =>
      what === 'a value' ? later(5, 'value') : later(5, 0).then(() => Promise.reject(new Error('down')));
    const result = ending(compose(outer.policy, inner.policy).execute(operation, { signal: controller.signal }));
    await time.clock.advance(5);
    expect(await result).toEqual({ error: REASON });
    expect(asked).toEqual([]);
    expect(outer.log).toEqual(['abandoned', 'released']);
  });

  test('its step stays that of its layer', async () => {
    const controller = new AbortController();
    const tickets: unknown[] = [];
    const chatty = policyOf({
      enter: (step) => {
        controller.abort(REASON);
        step.ticket = 'mine';
        return PROCEED;
      },
      release: (ticket) => tickets.push(ticket),
    });
    const other = policyOf({
      enter: (step) => {
        step.ticket = 'other';
        return PROCEED;
      },
      release: (ticket) => tickets.push(ticket),
    });
    await ending(compose(other, chatty).execute(() => 1, { signal: controller.signal }));
    expect(tickets).toEqual(['other', 'mine']);
  });
});

describe('what a layer does wrong becomes the outcome', () => {
  test('a refusal that throws', async () => {
    const permits = new Permits(1);
    const pause = policyOf({
      enter: (step) =>
        step.waitUntil(step.nowMs() + 100, () => {
          throw new Error('no refusal');
        }),
    });
    const result = compose(layered(permits), pause).attempt(() => 1, { timeout: 50 });
    expect(await result).toMatchObject({ ok: false, by: 'policy', error: { message: 'no refusal' } });
    expect(permits.taken).toBe(0);
  });
});

describe('a permit waits for the work it covers (P1, C8)', () => {
  test('also where the outcome is replaced by another operation', async () => {
    const permits = new Permits(1);
    const replacing = policyOf({
      enter: (step) => permits.enter(step),
      release: () => permits.release(),
      fail: (step) => step.run(() => 'instead'),
    });
    const result = compose(replacing, limit(10)).execute(() => later(50, 'late'));
    await time.clock.advance(10);
    expect(await result).toBe('instead');
    expect(permits.taken).toBe(1);
    await time.clock.advance(40);
    expect(permits.taken).toBe(0);
  });

  test('also where a stranger stands between it and what the attempt holds', async () => {
    const permits = new Permits(1);
    const stranger = policyFrom('stranger', async (operation, options) => await operation(options.parent as Call));
    const result = compose(layered(permits), stranger).execute((call) => {
      call.hold(later(50, 'the body'));
      return 'the head';
    });
    expect(await result).toBe('the head');
    expect(permits.taken).toBe(1);
    await time.clock.advance(50);
    expect(permits.taken).toBe(0);
  });

  test('also where a nested call holds', async () => {
    const permits = new Permits(1);
    const inner = policyOf({});
    const result = layered(permits).execute((call) =>
      inner.execute(
        (nested) => {
          nested.hold(later(50, 'the body'));
          return 'the head';
        },
        { parent: call },
      ),
    );
    expect(await result).toBe('the head');
    expect(permits.taken).toBe(1);
    await time.clock.advance(50);
    expect(permits.taken).toBe(0);
  });

  test('and the caller still cancels what a nested call holds (C7)', async () => {
    const controller = new AbortController();
    let signal: AbortSignal | undefined;
    const result = policyOf({}).execute(
      (call) =>
        policyOf({}).execute(
          (nested) => {
            signal = nested.signal;
            nested.hold(later(50, 'the body'));
            return 'the head';
          },
          { parent: call },
        ),
      { signal: controller.signal },
    );
    expect(await result).toBe('the head');
    controller.abort(REASON);
    expect(signal?.reason).toBe(REASON);
    await time.clock.advance(50);
  });
});

describe('the limits of an attempt that is over', () => {
  test('do not bound the wait for the next one, though it held something', async () => {
    const policy = compose(again(2, 100), limit(50), limit(80));
    let starts = 0;
    const result = ending(
      policy.execute((call) => {
        if (starts++ > 0) return 'second';
        call.hold(later(70, 'the body'));
        return later(60, 'too late');
      }),
    );
    await time.clock.advance(200);
    expect(await result).toEqual({ value: 'second' });
  });

  test('nor where its value was refused', async () => {
    const refusing = policyOf({ maxAttempts: 2, succeed: (step, value) => (value === 'first' ? step.again(100) : DONE) });
    let starts = 0;
    const result = ending(
      compose(refusing, limit(50)).execute((call) => {
        if (starts++ > 0) return 'second';
        call.hold(later(10, 'the body'));
        return 'first';
      }),
    );
    await time.clock.advance(200);
    expect(await result).toEqual({ value: 'second' });
  });
});

describe('a foreign policy', () => {
  type Inner = Operation<unknown>;

  test('that throws in the same turn leaves nothing running (rule 17)', async () => {
    const permits = new Permits(1);
    let signal: AbortSignal | undefined;
    const stranger = policyFrom('stranger', (operation, options) => {
      void (operation as Inner)(options.parent as Call);
      throw new Error('the stranger failed');
    });
    const result = ending(
      compose(layered(permits), stranger).execute((call) => {
        signal = call.signal;
        return later(50, 1);
      }),
    );
    expect(await result).toMatchObject({ error: { message: 'the stranger failed' } });
    expect(signal?.aborted).toBe(true);
    expect(permits.taken).toBe(1);
    await time.clock.advance(50);
    expect(permits.taken).toBe(0);
  });

  test('that settles early makes no unhandled rejection of the calls that are then cancelled', async () => {
    const unhandled: unknown[] = [];
    const collect = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', collect);
    const stranger = policyFrom<string>('stranger', async (operation, options) => {
      void (operation as Inner)(options.parent as Call);
      return 'early';
    });
    expect(await stranger.execute(() => later(50, 1))).toBe('early');
    await time.clock.advance(50);
    process.off('unhandledRejection', collect);
    expect(unhandled).toEqual([]);
  });
});

test('C7: a caller who cancels while a layer consults on the way out reaches what the attempt holds', async () => {
  const controller = new AbortController();
  let signal: AbortSignal | undefined;
  const consulting = policyOf({ succeed: (step: Step) => step.consult(() => later(50, 0)), consulted: () => DONE });
  const result = ending(
    consulting.execute(
      (call) => {
        signal = call.signal;
        call.hold(later(60, 'the body'));
        return 'the head';
      },
      { signal: controller.signal },
    ),
  );
  await time.clock.advance(10);
  controller.abort(REASON);
  expect(await result).toEqual({ error: REASON });
  expect(signal?.reason).toBe(REASON);
  await time.clock.advance(60);
});
