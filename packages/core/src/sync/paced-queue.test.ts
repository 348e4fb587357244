import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { PacedQueue } from './paced-queue.ts';

/** A queue whose first may go at times that the test says, and waiters that write down what becomes of them. */
function setUp(): { clock: VirtualClock; queue: PacedQueue; log: string[]; due: { atMs: number }; add: (name: string) => void } {
  const clock = new VirtualClock();
  const log: string[] = [];
  const due = { atMs: 100 };
  const queue = new PacedQueue((nowMs) => Math.max(nowMs, due.atMs));
  const add = (name: string): void => {
    const node = queue.add({
      clock,
      called: () => {
        log.push(`${name} at ${clock.nowMs()}`);
        node.unlink();
        queue.pace();
      },
      refused: (error) => void log.push(`${name} refused: ${error}`),
    });
  };
  return { clock, queue, log, due, add };
}

describe('refusing', () => {
  test('some, asked by their places: they are out at once, and the others go on in order', async () => {
    const { clock, queue, log, add } = setUp();
    for (const name of ['a', 'b', 'c', 'd']) add(name);
    const asked: number[] = [];
    queue.refuseSome((place) => {
      asked.push(place);
      return place % 2 === 0 ? 'no' : undefined;
    });
    expect([asked, queue.size, log]).toEqual([[0, 1, 2, 3], 2, ['a refused: no', 'c refused: no']]);
    await clock.advance(100);
    expect(log.slice(2)).toEqual(['b at 100', 'd at 100']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('all leaves no timer, and P5: nobody waiting', () => {
    const { clock, queue, log, add } = setUp();
    for (const name of ['a', 'b']) add(name);
    let count = 0;
    queue.refuseAll(() => `error ${++count}`);
    expect([queue.size, clock.pendingTimers, log]).toEqual([0, 0, ['a refused: error 1', 'b refused: error 2']]);
    queue.refuseAll(() => expect.unreachable());
  });

  test('the first paces the next by its own time', async () => {
    const { clock, queue, log, due, add } = setUp();
    for (const name of ['a', 'b']) add(name);
    due.atMs = 40;
    queue.refuseFirst('no');
    await clock.advance(40);
    expect(log).toEqual(['a refused: no', 'b at 40']);
    queue.refuseFirst('nobody');
    expect(log).toHaveLength(2);
  });
});
