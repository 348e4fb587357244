import { getEventListeners } from 'node:events';
import { expect, test, vi } from 'vitest';
import { foreignListeners, tokenOf } from './foreign-signal.ts';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;
const endOfDrain = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('one signal has one token, whose signal is the signal itself', () => {
  const { signal } = new AbortController();
  expect(tokenOf(signal)).toBe(tokenOf(signal));
  expect(tokenOf(signal).signal).toBe(signal);
  expect(tokenOf(new AbortController().signal)).not.toBe(tokenOf(signal));
});

test('a signal shows nothing of its token', () => {
  const { signal } = new AbortController();
  const keys = Reflect.ownKeys(signal);
  const token = tokenOf(Object.freeze(signal));
  expect(tokenOf(signal)).toBe(token);
  expect(Reflect.ownKeys(signal)).toEqual(keys);
});

test('C5: one listener, however many hang below; none while nobody does', async () => {
  const { signal } = new AbortController();
  const before = foreignListeners();
  const token = tokenOf(signal);
  expect(listeners(signal)).toBe(0);
  const links = Array.from({ length: 100 }, () => token.link({ cancelled: () => {} }));
  expect(listeners(signal)).toBe(1);
  expect(foreignListeners() - before).toBe(1);
  for (const link of links) link.unlink();
  await endOfDrain();
  expect(listeners(signal)).toBe(0);
  expect(foreignListeners() - before).toBe(0);
});

test('C5: a signal that is busy keeps its listener from one call to the next', async () => {
  const { signal } = new AbortController();
  const token = tokenOf(signal);
  token.link({ cancelled: () => {} }).unlink();
  const next = token.link({ cancelled: () => {} });
  await endOfDrain();
  expect(listeners(signal)).toBe(1);
  next.unlink();
  token.link({ cancelled: () => {} }).unlink();
  await endOfDrain();
  expect(listeners(signal)).toBe(0);
});

test('C1: an abort comes through with its reason as the same object', async () => {
  const controller = new AbortController();
  const before = foreignListeners();
  const reason = { mine: true };
  const log: unknown[] = [];
  const token = tokenOf(controller.signal);
  token.link({ cancelled: (given) => void log.push(given) });
  token.link({ cancelled: (given) => void log.push(given) });
  controller.abort(reason);
  expect(log).toEqual([reason, reason]);
  expect(log[0]).toBe(reason);
  await endOfDrain();
  expect(foreignListeners() - before).toBe(0);
});

test('a signal that was aborted before has a cancelled token', () => {
  const signal = AbortSignal.abort('early');
  expect(tokenOf(signal).reason).toBe('early');
  expect(listeners(signal)).toBe(0);
});

test('C2: an abort that came while nobody hung below is noticed by the next who asks', async () => {
  const controller = new AbortController();
  tokenOf(controller.signal)
    .link({ cancelled: () => {} })
    .unlink();
  await endOfDrain();
  controller.abort('unseen');
  expect(tokenOf(controller.signal).isCancelled).toBe(true);
  expect(tokenOf(controller.signal).reason).toBe('unseen');
});

test('asked by another listener of the same abort, it tells everybody below then, and once', async () => {
  const controller = new AbortController();
  const before = foreignListeners();
  const log: unknown[] = [];
  controller.signal.addEventListener('abort', () => void log.push(tokenOf(controller.signal).reason));
  tokenOf(controller.signal).link({ cancelled: (reason) => void log.push(`told ${reason}`) });
  controller.abort('stop');
  await endOfDrain();
  expect(log).toEqual(['told stop', 'stop']);
  expect(foreignListeners() - before).toBe(0);
});

test('C5: plans one look at the end of a drain, however many calls come and go in it', async () => {
  const token = tokenOf(new AbortController().signal);
  using nextTick = vi.spyOn(process, 'nextTick');
  for (let i = 0; i < 100; i++) token.link({ cancelled: () => {} }).unlink();
  expect(nextTick).toHaveBeenCalledTimes(1);
  await endOfDrain();
  token.link({ cancelled: () => {} }).unlink();
  expect(nextTick).toHaveBeenCalledTimes(2);
});
