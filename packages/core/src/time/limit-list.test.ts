import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { CountingClock, Recorder, remove } from './limit-list.test-support.ts';
import { LimitNode, type LimitTarget, limitList } from './limit-list.ts';

describe('one list', () => {
  test('reaches limits in the order they were set, each when its time has come', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    limitList(clock, 100).add(recorder.node(1));
    await clock.advance(30);
    limitList(clock, 100).add(recorder.node(2));
    limitList(clock, 100).add(recorder.node(3));
    await clock.advance(1000);
    expect(recorder.reached).toEqual(['1 at 100', '2 at 130', '3 at 130']);
  });

  test('a limit that was removed is not reached; removing again is harmless', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    const [first, second, third] = [recorder.node(1), recorder.node(2), recorder.node(3)];
    const list = limitList(clock, 100);
    for (const node of [first, second, third]) list.add(node);
    list.remove(second);
    list.remove(second);
    await clock.advance(100);
    list.remove(first);
    expect(recorder.reached).toEqual(['1 at 100', '3 at 100']);
  });

  test('a node can be used again once it has left', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    const node = recorder.node(1);
    limitList(clock, 100).add(node);
    limitList(clock, 100).remove(node);
    limitList(clock, 50).add(node);
    await clock.advance(100);
    expect(recorder.reached).toEqual(['1 at 50']);
  });

  test('says when a limit is due', async () => {
    const clock = new VirtualClock({ nowMs: 5 });
    const node = new Recorder(clock).node(1);
    limitList(clock, 100).add(node);
    expect(node.dueMs()).toBe(105);
    await clock.advance(50);
    expect(node.dueMs()).toBe(105);
  });

  test('a limit set while others are reached does not delay those that wait', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    const again = new LimitNode({ limitReached: () => limitList(clock, 100).add(recorder.node(3)) }, 1, null);
    limitList(clock, 100).add(again);
    await clock.advance(10);
    limitList(clock, 100).add(recorder.node(2));
    await clock.advance(1000);
    expect(recorder.reached).toEqual(['2 at 110', '3 at 200']);
  });

  test('a limit so short that it is due at once does not keep the list for ever', async () => {
    const clock = new CountingClock({ nowMs: 1e9 });
    let times = 0;
    const target: LimitTarget = {
      limitReached: (node) => {
        if (++times < 5) limitList(clock, 1e-9).add(node);
      },
    };
    limitList(clock, 1e-9).add(new LimitNode(target, 0, null));
    await clock.advance(1);
    expect(times).toBe(5);
    expect(clock.scheduled).toHaveLength(5); // each in a wake of its own
  });

  test('one limit may take others of its list away', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    const doomed = [recorder.node(2), recorder.node(3)];
    limitList(clock, 100).add(new LimitNode({ limitReached: () => doomed.forEach(remove) }, 1, null));
    for (const node of doomed) limitList(clock, 100).add(node);
    limitList(clock, 100).add(recorder.node(4));
    await clock.advance(200);
    expect(recorder.reached).toEqual(['4 at 100']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('one limit may take another away and set a new one, which is not reached early', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    const doomed = recorder.node(2);
    const target: LimitTarget = {
      limitReached: () => {
        remove(doomed);
        limitList(clock, 100).add(recorder.node(3));
      },
    };
    limitList(clock, 100).add(new LimitNode(target, 1, null));
    limitList(clock, 100).add(doomed);
    await clock.advance(1000);
    expect(recorder.reached).toEqual(['3 at 200']);
  });

  test('goes on after a target that throws', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    const fault = new Error('fault');
    const throwing: LimitTarget = {
      limitReached: () => {
        throw fault;
      },
    };
    limitList(clock, 100).add(new LimitNode(throwing, 1, null));
    limitList(clock, 100).add(recorder.node(2));
    await expect(clock.advance(100)).rejects.toBe(fault);
    await clock.advance(1);
    expect(recorder.reached).toEqual(['2 at 100']);
  });

  test('T3: an early wake looks again, and no limit is reached early', async () => {
    const clock = new CountingClock();
    clock.earlyMs = 0.4;
    const recorder = new Recorder(clock);
    limitList(clock, 100).add(recorder.node(1));
    await clock.advance(99.9);
    expect(clock.scheduled).toEqual([100, expect.closeTo(0.4)]);
    expect(recorder.reached).toEqual([]);
    await clock.advance(0.1);
    expect(recorder.reached).toEqual(['1 at 100']);
  });

  test('T5: holds the process while a limit is set, and not while none is', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    const [first, second] = [recorder.node(1), recorder.node(2)];
    const list = limitList(clock, 100);
    list.add(first);
    list.add(second);
    expect(clock.pendingTimers).toBe(1);
    list.remove(first);
    expect(clock.pendingTimers).toBe(1);
    list.remove(second);
    expect(clock.pendingTimers).toBe(0);
    list.add(first);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(100);
    expect(clock.pendingTimers).toBe(0);
    expect(recorder.reached).toEqual(['1 at 100']);
  });

  test('T5: lets go as well after a wake for the first of several', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock);
    limitList(clock, 100).add(recorder.node(1));
    await clock.advance(50);
    const second = recorder.node(2);
    limitList(clock, 100).add(second);
    await clock.advance(50);
    expect(clock.pendingTimers).toBe(1);
    remove(second);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('T5: the process', () => {
  const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const run = async (body: string): Promise<string> => {
    const code = `
      import { LimitNode, limitList } from ${url('./limit-list.ts')};
      import { systemClock } from ${url('./system-clock.ts')};
      const node = new LimitNode({ limitReached: () => console.log('reached') }, 0, null);
      ${body}`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { timeout: 20_000 });
    return stdout;
  };

  test('lives until the last limit is reached', async () => {
    expect(await run('limitList(systemClock, 20).add(node);')).toBe('reached\n');
  });

  test('ends once no limit is set, though the timer of the list is still there', async () => {
    expect(await run('limitList(systemClock, 3_600_000).add(node); node.list.remove(node);')).toBe('');
  });

  test('ends as well where calls were dense', async () => {
    const body = `
      const nodes = Array.from({ length: 100 }, () => new LimitNode(node.target, 0, null));
      for (const each of nodes) limitList(systemClock, 3_600_000).add(each);
      setImmediate(() => nodes.forEach((each) => each.list.remove(each)));`;
    expect(await run(body)).toBe('');
  });
});
