import { describe, expect, test } from 'vitest';
import { ending } from '../policy/virtual-time.test-support.ts';
import { seededRandom } from '../random/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { Deadline } from '../time/deadline.ts';
import { ctx } from './ctx.ts';
import type { ScopeOptions } from './scope.ts';

const optionError = (message: string): unknown => ({ error: expect.objectContaining({ code: 'ERR_OPTION', message }) });
const DURATION = "a duration above 0 (milliseconds, or '250ms', '5s', '2m', '1h')";

describe('F2: the options of a scope are checked by name and value', () => {
  test.each<[unknown, string]>([
    [{ timeout: 0 }, `ctx.scope: timeout must be ${DURATION}, got 0`],
    [{ timeout: -1 }, `ctx.scope: timeout must be ${DURATION}, got -1`],
    [{ timeout: Number.NaN }, `ctx.scope: timeout must be ${DURATION}, got NaN`],
    [{ timeout: 'soon' }, `ctx.scope: timeout must be ${DURATION}, got "soon"`],
    [{ deadline: 5 }, 'ctx.scope: deadline must be a Deadline, got 5'],
    [{ deadline: '5s' }, 'ctx.scope: deadline must be a Deadline, got "5s"'],
    [{ signal: {} }, 'ctx.scope: signal must be an AbortSignal, got an object'],
    [{ clock: () => 0 }, 'ctx.scope: clock must be a Clock, got a function'],
    [{ clock: { nowMs: () => 0 } }, 'ctx.scope: clock must be a Clock, got an object'],
    [{ clock: null }, 'ctx.scope: clock must be a Clock, got null'],
    [{ random: 'next' }, 'ctx.scope: random must be a Random, got "next"'],
    [{ random: () => 0.5 }, 'ctx.scope: random must be a Random, got a function'],
    [{ timout: '5s' }, 'ctx.scope: unknown option "timout"; there are timeout, deadline, signal, clock, random'],
    [null, 'ctx.scope: options must be an object, got null'],
    [[], 'ctx.scope: options must be an object, got an array'],
  ])('%j', async (options, message) => {
    let begun = false;
    const result = ctx.scope('app', options as ScopeOptions, () => {
      begun = true;
    });
    expect(await ending(result)).toEqual(optionError(message));
    expect(begun).toBe(false);
  });

  test('all of them together, or undefined, are fine', async () => {
    const { signal } = new AbortController();
    const options = { timeout: '5s', deadline: Deadline.in('5s'), signal, clock: new VirtualClock(), random: seededRandom(1) } as const;
    expect(await ctx.scope('app', options, () => 1)).toBe(1);
    const none = { timeout: undefined, deadline: undefined, signal: undefined, clock: undefined, random: undefined };
    expect(await ctx.scope('app', none, () => 2)).toBe(2);
    expect(await ctx.scope('app', undefined, () => 3)).toBe(3);
  });

  test.each([[''], [undefined], [5]])('a scope needs a name: %j', async (name) => {
    expect(await ending(ctx.scope(name as string, () => 1))).toEqual(
      optionError(`ctx.scope: name must be a text that is not empty, got ${JSON.stringify(name)}`),
    );
  });

  test('a scope needs a body', async () => {
    const scope = ctx.scope as (...args: readonly unknown[]) => Promise<unknown>;
    expect(await ending(scope('app'))).toEqual(optionError('ctx.scope: body must be a function, got undefined'));
    expect(await ending(scope('app', { timeout: '5s' }))).toEqual(optionError('ctx.scope: body must be a function, got an object'));
    expect(await ending(scope('app', { timeout: '5s' }, Promise.resolve()))).toEqual(
      optionError('ctx.scope: body must be a function, got an object'),
    );
  });
});

describe('F2: so are those of a task and a sleep', () => {
  test('at once', async () => {
    await ctx.scope('app', async (scope) => {
      expect(() => scope.spawn(Promise.resolve() as never)).toThrow('spawn: fn must be a function, got an object');
      expect(() => scope.spawn(() => 1, { name: '' })).toThrow('spawn: name must be a text that is not empty, got ""');
      expect(() => ctx.spawn(() => 1, { nam: 'x' } as object)).toThrow('spawn: unknown option "nam"; there are name');
      expect(scope.statistics().inFlight).toBe(0);
    });
  });

  test.each([[-1], ['soon'], [undefined]])('a sleep rejects: %j', async (duration) => {
    const wrong = {
      error: expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringMatching(/^sleep: duration must be a duration/) }),
    };
    expect(await ending(ctx.sleep(duration as number))).toEqual(wrong);
    await ctx.scope('app', async (scope) => {
      expect(await ending(ctx.sleep(duration as number))).toEqual(wrong);
      expect(await ending(scope.sleep(duration as number))).toEqual(wrong);
      expect(await scope.spawn((task) => ending(task.sleep(duration as number)))).toEqual(wrong);
    });
  });
});
