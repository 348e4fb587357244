import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { scriptedOperation } from '../testing/scripted-operation.ts';
import { Bulkhead, type BulkheadChanges, type BulkheadOptions, bulkhead, bulkheadDefaults } from './bulkhead.ts';

onVirtualTime();

describe('the options', () => {
  test('what is left out, or undefined, has its default: 100 may wait', () => {
    const options = { maxConcurrency: 20, maxQueue: 100, maxAbandoned: 20, overflow: 'reject', agingPeriodMs: 5000, fairBy: 'none' };
    expect(bulkhead({ maxConcurrency: 20 }).describe()).toEqual({ name: 'bulkhead', kind: 'bulkhead', options, place: 7 });
    const forwarded: BulkheadOptions = {
      maxConcurrency: 20,
      maxQueue: undefined,
      maxAbandoned: undefined,
      overflow: undefined,
      agingPeriod: undefined,
      fairBy: undefined,
      name: undefined,
    };
    expect(bulkhead(forwarded).describe()).toEqual({ name: 'bulkhead', kind: 'bulkhead', options, place: 7 });
    expect(bulkheadDefaults).toEqual({ maxQueue: 100, overflow: 'reject', agingPeriod: '5s', name: 'bulkhead' });
    expect(Object.isFrozen(bulkheadDefaults)).toBe(true);
  });

  test('what is given is in force', () => {
    const shed = { overflow: 'dropOldest', fairBy: 'tenant' } as const;
    const policy = bulkhead({ maxConcurrency: 2, maxQueue: 0, maxAbandoned: 0, ...shed, agingPeriod: '1m', name: 'database' });
    expect(policy).toBeInstanceOf(Bulkhead);
    expect(policy.name).toBe('database');
    const options = { maxConcurrency: 2, maxQueue: 0, maxAbandoned: 0, ...shed, agingPeriodMs: 60_000 };
    const description = { name: 'database', kind: 'bulkhead', options, place: 7 };
    expect(policy.describe()).toEqual(description);
    expect(JSON.parse(JSON.stringify(policy.describe()))).toEqual(description);
    expect(bulkhead({ maxConcurrency: 1, maxQueue: Number.POSITIVE_INFINITY }).describe().options).toMatchObject({ maxQueue: Infinity });
  });

  test.each([
    [undefined, 'maxConcurrency must be a whole number of at least 1, got undefined'],
    [null, 'options must be an object, got null'],
    [{}, 'maxConcurrency must be a whole number of at least 1, got undefined'],
    [{ maxConcurrency: 0 }, 'maxConcurrency must be a whole number of at least 1, got 0'],
    [{ maxConcurrency: 1.5 }, 'maxConcurrency must be a whole number of at least 1, got 1.5'],
    [{ maxConcurrency: Number.NaN }, 'maxConcurrency must be a whole number of at least 1, got NaN'],
    [{ maxConcurrency: Number.POSITIVE_INFINITY }, 'maxConcurrency must be a whole number of at least 1, got Infinity'],
    [{ maxConcurrency: '5' }, 'maxConcurrency must be a whole number of at least 1, got "5"'],
    [{ maxConcurrency: 1, maxQueue: -1 }, 'maxQueue must be a whole number of at least 0 or Infinity, got -1'],
    [{ maxConcurrency: 1, maxAbandoned: 0.5 }, 'maxAbandoned must be a whole number of at least 0 or Infinity, got 0.5'],
    [{ maxConcurrency: 1, name: '' }, 'name must be a text that is not empty, got ""'],
    [{ maxConcurrency: 1, overflow: 'dropAll' }, "overflow must be one of 'reject', 'dropOldest', 'dropNewest' (not 'suspend'"],
    [
      { maxConcurrency: 1, overflow: 'suspend' },
      `overflow must be one of 'reject', 'dropOldest', 'dropNewest' (not 'suspend': who waits is suspended, and maxQueue says how many may be), got "suspend"`,
    ],
    [{ maxConcurrency: 1, agingPeriod: 0 }, 'agingPeriod must be a duration above 0'],
    [{ maxConcurrency: 1, fairBy: '' }, 'fairBy must be a text that is not empty, got ""'],
    [
      { maxConcurrency: 1, queue: 5 },
      'unknown option "queue"; there are maxConcurrency, maxQueue, maxAbandoned, overflow, agingPeriod, fairBy, name',
    ],
  ])('F2: %j is refused', (options, message) => {
    const made = (): unknown => bulkhead(options as BulkheadOptions);
    expect(made).toThrow(`bulkhead: ${message}`);
    expect(made).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });
});

describe('reconfigure', () => {
  const rules = (policy: Bulkhead): object => policy.describe().options;

  test('changes what is given, and nothing else', () => {
    const policy = bulkhead({ maxConcurrency: 2, maxQueue: 7, fairBy: 'tenant', name: 'database' });
    const before = rules(policy);
    policy.reconfigure({});
    policy.reconfigure({ maxConcurrency: undefined, maxQueue: undefined, overflow: undefined });
    expect(rules(policy)).toEqual(before);
    policy.reconfigure({ overflow: 'dropNewest', agingPeriod: '1s' });
    policy.reconfigure({ maxQueue: 8 });
    expect(rules(policy)).toEqual({ ...before, overflow: 'dropNewest', agingPeriodMs: 1000, maxQueue: 8 });
    policy.reconfigure({ overflow: 'reject' });
    expect(rules(policy)).toMatchObject({ overflow: 'reject' });
  });

  test('a default that follows another option goes on following it', () => {
    const policy = bulkhead({ maxConcurrency: 2 });
    policy.reconfigure({ maxConcurrency: 5 });
    expect(policy.statistics()).toMatchObject({ maxConcurrency: 5, maxAbandoned: 5 });
    policy.reconfigure({ maxAbandoned: 1 });
    policy.reconfigure({ maxConcurrency: 6 });
    expect(policy.statistics()).toMatchObject({ maxConcurrency: 6, maxAbandoned: 1 });
  });

  test('does not look at the options again that it was made with', () => {
    const options = { maxConcurrency: 2, maxQueue: 3 };
    const policy = bulkhead(options);
    options.maxQueue = 9;
    policy.reconfigure({ maxConcurrency: 1 });
    expect(policy.statistics().maxQueue).toBe(3);
  });

  test.each([
    [null, 'options must be an object, got null'],
    [{ maxConcurrency: 0 }, 'maxConcurrency must be a whole number of at least 1, got 0'],
    [{ maxQueue: -1 }, 'maxQueue must be a whole number of at least 0 or Infinity, got -1'],
    [{ overflow: 'suspend' }, 'overflow must be one of'],
    [{ name: 'other' }, 'unknown option "name"; there are maxConcurrency, maxQueue, maxAbandoned, overflow, agingPeriod'],
    [{ fairBy: 'tenant' }, 'unknown option "fairBy"'],
  ])('F2: %j is refused, and nothing is changed', (changes, message) => {
    const policy = bulkhead({ maxConcurrency: 2, name: 'database' });
    const before = rules(policy);
    const given = changes === null ? null : { agingPeriod: '1h', ...changes };
    const wrong = (): void => policy.reconfigure(given as BulkheadChanges);
    expect(wrong).toThrow(`database.reconfigure: ${message}`);
    expect(wrong).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
    expect(rules(policy)).toEqual(before);
  });

  test('lets those who wait in at once, in their own async context, where there are more permits', async () => {
    const request = new AsyncLocalStorage<string>();
    const policy = bulkhead({ maxConcurrency: 1 });
    const work = scriptedOperation<string>();
    const running = policy.execute(work.operation);
    const waiting = ['low', 'high', 'normal'] as const;
    const order: unknown[] = [];
    const results = waiting.map((priority) =>
      request.run(priority, () => policy.execute(() => order.push(request.getStore()), { priority })),
    );
    policy.reconfigure({ maxConcurrency: 3 });
    expect(policy.statistics()).toMatchObject({ inFlight: 3, waiting: 1 });
    await Promise.all(results);
    expect(order).toEqual(['high', 'normal', 'low']);
    (await work.expectCall()).resolve('done');
    await running;
  });

  test('a drain ends where permits that come back are kept', async () => {
    const policy = bulkhead({ maxConcurrency: 2 });
    const work = scriptedOperation<string>();
    const results = [policy.execute(work.operation), policy.execute(work.operation), policy.execute(work.operation)];
    policy.reconfigure({ maxConcurrency: 1 });
    const drained = policy.drain();
    for (let n = 0; n < 3; n++) (await work.expectCall()).resolve('done');
    await Promise.all([drained, ...results]);
    expect(policy.statistics()).toMatchObject({ inFlight: 0, waiting: 0 });
  });
});
