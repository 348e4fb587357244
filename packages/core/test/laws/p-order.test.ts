import { describe, expect, test } from 'vitest';
import { bulkhead } from '../../src/bulkhead/bulkhead.ts';
import { type KeelsonEvent, listen } from '../../src/observe/events.ts';
import type { Priority } from '../../src/policy/priority.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { rateLimit } from '../../src/rate-limiter/rate-limiter.ts';
import { Semaphore } from '../../src/sync/semaphore.ts';
import { deaf, inTime } from '../support/work.ts';

const time = onVirtualTime();
const REASON = { reason: 'the caller left' };

const noted =
  (order: string[], name: string, ms = 10) =>
  (): Promise<string> => {
    order.push(name);
    return inTime(ms, name);
  };

test('P2 a semaphore, which knows no priorities, hands its permit to whoever has waited longest', async () => {
  const gate = new Semaphore(1);
  const order: number[] = [];
  await Promise.all([1, 2, 3].map((n) => gate.run(() => void order.push(n))));
  expect(order).toEqual([1, 2, 3]);
});

test('P2 nobody waits for ever: who has waited a period longer is as urgent as the next priority', async () => {
  const permits = bulkhead({ maxConcurrency: 1, maxQueue: 1000, agingPeriod: 100 });
  const order: string[] = [];
  const call = (name: string, priority: Priority): Promise<unknown> => permits.execute(noted(order, name), { priority });
  const results = [call('first', 'critical'), call('background', 'background')];
  for (let n = 0; n < 100; n++) {
    results.push(call(`critical ${n}`, 'critical'), call(`also critical ${n}`, 'critical')); // twice as many as there is room for
    await time.clock.advance(10);
  }
  await time.clock.advance('1m');
  await Promise.all(results);
  // Behind all that came within four periods, and nobody else.
  expect(order.indexOf('background')).toBe(order.indexOf('also critical 40') + 1);
});

test('P2 with fairness keys of one priority take turns, however many calls of one wait', async () => {
  const permits = bulkhead({ maxConcurrency: 1, maxQueue: 1000, fairBy: 'tenant' });
  const order: string[] = [];
  const flood = Array.from({ length: 500 }, (_, n) => `a${n}`);
  const results = [...flood, 'b0', 'c0', 'b1'].map((name) => permits.execute(noted(order, name), { keys: { tenant: name.slice(0, 1) } }));
  await time.clock.advance('1m');
  await Promise.all(results);
  expect(order.slice(0, 7)).toEqual(['a0', 'a1', 'b0', 'c0', 'a2', 'b1', 'a3']);
});

test('P2 permits that are added go to those who wait, in order; those that are taken away, to nobody', async () => {
  const permits = bulkhead({ maxConcurrency: 1 });
  const order: string[] = [];
  const priorities = ['normal', 'low', 'high', 'critical'] as const;
  const results = priorities.map((priority, n) => permits.execute(noted(order, priority, 10 + n), { priority }));
  permits.reconfigure({ maxConcurrency: 3 });
  await time.clock.settle();
  expect(order).toEqual(['normal', 'critical', 'high']);
  permits.reconfigure({ maxConcurrency: 1 });
  const standings: unknown[] = [];
  for (const ms of [0, 10, 2, 1, 11]) {
    await time.clock.advance(ms);
    const { inFlight, waiting } = permits.statistics();
    standings.push({ inFlight, waiting });
  }
  const of = (inFlight: number, waiting: number): object => ({ inFlight, waiting });
  expect(standings).toEqual([of(3, 1), of(2, 1), of(1, 1), of(1, 0), of(0, 0)]);
  await Promise.all(results);
});

describe('P2 nobody drops out of a queue unseen', () => {
  const collect = (kind: string): { readonly types: string[]; readonly listening: Disposable } => {
    const types: string[] = [];
    return { types, listening: listen(kind, (event: KeelsonEvent) => types.push(`${event.operation ?? ''} ${event.type}`)) };
  };

  test.each([
    ['its caller', 'dropped'],
    ['its deadline', 'dropped'],
    ['close', 'rejected'],
    ['a full queue', 'rejected'],
    ['another that takes its place', 'rejected'],
    ['a queue made shorter', 'rejected'],
  ] as const)('%s', async (cause, type) => {
    const { types, listening } = collect('bulkhead');
    const permits = bulkhead({ maxConcurrency: 1, maxQueue: cause === 'a full queue' ? 0 : 1, overflow: 'dropOldest' });
    const controller = new AbortController();
    const first = permits.execute(deaf(100, 1), { name: 'first' });
    const options = { name: 'second', signal: controller.signal, timeout: cause === 'its deadline' ? 10 : undefined };
    const second = ending(permits.execute(() => 2, options));
    if (cause === 'its caller') controller.abort(REASON);
    if (cause === 'close') permits.close();
    if (cause === 'another that takes its place') void permits.execute(() => 3, { name: 'third' });
    if (cause === 'a queue made shorter') permits.reconfigure({ maxQueue: 0 });
    await time.clock.advance(100);
    await Promise.all([first, second]);
    listening[Symbol.dispose]();
    expect(types.filter((each) => !each.endsWith('queued'))).toEqual([`second ${type}`]);
  });

  test('nor out of the wait for a token', async () => {
    const { types, listening } = collect('rate-limiter');
    const limiter = rateLimit({ limit: 1, period: '1s' });
    await limiter.execute(() => 1);
    const controller = new AbortController();
    const second = ending(limiter.execute(() => 2, { name: 'second', signal: controller.signal }));
    controller.abort(REASON);
    await second;
    listening[Symbol.dispose]();
    expect(types).toEqual(['second waiting', 'second dropped']);
  });
});

test('P2 tokens are had first come, first served, whoever leaves and whoever comes meanwhile', async () => {
  const limiter = rateLimit({ limit: 1, period: 100, burst: 2 });
  const started: string[] = [];
  const run = (name: string, cost: number, signal?: AbortSignal): Promise<unknown> =>
    ending(limiter.execute(() => started.push(`${name} at ${time.clock.nowMs()}`), { cost, signal }));
  const controller = new AbortController();
  const results = [run('first', 2), run('second', 2), run('leaving', 2, controller.signal), run('third', 1)];
  await time.clock.advance(100); // there is one token
  results.push(run('last', 1));
  controller.abort(REASON);
  await time.clock.advance('1s');
  await Promise.all(results);
  expect(started).toEqual(['first at 0', 'second at 200', 'third at 300', 'last at 400']);
});
