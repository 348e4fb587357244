import { describe, expect, test, vi } from 'vitest';
import { type Cancellable, CancelToken } from './cancel-token.ts';

/** Something below a token that writes down what it is told. */
const told = (log: unknown[], name: string): Cancellable => ({ cancelled: (reason) => void log.push([name, reason]) });

describe('cancel', () => {
  test('C1: the first reason wins and stays the same object', () => {
    const token = new CancelToken();
    const reason = { mine: true };
    token.cancel(reason);
    token.cancel(new Error('second'));
    expect(token.isCancelled).toBe(true);
    expect(token.reason).toBe(reason);
    expect(token.signal.reason).toBe(reason);
    expect(() => token.throwIfCancelled()).toThrow(expect.toSatisfy((thrown) => thrown === reason));
  });

  test('nothing is thrown before', () => {
    const token = new CancelToken();
    token.throwIfCancelled();
    expect(token.isCancelled).toBe(false);
    expect(token.reason).toBeUndefined();
  });

  test.each([undefined, null, 0, ''])('a reason of %j is a reason', (reason) => {
    const token = new CancelToken();
    token.cancel(reason);
    expect(token.isCancelled).toBe(true);
    expect(token.reason).toBe(reason);
  });

  test('tells everything below, once, in the order it came, and the whole tree at once', () => {
    const log: unknown[] = [];
    const [root, child] = [new CancelToken(), new CancelToken()];
    root.link(told(log, 'a'));
    root.link(child);
    child.link(told(log, 'below'));
    root.link(told(log, 'b'));
    root.cancel('stop');
    root.cancel('again');
    expect(log).toEqual([
      ['a', 'stop'],
      ['below', 'stop'],
      ['b', 'stop'],
    ]);
    expect(child.reason).toBe('stop');
  });

  test('does not go upwards', () => {
    const [root, child] = [new CancelToken(), new CancelToken()];
    root.link(child);
    child.cancel('stop');
    expect(root.isCancelled).toBe(false);
    root.cancel('later');
    expect(child.reason).toBe('stop');
  });

  test('tells our own tree before the listeners of the signal, who are strangers', () => {
    const log: unknown[] = [];
    const token = new CancelToken();
    token.signal.addEventListener('abort', () => void log.push('listener'));
    token.link(told(log, 'a'));
    token.cancel('stop');
    expect(log).toEqual([['a', 'stop'], 'listener']);
  });

  test('whoever leaves while others are told is not told', () => {
    const log: unknown[] = [];
    const token = new CancelToken();
    token.link({ cancelled: () => link.unlink() });
    const link = token.link(told(log, 'gone'));
    token.link(told(log, 'stayed'));
    token.cancel('stop');
    expect(log).toEqual([['stayed', 'stop']]);
  });
});

describe('links', () => {
  test('C2: leave in O(1), in any order, and may leave twice', () => {
    const log: unknown[] = [];
    const token = new CancelToken();
    const links = Array.from({ length: 5 }, (_, i) => token.link(told(log, String(i))));
    expect(token.hasLinks).toBe(true);
    for (const i of [2, 0, 4, 2]) links[i]?.unlink();
    token.cancel('stop');
    expect(log).toEqual([
      ['1', 'stop'],
      ['3', 'stop'],
    ]);
    for (const link of links) link.unlink();
    expect(token.hasLinks).toBe(false);
  });

  test('tell their token when the last has left', () => {
    const emptied = vi.fn();
    class Watched extends CancelToken {
      override emptied(): void {
        emptied();
      }
    }
    const token = new Watched();
    expect(token.hasLinks).toBe(false);
    const [a, b] = [token.link(told([], 'a')), token.link(told([], 'b'))];
    a.unlink();
    a.unlink();
    expect(emptied).not.toHaveBeenCalled();
    b.unlink();
    expect(emptied).toHaveBeenCalledTimes(1);
  });
});

describe('C5: the signal', () => {
  test('is made on first read only, and is the same ever after', () => {
    const made = vi.spyOn(globalThis, 'AbortController');
    const token = new CancelToken();
    token.link(told([], 'a'));
    token.cancel('stop');
    expect(made).not.toHaveBeenCalled();
    expect(token.signal).toBe(token.signal);
    expect(made).toHaveBeenCalledTimes(1);
    made.mockRestore();
  });

  test('is born aborted where the token was cancelled before', () => {
    const token = new CancelToken();
    const reason = new Error('stop');
    token.cancel(reason);
    expect(token.signal.aborted).toBe(true);
    expect(token.signal.reason).toBe(reason);
  });

  test('is aborted with the token', () => {
    const token = new CancelToken();
    const { signal } = token;
    expect(signal.aborted).toBe(false);
    token.cancel('stop');
    expect(signal.reason).toBe('stop');
  });
});
