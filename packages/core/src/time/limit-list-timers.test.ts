import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { CountingClock, Recorder, remove } from './limit-list.test-support.ts';
import { LimitNode, type LimitTarget, limitList } from './limit-list.ts';

describe('timers', () => {
  test('a limit costs none of its own: one list has at most one', async () => {
    const clock = new CountingClock();
    const recorder = new Recorder(clock);
    for (let i = 0; i < 50; i++) {
      limitList(clock, 100).add(recorder.node(i));
      await clock.advance(1);
    }
    expect(clock.scheduled).toEqual([100]);
    await clock.advance(49);
    expect(clock.scheduled).toEqual([100]);
    await clock.advance(1000);
    expect(recorder.reached).toHaveLength(50);
    expect(clock.scheduled).toHaveLength(50); // one for each limit that was really reached at a time of its own
  });

  test('a list that is emptied and filled again keeps its timer', async () => {
    const clock = new CountingClock();
    const recorder = new Recorder(clock);
    const node = recorder.node(1);
    for (let i = 0; i < 3; i++) {
      limitList(clock, 100).add(node);
      remove(node);
    }
    limitList(clock, 100).add(node);
    expect(clock.scheduled).toEqual([100]);
    await clock.advance(100);
    expect(recorder.reached).toEqual(['1 at 100']);
  });

  test('a limit set by one that is reached shares the timer of those that wait', async () => {
    const clock = new CountingClock();
    const recorder = new Recorder(clock);
    limitList(clock, 100).add(new LimitNode({ limitReached: () => limitList(clock, 100).add(recorder.node(3)) }, 1, null));
    await clock.advance(10);
    limitList(clock, 100).add(recorder.node(2));
    await clock.advance(90);
    expect(clock.pendingTimers).toBe(1);
    expect(clock.scheduled).toEqual([100, 10]);
  });

  test('a list that is kept works again after it was forgotten', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    const kept = limitList(clock, 100);
    kept.add(recorder.node(1));
    await clock.advance(100);
    kept.add(recorder.node(2));
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(100);
    expect(recorder.reached).toEqual(['1 at 100', '2 at 200']);
  });

  test('a list that ends late does not make the one forgotten that has taken its place', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    const old = limitList(clock, 100);
    let successor: LimitNode['list'] = null;
    const target: LimitTarget = {
      limitReached: ({ level }) => {
        if (level < 19) return;
        const passing = recorder.node(0); // makes the list one to look at when the drain is over
        old.add(passing);
        old.remove(passing);
        queueMicrotask(() => {
          const node = recorder.node(1);
          limitList(clock, 100).add(node);
          successor = node.list;
        });
      },
    };
    for (let level = 0; level < 20; level++) old.add(new LimitNode(target, level, null));
    await clock.advance(100);
    expect(successor).not.toBe(old);
    expect(limitList(clock, 100)).toBe(successor);
  });

  test('a wake for a limit that has gone arms for the first that is left', async () => {
    const clock = new CountingClock();
    const recorder = new Recorder(clock);
    const first = recorder.node(1);
    limitList(clock, 100).add(first);
    await clock.advance(60);
    limitList(clock, 100).add(recorder.node(2));
    limitList(clock, 100).remove(first);
    await clock.advance(1000);
    expect(clock.scheduled).toEqual([100, 60]);
    expect(recorder.reached).toEqual(['2 at 160']);
  });

  test('different durations and different clocks do not touch each other', async () => {
    const [one, other] = [new VirtualClock(), new VirtualClock()];
    const recorder = new Recorder(one);
    limitList(one, 100).add(recorder.node(1));
    limitList(one, 50).add(recorder.node(2));
    limitList(other, 10).add(recorder.node(3));
    await one.advance(100);
    expect(recorder.reached).toEqual(['2 at 50', '1 at 100']);
    expect(other.pendingTimers).toBe(1);
  });

  test('a list that is kept and the list that took its place share one timer', async () => {
    const clock = new CountingClock();
    const recorder = new Recorder(clock);
    const kept = limitList(clock, 100);
    kept.add(recorder.node(1));
    await clock.advance(100);
    const successor = limitList(clock, 100);
    expect(successor).not.toBe(kept);
    successor.add(recorder.node(2));
    const viaKept = recorder.node(3);
    kept.add(viaKept);
    expect(viaKept.list).toBe(successor);
    expect(clock.scheduled).toEqual([100, 100]);
    kept.remove(viaKept);
    await clock.advance(100);
    expect(recorder.reached).toEqual(['1 at 100', '2 at 200']);
  });

  test('lists of durations that are no longer used do not pile up', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    const kept = limitList(clock, 100);
    const node = recorder.node(1);
    kept.add(node);
    kept.remove(node);
    expect(limitList(clock, 100)).toBe(kept);
    await clock.advance(100);
    expect(limitList(clock, 100)).not.toBe(kept);
  });

  test('many durations at once leave only so many idle timers', async () => {
    const clock = new CountingClock();
    const recorder = new Recorder(clock);
    const nodes = Array.from({ length: 1000 }, (_, i) => recorder.node(i));
    nodes.forEach((node, i) => void limitList(clock, 1000 + i).add(node));
    await clock.settle();
    expect(clock.scheduled).toHaveLength(1000);
    nodes.forEach(remove);
    await clock.settle();
    expect(clock.cancelled).toBe(744);
  });
});
