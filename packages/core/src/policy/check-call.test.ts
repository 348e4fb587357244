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
  ])('%o', async (options, message) => {
    let calls = 0;
    const wrong = options as ExecuteOptions;
    const error = expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) });
    await expect(compose().execute(() => calls++, wrong)).rejects.toEqual(error);
    expect(await compose().attempt(() => calls++, wrong)).toEqual({ ok: false, by: 'caller', error });
    expect(calls).toBe(0);
  });
});
