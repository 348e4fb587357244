import { describe, expect, test } from 'vitest';
import { compose } from './compose.ts';
import type { ExecuteOptions } from './policy.ts';

describe('F2: what a call is given is checked by name and value', () => {
  test.each([
    [null, 'execute: options must be an object'],
    [5, 'execute: options must be an object'],
    [{ signal: null }, 'execute: signal must be'],
    [{ signal: {} }, 'execute: signal must be'],
    [{ parent: {} }, 'execute: parent must be the call that an operation was given, got an object'],
    [{ parent: 5 }, 'execute: parent must be the call that an operation was given, got 5'],
    [{ deadline: 5 }, 'execute: deadline must be a Deadline, got 5'],
    [{ timeout: 'x' }, 'execute: timeout must be a duration'],
    [{ timeout: -1 }, 'execute: timeout must be a duration'],
    [{ name: 5 }, 'execute: name must be a text that is not empty, got 5'],
    [{ name: '' }, 'execute: name must be a text that is not empty, got ""'],
    [{ keys: 'a' }, 'execute: keys must be an object, got "a"'],
    [{ cost: -1 }, 'execute: cost must be a finite number of at least 0, or an object of such, got -1'],
    [{ cost: { tokens: '5' } }, 'execute: cost must be a finite number of at least 0, or an object of such, got an object'],
    [{ idempotent: 'no' }, 'execute: idempotent must be true or false, got "no"'],
    [
      { singal: 1 },
      'execute: unknown option "singal"; there are name, parent, signal, timeout, deadline, keys, cost, priority, idempotent',
    ],
    [{ priority: 'urgent' }, `execute: priority must be one of 'critical', 'high', 'normal', 'low', 'background', got "urgent"`],
    [{ priority: 1 }, 'execute: priority must be one of'],
    [{ priority: null }, 'execute: priority must be one of'],
  ])('%o', async (options, message) => {
    let calls = 0;
    const wrong = options as ExecuteOptions;
    const error = expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) });
    await expect(compose().execute(() => calls++, wrong)).rejects.toEqual(error);
    expect(await compose().attempt(() => calls++, wrong)).toEqual({ ok: false, by: 'caller', error });
    expect(calls).toBe(0);
  });
});

test('F2: what is undefined was not given', async () => {
  const names = ['name', 'parent', 'signal', 'timeout', 'deadline', 'keys', 'cost', 'priority', 'idempotent'];
  expect(await compose().execute(() => 1, Object.fromEntries(names.map((name) => [name, undefined])))).toBe(1);
});

test('a timeout of 0 has passed: what is left of a limit can be handed on as it is', async () => {
  let calls = 0;
  const attempt = await compose().attempt(() => calls++, { timeout: 0 });
  expect(attempt).toMatchObject({ ok: false, by: 'caller', error: { code: 'ERR_TIMEOUT' } });
  expect(calls).toBe(0);
});

test.each([5, null, undefined, { tokens: -1 }, { tokens: '5' }])('F2: %j cannot be charged', async (costs) => {
  const charged = compose().execute((call) => call.charge(costs as Record<string, number>));
  await expect(charged).rejects.toMatchObject({ code: 'ERR_OPTION', message: expect.stringMatching(/^call.charge: costs must be/) });
});

test.each([5, null, undefined, {}])('F2: %j cannot be held', async (done) => {
  const held = compose().execute((call) => call.hold(done as unknown as Promise<void>));
  await expect(held).rejects.toMatchObject({ code: 'ERR_OPTION', message: expect.stringMatching(/^call.hold: done must be a promise/) });
});
