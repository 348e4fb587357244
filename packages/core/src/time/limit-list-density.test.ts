import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { CountingClock, Recorder, remove } from './limit-list.test-support.ts';
import { LimitNode, type LimitTarget, limitList } from './limit-list.ts';

describe('dense calls', () => {
  test('read the clock once a drain', async () => {
    const clock = new CountingClock();
    const recorder = new Recorder(clock);
    const list = limitList(clock, 100);
    for (let i = 0; i < 1000; i++) list.add(recorder.node(i));
    await clock.settle();
    expect(clock.reads).toBeLessThan(15);
    await clock.advance(99);
    expect(recorder.reached).toEqual([]);
    await clock.advance(1);
    expect(recorder.reached).toHaveLength(1000);
    expect(new Set(recorder.reached.map((line) => line.split(' at ')[1]))).toEqual(new Set(['100']));
  });

  test('begin with the eighth read that follows closely on another, and stay dense from drain to drain', async () => {
    const clock = new CountingClock();
    const recorder = new Recorder(clock);
    const readsOf = (times: number): number => {
      clock.reads = 0;
      for (let i = 0; i < times; i++) limitList(clock, 100).add(recorder.node(i));
      return clock.reads;
    };
    expect(readsOf(9)).toBe(9);
    expect(readsOf(8)).toBe(0);
    await clock.settle();
    expect(readsOf(8)).toBe(0);
    await clock.settle();
    expect(readsOf(7)).toBe(0);
    await clock.settle();
    expect(readsOf(1)).toBe(1);
  });

  test('are not those that come apart', async () => {
    const clock = new CountingClock();
    const recorder = new Recorder(clock);
    let reads = 0;
    for (let i = 0; i < 20; i++) {
      await clock.advance(1);
      clock.reads = 0;
      limitList(clock, 100).add(recorder.node(i));
      reads += clock.reads;
    }
    expect(reads).toBe(20);
  });

  test('do not let go of the process between one and the next', async () => {
    const clock = new CountingClock();
    const recorder = new Recorder(clock);
    recorder.makeDense(100).forEach(remove);
    await clock.settle();
    clock.unreferenced = 0;
    for (let i = 0; i < 50; i++) {
      const node = recorder.node(i);
      limitList(clock, 100).add(node);
      remove(node);
    }
    await clock.settle();
    expect(clock.unreferenced).toBeLessThanOrEqual(1);
  });

  test('become sparse again after a drain with few', async () => {
    const clock = new CountingClock();
    const recorder = new Recorder(clock);
    recorder.makeDense(100).forEach(remove);
    await clock.advance(1);
    limitList(clock, 100).add(recorder.node(1));
    await clock.advance(1);
    clock.reads = 0;
    limitList(clock, 100).add(recorder.node(2));
    expect(clock.reads).toBe(1);
  });

  test('a limit is due its duration after the end of the drain it was set in', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    recorder.makeDense(100).forEach(remove);
    const node = recorder.node(7);
    limitList(clock, 50).add(node);
    expect(node.dueMs()).toBe(50);
    await clock.advance(50);
    expect(recorder.reached).toEqual(['7 at 50']);
  });

  test('T5: a list that is emptied in the drain lets go at its end', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    const nodes = recorder.makeDense(100);
    await clock.settle();
    expect(clock.pendingTimers).toBe(1);
    nodes.forEach(remove);
    await clock.settle();
    expect(clock.pendingTimers).toBe(0);
  });

  test('a list whose every limit came and went within one drain sets no timer and is forgotten', async () => {
    const clock = new CountingClock();
    const recorder = new Recorder(clock);
    recorder.makeDense(100);
    const list = limitList(clock, 50);
    const node = recorder.node(1);
    list.add(node);
    list.remove(node);
    await clock.settle();
    expect(clock.scheduled).toEqual([100]);
    expect(limitList(clock, 50)).not.toBe(list);
  });

  test('a limit set by one that is reached, in a dense time, is reached as well', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    const target: LimitTarget = { limitReached: () => limitList(clock, 100).add(recorder.node(1)) };
    for (let i = 0; i < 20; i++) limitList(clock, 100).add(new LimitNode(target, i, null));
    await clock.advance(200);
    expect(recorder.reached).toHaveLength(20);
    expect(clock.pendingTimers).toBe(0);
  });
});
