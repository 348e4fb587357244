import { expect, test } from 'vitest';
import { type Waiter, WaitQueue } from './wait-queue.ts';

/** Waiters that write down what becomes of them. */
const setUp = (): { queue: WaitQueue; log: string[]; waiter: (name: string) => Waiter } => {
  const log: string[] = [];
  return {
    queue: new WaitQueue(),
    log,
    waiter: (name) => ({ granted: () => void log.push(`${name} granted`), refused: (error) => void log.push(`${name} refused: ${error}`) }),
  };
};

test('P2: grants in the order of waiting, one at a time', () => {
  const { queue, log, waiter } = setUp();
  for (const name of ['a', 'b', 'c']) queue.add(waiter(name));
  expect(queue.size).toBe(3);
  expect(queue.grant()).toBe(true);
  expect(log).toEqual(['a granted']);
  queue.grant();
  queue.grant();
  expect(log).toEqual(['a granted', 'b granted', 'c granted']);
  expect(queue.size).toBe(0);
});

test('says where nobody waits, so that the permit stays with the caller', () => {
  const { queue } = setUp();
  expect(queue.grant()).toBe(false);
});

test('C2: whoever leaves is passed over; leaving again, or after the grant, is harmless', () => {
  const { queue, log, waiter } = setUp();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => queue.add(waiter(name)));
  b?.unlink();
  b?.unlink();
  expect(queue.size).toBe(2);
  queue.grant();
  a?.unlink();
  expect(queue.size).toBe(1);
  queue.grant();
  c?.unlink();
  expect(log).toEqual(['a granted', 'c granted']);
  expect(queue.grant()).toBe(false);
  expect(queue.size).toBe(0);
});

test('P5: refuses everybody who waits now, each with an error of its own', () => {
  const { queue, log, waiter } = setUp();
  let n = 0;
  queue.add(waiter('a'));
  queue.add({ granted: () => {}, refused: () => void queue.add(waiter('newcomer')) });
  queue.add(waiter('b'));
  queue.refuseAll(() => `error ${++n}`);
  expect(log).toEqual(['a refused: error 1', 'b refused: error 3']);
  expect(queue.size).toBe(1);
});

test('whoever leaves while all are refused is not refused', () => {
  const { queue, log, waiter } = setUp();
  queue.add({ granted: () => {}, refused: () => b.unlink() });
  const b = queue.add(waiter('b'));
  queue.refuseAll(() => 'closed');
  expect(log).toEqual([]);
  expect(queue.size).toBe(0);
});
