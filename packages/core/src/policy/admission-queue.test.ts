import { describe, expect, test } from 'vitest';
import type { Waiter } from '../sync/wait-queue.ts';
import { AdmissionQueue, type AdmissionQueueRules, type Place } from './admission-queue.ts';
import { PRIORITIES, type Priority } from './priority.ts';

const SECOND_MS = 1000;
const nobody: Waiter = { granted: () => {}, refused: () => {} };

/** A queue whose waiters write down what becomes of them. */
function setUp(rules: Partial<AdmissionQueueRules> = {}): {
  readonly queue: AdmissionQueue;
  readonly log: string[];
  wait(name: string, priority?: Priority, about?: { readonly key?: string; readonly atMs?: number }): Place;
} {
  const queue = new AdmissionQueue({ agingPeriodMs: 5 * SECOND_MS, isFair: false, ...rules });
  const log: string[] = [];
  return {
    queue,
    log,
    wait: (name, priority = 'normal', { key, atMs = 0 } = {}) => {
      const place = queue.place(priority, key);
      place.add(
        { operation: name, granted: () => void log.push(name), refused: (error) => void log.push(`${name} refused: ${error}`) },
        atMs,
      );
      return place;
    },
  };
}

/** In which order everybody who waits goes. */
function grantAll({ queue, log }: { readonly queue: AdmissionQueue; readonly log: string[] }): readonly string[] {
  while (queue.grant());
  return log;
}

describe('P2: the order', () => {
  test('within one priority is that of coming', () => {
    const all = setUp();
    for (const name of ['a', 'b', 'c']) all.wait(name, 'low');
    expect(grantAll(all)).toEqual(['a', 'b', 'c']);
  });

  test('of those who come together is that of their priorities', () => {
    const all = setUp();
    for (const priority of PRIORITIES.toReversed()) all.wait(priority, priority);
    expect(grantAll(all)).toEqual(PRIORITIES);
  });

  test.each([
    ['shorter', 4999, ['late', 'early']],
    ['as long', 5000, ['late', 'early']],
    ['longer', 5001, ['early', 'late']],
  ])('a call that has waited %s than the period against one of the next priority', (_how, atMs, order) => {
    const all = setUp();
    all.wait('early', 'normal');
    all.wait('late', 'high', { atMs });
    expect(grantAll(all)).toEqual(order);
  });

  test('counts a period for each priority between', () => {
    const all = setUp();
    all.wait('background', 'background');
    all.wait('critical after 20 s', 'critical', { atMs: 20 * SECOND_MS });
    all.wait('critical after 21 s', 'critical', { atMs: 21 * SECOND_MS });
    all.wait('low after 6 s', 'low', { atMs: 6 * SECOND_MS });
    expect(grantAll(all)).toEqual(['critical after 20 s', 'background', 'critical after 21 s', 'low after 6 s']);
  });

  test('is by priority alone where nobody ages', () => {
    const all = setUp({ agingPeriodMs: Number.POSITIVE_INFINITY });
    for (const priority of PRIORITIES.toReversed()) all.wait(priority, priority);
    for (const priority of PRIORITIES) all.wait(`late ${priority}`, priority, { atMs: 1e9 });
    expect(grantAll(all)).toEqual(PRIORITIES.flatMap((priority) => [priority, `late ${priority}`]));
  });

  test('changes with the period', () => {
    const all = setUp();
    all.wait('early', 'low');
    all.wait('late', 'normal', { atMs: 4 * SECOND_MS });
    all.queue.agingPeriodMs = SECOND_MS;
    expect(grantAll(all)).toEqual(['early', 'late']);
  });
});

describe('fairness', () => {
  test('gives the keys of one priority a turn each', () => {
    const all = setUp({ isFair: true });
    for (const name of ['a1', 'a2', 'a3', 'b1']) all.wait(name, 'normal', { key: name.slice(0, 1) });
    all.wait('a0', 'high', { key: 'a' });
    expect(grantAll(all)).toEqual(['a0', 'a1', 'b1', 'a2', 'a3']);
  });

  test('does not keep a priority from ageing: it has its turn when its first call is due, whoever goes then', () => {
    const all = setUp({ isFair: true });
    for (const name of ['a1', 'a2']) all.wait(name, 'normal', { key: 'a' });
    all.wait('b1', 'normal', { key: 'b', atMs: 7 * SECOND_MS });
    all.wait('high', 'high', { key: 'c', atMs: 6 * SECOND_MS });
    expect(grantAll(all)).toEqual(['a1', 'b1', 'a2', 'high']);
  });

  test('asks for no keys where it is not wanted', () => {
    const all = setUp();
    for (const name of ['a1', 'a2', 'b1']) all.wait(name, 'normal', { key: name.slice(0, 1) });
    expect(grantAll(all)).toEqual(['a1', 'a2', 'b1']);
  });
});

describe.each([false, true])('whether fair or not (%s)', (isFair) => {
  test('says where nobody waits, so that the permit stays with the caller', () => {
    expect(setUp({ isFair }).queue.grant()).toBe(false);
  });

  test('C2: whoever leaves is passed over; leaving again, or after the grant, is harmless', () => {
    const { queue, log, wait } = setUp({ isFair });
    const [a, b, c] = [wait('a', 'high'), wait('b'), wait('c')];
    b.unlink();
    b.unlink();
    expect(queue.size).toBe(2);
    queue.grant();
    a.unlink();
    expect(queue.size).toBe(1);
    queue.grant();
    c.unlink();
    c.refuse(() => 'too late');
    expect(log).toEqual(['a', 'c']);
    expect([queue.grant(), queue.size]).toEqual([false, 0]);
  });

  test('a place is none before somebody is in it', () => {
    const { queue, wait } = setUp({ isFair });
    const place = queue.place('critical', 'a');
    place.unlink();
    expect([queue.size, place.size, queue.oldestSinceMs, queue.grant()]).toEqual([0, 0, undefined, false]);
    wait('a');
    expect(place.size).toBe(1);
  });

  test('P5: refuses everybody who waits now, each with an error of its own', () => {
    const { queue, log, wait } = setUp({ isFair });
    let n = 0;
    wait('a', 'low');
    const newcomer = queue.place('high', undefined);
    queue.place('high', undefined).add({ granted: () => {}, refused: () => void newcomer.add(nobody, 0) }, 0);
    wait('b', 'low');
    queue.refuseAll(() => `error ${++n}`);
    expect(log).toEqual(['a refused: error 2', 'b refused: error 3']);
    expect(queue.size).toBe(1);
  });

  test('knows how many wait of each priority, and since when', () => {
    const { queue, wait } = setUp({ isFair });
    expect(queue.oldestSinceMs).toBeUndefined();
    wait('a', 'critical', { atMs: 30 });
    wait('b', 'low', { atMs: 10 });
    wait('c', 'low', { atMs: 20 });
    expect(queue.sizes()).toEqual({ critical: 1, high: 0, normal: 0, low: 2, background: 0 });
    expect([queue.size, queue.oldestSinceMs]).toEqual([3, 10]);
  });
});

describe('L3: who has to go', () => {
  const dropped = (place: Place | undefined): string | undefined => place?.operation;

  test('is nobody where nobody waits', () => {
    const { queue } = setUp();
    expect([queue.toDrop('dropOldest'), queue.toDropFor('low', undefined, 'dropOldest')]).toEqual([undefined, undefined]);
  });

  test('is the oldest or the newest of the least urgent priority', () => {
    const { queue, wait } = setUp();
    for (const name of ['h1', 'l1', 'l2', 'n1']) wait(name, ({ h: 'high', l: 'low', n: 'normal' } as const)[name.slice(0, 1) as 'h']);
    expect([dropped(queue.toDrop('dropOldest')), dropped(queue.toDrop('dropNewest'))]).toEqual(['l1', 'l2']);
  });

  test.each([
    ['high', 'n1', 'n2'],
    ['normal', 'n1', undefined],
    ['low', undefined, undefined],
  ] as const)('is, for a newcomer of priority %s, %s or %s', (priority, oldest, newest) => {
    const { queue, wait } = setUp();
    for (const name of ['n1', 'n2']) wait(name);
    wait('c1', 'critical');
    const forNewcomer = (rule: 'dropOldest' | 'dropNewest'): string | undefined => dropped(queue.toDropFor(priority, undefined, rule));
    expect([forNewcomer('dropOldest'), forNewcomer('dropNewest')]).toEqual([oldest, newest]);
  });

  test('is, with fairness, one of the key that has most', () => {
    const { queue, wait } = setUp({ isFair: true });
    for (const name of ['b1', 'a1', 'a2', 'a3']) wait(name, 'normal', { key: name.slice(0, 1) });
    expect([dropped(queue.toDrop('dropOldest')), dropped(queue.toDrop('dropNewest'))]).toEqual(['a1', 'a3']);
    expect(dropped(queue.toDropFor('normal', 'b', 'dropNewest'))).toBe('a3');
    expect(dropped(queue.toDropFor('normal', 'a', 'dropNewest'))).toBeUndefined();
    expect(dropped(queue.toDropFor('high', 'a', 'dropNewest'))).toBe('a3');
  });

  test('a place without a waiter of name is of an operation', () => {
    const { queue } = setUp();
    queue.place('normal', undefined).add(nobody, 0);
    expect(dropped(queue.toDrop('dropOldest'))).toBe('operation');
  });
});
