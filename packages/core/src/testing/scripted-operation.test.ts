import { expect, test } from 'vitest';
import type { Call } from '../policy/policy.ts';
import { scriptedOperation } from './scripted-operation.ts';

const CALL: Call = {
  name: 'load',
  signal: new AbortController().signal,
  attempt: 1,
  path: '1',
  remainingMs: () => Number.POSITIVE_INFINITY,
  throwIfCancelled: () => {},
  commit: () => {},
  hold: () => {},
  charge: () => {},
};

test('hands out each call for the test to answer', async () => {
  const scripted = scriptedOperation<string>();
  const [first, second] = [scripted.operation(CALL), scripted.operation({ ...CALL, attempt: 2 })];
  const one = await scripted.expectCall();
  const two = await scripted.expectCall();
  expect([one.call.attempt, two.call.attempt]).toEqual([1, 2]);
  const fault = new Error('busy');
  two.reject(fault);
  one.resolve('world');
  expect(await first).toBe('world');
  await expect(second).rejects.toBe(fault);
});

test('keeps every call and knows which are open', () => {
  const scripted = scriptedOperation<number>();
  for (let i = 0; i < 3; i++) void scripted.operation(CALL);
  scripted.calls[1]?.resolve(5);
  expect(scripted.calls.map((played) => played.isSettled)).toEqual([false, true, false]);
  expect(scripted.open).toEqual([scripted.calls[0], scripted.calls[2]]);
});

test('expectCall waits for a call that is only about to come', async () => {
  const scripted = scriptedOperation<number>();
  const later = async (): Promise<void> => {
    for (let i = 0; i < 100; i++) await Promise.resolve();
    void scripted.operation(CALL);
  };
  const coming = later();
  expect((await scripted.expectCall()).call).toBe(CALL);
  await coming;
});

test('expectCall fails where none comes, and says which one is missing', async () => {
  const scripted = scriptedOperation<number>();
  void scripted.operation(CALL);
  await scripted.expectCall();
  await expect(scripted.expectCall()).rejects.toThrow('expected call 2 of the scripted operation, but it has not come');
});

test('expectNoCall fails where there is one that was not handed out', async () => {
  const scripted = scriptedOperation<number>();
  await scripted.expectNoCall();
  void scripted.operation(CALL);
  await expect(scripted.expectNoCall()).rejects.toThrow('expected no further call of the scripted operation, but call 1 has come');
  await scripted.expectCall();
  await scripted.expectNoCall();
});

test('a call can be answered once only', () => {
  const scripted = scriptedOperation<number>();
  void scripted.operation(CALL);
  scripted.calls[0]?.resolve(1);
  expect(() => scripted.calls[0]?.resolve(2)).toThrow('call 1 of the scripted operation was answered twice');
  expect(() => scripted.calls[0]?.reject(2)).toThrow('call 1 of the scripted operation was answered twice');
});
