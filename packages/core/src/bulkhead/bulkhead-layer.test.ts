import { describe, expect, test } from 'vitest';
import { Place } from '../policy/admission-queue.ts';
import type { Priority } from '../policy/priority.ts';
import { type Decision, type FakeStep, fakeStep } from '../testing/fake-step.ts';
import { BulkheadFullError, BulkheadLayer, type BulkheadRules } from './bulkhead-layer.ts';

const RULES: BulkheadRules = {
  name: 'database',
  maxConcurrency: 2,
  maxQueue: 1,
  maxAbandoned: 2,
  overflow: 'reject',
  agingPeriodMs: 5000,
  fairBy: undefined,
};
const layerWith = (rules: Partial<BulkheadRules> = {}): BulkheadLayer => new BulkheadLayer({ ...RULES, ...rules });

const enter = (layer: BulkheadLayer, step: FakeStep = fakeStep({ operation: 'loadUser' })): Decision | undefined =>
  step.decided(layer.enter(step));

/** A layer of which all permits are out. */
function fullLayer(rules: Partial<BulkheadRules> = {}): BulkheadLayer {
  const layer = layerWith({ maxConcurrency: 1, ...rules });
  enter(layer);
  return layer;
}

/** What a parked call does: it waits where its layer said, and writes down what becomes of it. */
function park(decision: Decision | undefined, operation: string, nowMs: number): unknown[] {
  const became: unknown[] = [];
  if (typeof decision !== 'object' || !('park' in decision)) throw new Error('was not parked');
  decision.park.add({ operation, granted: () => became.push('granted'), refused: (error) => became.push(error) }, nowMs);
  return became;
}

/** Enters, and waits; what became of it is in the array. */
function wait(layer: BulkheadLayer, priority?: Priority, about: { readonly tenant?: string; readonly nowMs?: number } = {}): unknown[] {
  const { tenant, nowMs = 0 } = about;
  const operation = `${priority ?? 'any'} call`;
  return park(
    enter(layer, fakeStep({ operation, nowMs, options: { priority, keys: tenant === undefined ? undefined : { tenant } } })),
    operation,
    nowMs,
  );
}

const PARKED = { park: expect.any(Place) };
const REFUSED = { reject: expect.any(BulkheadFullError) };

describe('who enters', () => {
  test('has a permit as long as there are some, then waits, then is refused', () => {
    const layer = layerWith();
    expect([enter(layer), enter(layer)]).toEqual(['pass', 'pass']);
    expect(enter(layer)).toEqual(PARKED);
    wait(layer);
    expect(enter(layer)).toEqual(REFUSED);
    expect([layer.inFlight, layer.queue.size, layer.refused]).toEqual([2, 1, 1]);
  });

  test('is refused at once where nobody may wait', () => {
    const layer = layerWith({ maxQueue: 0 });
    enter(layer);
    enter(layer);
    expect(enter(layer)).toEqual(REFUSED);
  });

  test('waits in any number where that is allowed', () => {
    const layer = layerWith({ maxQueue: Number.POSITIVE_INFINITY });
    enter(layer);
    enter(layer);
    for (let i = 0; i < 1000; i++) wait(layer);
    expect(enter(layer)).toEqual(PARKED);
  });

  test('P1: is refused instead of waiting where abandoned work holds too many permits, but has what is free', () => {
    const layer = layerWith({ maxQueue: 10, maxAbandoned: 1 });
    enter(layer);
    layer.lingering = 2;
    expect(enter(layer)).toBe('pass');
    expect(enter(layer)).toEqual(REFUSED);
    layer.lingering = 1;
    expect(enter(layer)).toEqual(PARKED);
  });
});

describe('a refusal', () => {
  test('says how full it is, and what to change', () => {
    const layer = layerWith({ maxQueue: 1 });
    enter(layer);
    enter(layer);
    wait(layer);
    const { reject: error } = enter(layer) as { reject: BulkheadFullError };
    expect(error).toMatchObject({
      name: 'BulkheadFullError',
      code: 'ERR_BULKHEAD_FULL',
      message: 'loadUser was refused: database is full (2 running, 1 waiting); raise maxConcurrency or maxQueue, or slow the callers',
      policy: 'database',
      operation: 'loadUser',
      retryAfterMs: undefined,
    });
    expect(error.stack?.split('\n')).toHaveLength(1);
  });

  test.each([
    [1, 'is held by 1 abandoned call (2 running, 0 waiting)'],
    [2, 'is held by 2 abandoned calls (2 running, 0 waiting)'],
  ])('says that abandoned work is to blame, where it is (%d)', (lingering, text) => {
    const layer = layerWith({ maxAbandoned: 0 });
    enter(layer);
    enter(layer);
    layer.lingering = lingering;
    const { reject: error } = enter(layer) as { reject: BulkheadFullError };
    expect(error.message).toBe(
      `loadUser was refused: database ${text}; make the operation end when call.signal aborts, or raise maxAbandoned`,
    );
  });
});

test('a bulkhead with as much abandoned work as it may have is full like any other', () => {
  const layer = layerWith({ maxQueue: 0, maxAbandoned: 1 });
  enter(layer);
  enter(layer);
  layer.lingering = 1;
  expect(enter(layer)).toMatchObject({ reject: { message: expect.stringContaining('database is full (2 running, 0 waiting)') } });
});

describe('P2: a permit that comes back', () => {
  test('goes straight to whoever has waited longest; the count does not fall meanwhile', () => {
    const layer = layerWith({ maxConcurrency: 1, maxQueue: 2 });
    enter(layer);
    const [first, second] = [wait(layer), wait(layer)];
    layer.release();
    expect([first, second, layer.inFlight]).toEqual([['granted'], [], 1]);
    expect(enter(layer)).toEqual(PARKED); // a newcomer finds none
    layer.release();
    expect([second, layer.inFlight]).toEqual([['granted'], 1]);
  });

  test('is free where nobody waits', () => {
    const layer = layerWith({ maxConcurrency: 1 });
    enter(layer);
    layer.release();
    expect(layer.inFlight).toBe(0);
    expect(enter(layer)).toBe('pass');
  });
});

describe('P2: among those who wait', () => {
  test('the more urgent goes first, then the one that came first', () => {
    const layer = fullLayer({ maxQueue: 5 });
    const [low, normal, high, other] = [wait(layer, 'low'), wait(layer), wait(layer, 'high'), wait(layer, 'normal')];
    layer.release();
    layer.release();
    expect([low, normal, high, other]).toEqual([[], ['granted'], ['granted'], []]);
  });

  test('one that has waited an ageing period longer than another is as urgent as the next priority', () => {
    const layer = fullLayer({ maxQueue: 5, agingPeriodMs: 100 });
    const [early, late] = [wait(layer, 'low'), wait(layer, 'normal', { nowMs: 101 })];
    layer.release();
    expect([early, late]).toEqual([['granted'], []]);
  });

  test('keys take turns where that is asked for, and who has none is one of them', () => {
    const layer = fullLayer({ maxQueue: 5, fairBy: 'tenant' });
    const [a, , other, none] = [
      wait(layer, 'normal', { tenant: 'a' }),
      wait(layer, 'normal', { tenant: 'a' }),
      wait(layer, 'normal', { tenant: 'b' }),
      wait(layer),
    ];
    for (let n = 0; n < 3; n++) layer.release();
    expect([a, other, none]).toEqual([['granted'], ['granted'], ['granted']]);
    expect(layer.queue.size).toBe(1);
  });

  test('K4: an inherited property is no key', () => {
    const layer = fullLayer({ maxQueue: 5, fairBy: 'constructor' });
    const [first, , third] = [wait(layer, 'normal', { tenant: 'a' }), wait(layer), wait(layer)];
    layer.release();
    expect([first, third]).toEqual([['granted'], []]);
  });
});

describe('L3: where one more comes than may wait', () => {
  test('it is refused, whatever its priority, and nobody is dropped, unless another mode was chosen', () => {
    const layer = fullLayer();
    const waiting = wait(layer, 'background');
    expect(enter(layer, fakeStep({ options: { priority: 'critical' } }))).toEqual(REFUSED);
    expect([waiting, layer.refused, layer.dropped]).toEqual([[], 1, 0]);
  });

  test('dropOldest: the one that has waited longest of the least urgent priority makes room', () => {
    const layer = fullLayer({ maxQueue: 3, overflow: 'dropOldest' });
    const [low, other, high] = [
      wait(layer, 'low', { nowMs: 300 }),
      wait(layer, 'low', { nowMs: 400 }),
      wait(layer, 'high', { nowMs: 500 }),
    ];
    const newcomer = wait(layer, 'normal', { nowMs: 1500 });
    expect([other, high, newcomer, layer.queue.size, layer.refused, layer.dropped]).toEqual([[], [], [], 3, 0, 1]);
    expect(low).toEqual([expect.any(BulkheadFullError)]);
    expect(low[0]).toMatchObject({
      code: 'ERR_BULKHEAD_FULL',
      message:
        'low call was dropped after 1.2s in the queue: database is full (1 running, 3 waiting), and a call of priority normal took its place; raise maxConcurrency or maxQueue, or slow the callers',
      policy: 'database',
      operation: 'low call',
    });
    expect((low[0] as Error).stack?.split('\n')).toHaveLength(1);
  });

  test('dropOldest: a newcomer that is less urgent than all who wait is refused', () => {
    const layer = fullLayer({ overflow: 'dropOldest' });
    const waiting = wait(layer, 'normal');
    expect(enter(layer, fakeStep({ options: { priority: 'low' } }))).toEqual(REFUSED);
    expect([waiting, layer.refused, layer.dropped]).toEqual([[], 1, 0]);
  });

  test('dropNewest: the newest of the least urgent priority goes, which may be the newcomer', () => {
    const layer = fullLayer({ maxQueue: 2, overflow: 'dropNewest' });
    const [first, second] = [wait(layer), wait(layer)];
    expect(enter(layer)).toEqual(REFUSED);
    const urgent = wait(layer, 'high');
    expect([first, second, urgent]).toEqual([[], [expect.any(BulkheadFullError)], []]);
    expect([layer.refused, layer.dropped]).toEqual([1, 1]);
  });

  test('with fairness it is one of the key that has most', () => {
    const layer = fullLayer({ maxQueue: 2, overflow: 'dropNewest', fairBy: 'tenant' });
    const [first, second] = [wait(layer, 'normal', { tenant: 'a' }), wait(layer, 'normal', { tenant: 'a' })];
    const other = wait(layer, 'normal', { tenant: 'b' });
    expect([first, second, other]).toEqual([[], [expect.any(BulkheadFullError)], []]);
  });

  test.each(['dropOldest', 'dropNewest'] as const)(
    '%s drops nobody where nobody may wait, or abandoned work holds too much',
    (overflow) => {
      expect(enter(fullLayer({ maxQueue: 0, overflow }))).toEqual(REFUSED);
      const layer = fullLayer({ maxAbandoned: 0, overflow });
      const waiting = wait(layer, 'low');
      layer.lingering = 1;
      expect(enter(layer, fakeStep({ options: { priority: 'high' } }))).toEqual(REFUSED);
      expect(waiting).toEqual([]);
    },
  );
});

describe('new rules', () => {
  test('with more permits let in those who wait, in order', () => {
    const layer = fullLayer({ maxQueue: 5 });
    const [low, first, second] = [wait(layer, 'low'), wait(layer), wait(layer)];
    layer.changeRules({ ...RULES, maxConcurrency: 3 }, 0);
    expect([low, first, second, layer.inFlight]).toEqual([[], ['granted'], ['granted'], 3]);
  });

  test('with more permits than wait leave some free', () => {
    const layer = fullLayer({ maxQueue: 5 });
    wait(layer);
    layer.changeRules({ ...RULES, maxConcurrency: 5 }, 0);
    expect(layer.inFlight).toBe(2);
    expect(enter(layer)).toBe('pass');
  });

  test('with fewer permits let what runs end, and keep what comes back until the number is right', () => {
    const layer = layerWith({ maxConcurrency: 3, maxQueue: 5 });
    for (let n = 0; n < 3; n++) enter(layer);
    const waiting = wait(layer);
    layer.changeRules({ ...RULES, maxConcurrency: 1 }, 0);
    layer.release();
    layer.release();
    expect([layer.inFlight, waiting]).toEqual([1, []]);
    layer.release();
    expect([layer.inFlight, waiting]).toEqual([1, ['granted']]);
  });

  test('with a shorter queue drop nobody where those who wait are not to be dropped', () => {
    const layer = fullLayer({ maxQueue: 2 });
    const [first, second] = [wait(layer), wait(layer)];
    layer.changeRules({ ...RULES, maxConcurrency: 1, maxQueue: 1 }, 0);
    expect([first, second, enter(layer)]).toEqual([[], [], REFUSED]);
    layer.release();
    expect([layer.queue.size, enter(layer)]).toEqual([1, REFUSED]);
    layer.release();
    expect(enter(layer)).toEqual(PARKED);
  });

  test('with a shorter queue drop by the overflow mode else, after letting in whom they let in', () => {
    const layer = fullLayer({ maxQueue: 4 });
    const [low, first, second, high] = [wait(layer, 'low'), wait(layer), wait(layer), wait(layer, 'high')];
    layer.changeRules({ ...RULES, maxConcurrency: 2, maxQueue: 1, overflow: 'dropOldest' }, 500);
    expect([low, first, second, high]).toEqual([[expect.any(BulkheadFullError)], [expect.any(BulkheadFullError)], [], ['granted']]);
    expect(first[0]).toMatchObject({
      message: expect.stringContaining(
        'any call was dropped after 500ms in the queue: database is full (2 running, 2 waiting), and maxQueue was lowered to 1; raise',
      ),
    });
    expect([layer.dropped, layer.refused]).toEqual([2, 0]);
  });

  test('age those who wait by the new period', () => {
    const layer = fullLayer({ maxQueue: 5 });
    const [early, late] = [wait(layer, 'low'), wait(layer, 'normal', { nowMs: 101 })];
    layer.changeRules({ ...RULES, maxConcurrency: 1, agingPeriodMs: 100 }, 101);
    layer.release();
    expect([early, late]).toEqual([['granted'], []]);
  });
});

describe('P5: closing', () => {
  test('refuses everybody who waits, each with an error of its own, and all who come', () => {
    const layer = layerWith({ maxConcurrency: 1, maxQueue: 2 });
    enter(layer);
    const [first, second] = [wait(layer), wait(layer)];
    layer.admission.close();
    expect([first, second]).toMatchObject([
      [{ code: 'ERR_CLOSED', message: 'database was closed', policy: 'database' }],
      [{ code: 'ERR_CLOSED', message: 'database was closed', policy: 'database' }],
    ]);
    expect(first[0]).not.toBe(second[0]);
    expect(enter(layer)).toMatchObject({
      reject: { code: 'ERR_CLOSED', message: 'loadUser was refused: database is closed', policy: 'database', operation: 'loadUser' },
    });
    expect([layer.admission.isOpen, layer.refused]).toEqual([false, 0]);
  });

  test('takes nothing from what runs', () => {
    const layer = layerWith();
    enter(layer);
    layer.admission.close();
    expect(layer.inFlight).toBe(1);
    layer.release();
    expect(layer.inFlight).toBe(0);
  });

  test('twice is closing once', () => {
    const layer = layerWith({ maxConcurrency: 1 });
    enter(layer);
    const waiting = wait(layer);
    layer.admission.close();
    layer.admission.close();
    expect(waiting).toHaveLength(1);
  });
});

test('B7: is idle when no permit is out, and it is not closed', () => {
  const layer = layerWith({ maxConcurrency: 1 });
  expect(layer.isIdle()).toBe(true);
  enter(layer);
  expect(layer.isIdle()).toBe(false);
  layer.release();
  expect(layer.isIdle()).toBe(true);
  layer.admission.close();
  expect(layer.isIdle()).toBe(false);
});

test('the description has the options in force', () => {
  expect(layerWith().describe()).toEqual({
    name: 'database',
    kind: 'bulkhead',
    options: { maxConcurrency: 2, maxQueue: 1, maxAbandoned: 2, overflow: 'reject', agingPeriodMs: 5000, fairBy: 'none' },
    place: 7,
  });
});

test('it runs no code of the caller’s, and a wait is for a permit', () => {
  expect(layerWith()).toMatchObject({ waitsFor: 'a permit' });
  expect(layerWith()).not.toHaveProperty('runsCallerCode');
});
