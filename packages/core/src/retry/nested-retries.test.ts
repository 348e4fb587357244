import { describe, expect, test } from 'vitest';
import { OUTCOME } from '../outcome/classify.ts';
import { compose } from '../policy/compose.ts';
import type { Operation } from '../policy/policy.ts';
import { quotaOf } from '../policy/retry-allowances.test-support.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { type Retry, retry } from './retry.ts';

const time = onVirtualTime();

/** How often `run` calls the operation it is given, which fails as `fail` does. */
async function callsOf(
  run: (operation: Operation<unknown>) => Promise<unknown>,
  fail: () => unknown = () => Promise.reject(new Error('down')),
): Promise<number> {
  let calls = 0;
  const result = ending(
    run(() => {
      calls++;
      return fail();
    }),
  );
  await time.clock.advance('10m');
  await result;
  return calls;
}

const nestedIn = (outer: Retry, inner: Retry) => (operation: Operation<unknown>) => outer.execute(() => inner.execute(operation));

describe('R7: what a retry inside has given up on is not tried again', () => {
  test('in one composition, three deep', async () => {
    expect(await callsOf((operation) => compose(retry(), retry(), retry()).execute(operation))).toBe(3);
  });

  test('where the same policy stands twice', async () => {
    const policy = retry();
    expect(await callsOf((operation) => compose(policy, policy).execute(operation))).toBe(3);
  });

  test('in calls that know nothing of each other', async () => {
    expect(await callsOf(nestedIn(retry(), retry()))).toBe(3);
  });

  test('where the failure was wrapped on its way', async () => {
    const wrapping = (operation: Operation<unknown>): Promise<unknown> =>
      retry().execute(async () => {
        try {
          return await retry().execute(operation);
        } catch (error) {
          throw new Error('loading failed', { cause: error });
        }
      });
    expect(await callsOf(wrapping)).toBe(3);
  });

  test('where it is a value', async () => {
    expect(await callsOf(nestedIn(retry(), retry()), () => ({ [OUTCOME]: { kind: 'throttled' } }))).toBe(3);
  });

  test('where the budget inside was used up', async () => {
    const budget = quotaOf(1);
    budget.tryTake('transient');
    expect(await callsOf(nestedIn(retry(), retry({ budget })))).toBe(1);
  });
});

describe('it is tried again', () => {
  test('where the outer retry says so', async () => {
    expect(await callsOf(nestedIn(retry({ nested: 'multiply' }), retry()))).toBe(9);
    expect(await callsOf((operation) => compose(retry({ nested: 'multiply' }), retry()).execute(operation))).toBe(9);
  });

  test('where the retry inside never tried again', async () => {
    expect(await callsOf(nestedIn(retry(), retry({ maxAttempts: 1 })))).toBe(3);
    expect(await callsOf(nestedIn(retry(), retry({ handles: [TypeError] })))).toBe(3);
  });

  test('where the retry inside tried again, but then met what it is not for', async () => {
    let calls = 0;
    const failing = (): Promise<never> => Promise.reject(++calls % 2 === 1 ? new TypeError('first') : new RangeError('then'));
    expect(await callsOf(nestedIn(retry(), retry({ handles: [TypeError] })), failing)).toBe(6);
  });

  test('where it is another failure', async () => {
    const other = (operation: Operation<unknown>): Promise<unknown> =>
      retry().execute(() =>
        retry()
          .execute(operation)
          .catch(() => Promise.reject(new Error('another'))),
      );
    expect(await callsOf(other)).toBe(9);
  });

  test('where what is thrown is no object', async () => {
    expect(await callsOf(nestedIn(retry(), retry()), () => Promise.reject('down'))).toBe(9);
  });
});

describe('an error object that calls share', () => {
  const shared = new Error('always the same');
  const failing = (): Promise<never> => Promise.reject(shared);

  test('is tried again in each of them, one after the other', async () => {
    expect(await callsOf((operation) => retry().execute(operation), failing)).toBe(3);
    expect(await callsOf((operation) => retry().execute(operation), failing)).toBe(3);
  });

  test('and at the same time', async () => {
    expect(await callsOf((operation) => Promise.allSettled(Array.from({ length: 20 }, () => retry().execute(operation))), failing)).toBe(
      60,
    );
  });

  test('is still not tried again around a retry inside', async () => {
    expect(await callsOf(nestedIn(retry(), retry()), failing)).toBe(3);
    expect(await callsOf(nestedIn(retry(), retry()), failing)).toBe(3);
  });
});

test('an error that causes itself is looked at once', async () => {
  const circular = new Error('circular');
  circular.cause = circular;
  expect(
    await callsOf(
      (operation) => retry().execute(operation),
      () => Promise.reject(circular),
    ),
  ).toBe(3);
});
