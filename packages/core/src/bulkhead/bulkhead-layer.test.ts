import { describe, expect, test } from 'vitest';
import { type Decision, type FakeStep, fakeStep } from '../testing/fake-step.ts';
import { BulkheadFullError, BulkheadLayer, type BulkheadRules } from './bulkhead-layer.ts';

const layerWith = (rules: Partial<BulkheadRules> = {}): BulkheadLayer =>
  new BulkheadLayer({ name: 'database', maxConcurrency: 2, maxQueue: 1, maxAbandoned: 2, ...rules });

const enter = (layer: BulkheadLayer, step: FakeStep = fakeStep({ operation: 'loadUser' })): Decision | undefined =>
  step.decided(layer.enter(step));

/** Waits as a call that was parked does; what became of it is in the array. */
function wait(layer: BulkheadLayer): unknown[] {
  const became: unknown[] = [];
  layer.queue.add({ granted: () => became.push('granted'), refused: (error) => became.push(error) });
  return became;
}

describe('who enters', () => {
  test('has a permit as long as there are some, then waits, then is refused', () => {
    const layer = layerWith();
    expect([enter(layer), enter(layer)]).toEqual(['pass', 'pass']);
    expect(enter(layer)).toEqual({ park: layer.queue });
    wait(layer);
    expect(enter(layer)).toEqual({ reject: expect.any(BulkheadFullError) });
    expect([layer.inFlight, layer.queue.size, layer.refused]).toEqual([2, 1, 1]);
  });

  test('is refused at once where nobody may wait', () => {
    const layer = layerWith({ maxQueue: 0 });
    enter(layer);
    enter(layer);
    expect(enter(layer)).toEqual({ reject: expect.any(BulkheadFullError) });
  });

  test('waits in any number where that is allowed', () => {
    const layer = layerWith({ maxQueue: Number.POSITIVE_INFINITY });
    enter(layer);
    enter(layer);
    for (let i = 0; i < 1000; i++) wait(layer);
    expect(enter(layer)).toEqual({ park: layer.queue });
  });

  test('P1: is refused instead of waiting where abandoned work holds too many permits, but has what is free', () => {
    const layer = layerWith({ maxQueue: 10, maxAbandoned: 1 });
    enter(layer);
    layer.lingering = 2;
    expect(enter(layer)).toBe('pass');
    expect(enter(layer)).toEqual({ reject: expect.any(BulkheadFullError) });
    layer.lingering = 1;
    expect(enter(layer)).toEqual({ park: layer.queue });
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
    expect(enter(layer)).toEqual({ park: layer.queue }); // a newcomer finds none
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
    options: { maxConcurrency: 2, maxQueue: 1, maxAbandoned: 2 },
    place: 7,
  });
});

test('it runs no code of the caller’s, and a wait is for a permit', () => {
  expect(layerWith()).toMatchObject({ waitsFor: 'a permit' });
  expect(layerWith()).not.toHaveProperty('runsCallerCode');
});
