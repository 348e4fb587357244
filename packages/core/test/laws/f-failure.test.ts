import { describe, expect, test } from 'vitest';
import { bulkhead } from '../../src/bulkhead/bulkhead.ts';
import { circuitBreaker } from '../../src/circuit-breaker/circuit-breaker.ts';
import { fallback } from '../../src/fallback/fallback.ts';
import { keyed } from '../../src/keyed/keyed.ts';
import { listen } from '../../src/observe/events.ts';
import { compose } from '../../src/policy/compose.ts';
import type { Operation, Policy } from '../../src/policy/policy.ts';
import { policyFrom } from '../../src/policy/policy-from.ts';
import { retryBudget } from '../../src/policy/retry-budget.ts';
import { retryQuota } from '../../src/policy/retry-quota.ts';
import { ending, onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { rateLimit } from '../../src/rate-limiter/rate-limiter.ts';
import { retry } from '../../src/retry/retry.ts';
import { timeout } from '../../src/timeout/timeout.ts';
import { endless, inTime } from '../support/work.ts';
import { HOST, ORDERS, threeAttempts } from './orders.ts';

const time = onVirtualTime();
type AnyPolicy = Policy<unknown, unknown>;

const thenable = (settle: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void): PromiseLike<unknown> =>
  // biome-ignore lint/suspicious/noThenProperty: law F1 is about thenables
  ({ then: settle }) as PromiseLike<unknown>;

const good: readonly (readonly [string, Operation<unknown>, unknown])[] = [
  ['a value', () => 5, 5],
  ['nothing', () => undefined, undefined],
  ['null', () => null, null],
  ['a function', () => Array.isArray, Array.isArray],
  ['an object whose then is no function', () => Object.fromEntries([['then', 5]]), Object.fromEntries([['then', 5]])],
  ['a promise', () => inTime(10, 'promised'), 'promised'],
  ['a thenable', () => thenable((resolve) => resolve('thenable')), 'thenable'],
  ['a thenable that settles twice', () => thenable((resolve) => [1, 2].forEach(resolve)), 1],
];

const bad: readonly (readonly [string, Operation<unknown>, unknown])[] = [
  [
    'a thrown text',
    () => {
      throw 'text';
    },
    'text',
  ],
  [
    'a thrown undefined',
    () => {
      throw undefined;
    },
    undefined,
  ],
  ['a rejection with a number', () => Promise.reject(7), 7],
  ['a thenable that rejects', () => thenable((_, reject) => reject('no')), 'no'],
  [
    'a thenable that throws',
    () =>
      thenable(() => {
        throw 'thrown in then';
      }),
    'thrown in then',
  ],
];

describe.each(ORDERS)('in $name', ({ make }) => {
  test.each(good)('F1 an operation that gives %s', async (_name, operation, value) => {
    const { policy, bulkhead: permits } = make();
    const result = ending(policy.execute(operation, HOST));
    await time.clock.advance('1m');
    expect(await result).toEqual({ value });
    expect(permits.statistics().inFlight).toBe(0);
  });

  test.each(bad)('F1 %s', async (_name, operation, error) => {
    const { policy, bulkhead: permits } = make();
    const result = ending(policy.execute(operation, HOST));
    await time.clock.advance('1m');
    expect(await result).toEqual({ error });
    expect(permits.statistics().inFlight).toBe(0);
  });

  test.each(bad)('F1 %s is tried again', async (_name, operation) => {
    const { policy } = make();
    let starts = 0;
    const result = ending(policy.execute((call) => (starts++ === 0 ? operation(call) : 'second'), HOST));
    await time.clock.advance('1m');
    expect(await result).toEqual({ value: 'second' });
  });

  test('F1 execute, attempt and wrap never throw', async () => {
    const { policy } = make();
    const wrong = { ...HOST, timeout: 'soon' as '1s' };
    expect(await ending(policy.execute(() => 1, wrong))).toMatchObject({ error: { code: 'ERR_OPTION' } });
    expect(await policy.attempt(() => 1, wrong)).toMatchObject({ ok: false, by: 'caller', error: { code: 'ERR_OPTION' } });
    expect(await ending(policy.wrap(() => 1, wrong)())).toMatchObject({ error: { code: 'ERR_OPTION' } });
  });
});

test('F1 the operation’s own error passes through as the same object, untouched', async () => {
  for (const { make } of ORDERS) {
    const error = Object.freeze(Object.assign(new Error('down'), { status: 500 }));
    const result = ending(make().policy.execute(() => Promise.reject(error), HOST));
    await time.clock.advance('1m');
    const ended = await result;
    expect('error' in ended && ended.error === error).toBe(true);
  }
});

describe('F2 options are checked when something is made, by name and value', () => {
  const wrong: readonly (readonly [string, () => unknown, string])[] = [
    ['retry', () => retry({ maxAttempts: 0 }), 'maxAttempts must be a whole number of at least 1, got 0'],
    ['retry', () => retry({ baseDelay: -1 }), 'baseDelay'],
    ['retry', () => retry({ backoffFactor: Number.NaN }), 'backoffFactor'],
    ['retry', () => retry({ retries: 3 } as never), 'unknown option "retries"'],
    ['retryBudget', () => retryBudget({ ratio: 2 }), 'ratio must be'],
    ['retryQuota', () => retryQuota({ capacity: 0 }), 'capacity must be'],
    ['timeout', () => timeout(0), 'timeout must be'],
    ['timeout', () => timeout('5' as '5s'), 'got "5"'],
    ['circuitBreaker', () => circuitBreaker({ failureThreshold: 0 }), 'failureThreshold must be a whole number of at least 1, got 0'],
    ['circuitBreaker', () => circuitBreaker({ recoveryTimeout: -5 }), 'recoveryTimeout'],
    ['rateLimit', () => rateLimit({ limit: 0, period: '1s' }), 'limit must be a whole number of at least 1, got 0'],
    ['rateLimit', () => rateLimit({ limit: 1 } as never), 'period must be'],
    ['bulkhead', () => bulkhead({ maxConcurrency: 1.5 }), 'maxConcurrency must be a whole number of at least 1, got 1.5'],
    ['bulkhead', () => bulkhead({} as never), 'maxConcurrency'],
    ['fallback', () => fallback(1, { handles: 5 as never }), 'handles must be'],
    ['keyed', () => keyed('', () => retry()), 'key must be'],
    ['compose', () => compose(retry(), { classify: 1 as never }), 'classify must be a function, got 1'],
    ['policyFrom', () => policyFrom('', async () => 1 as never), 'name must be'],
  ];

  test.each(wrong)('%s', (owner, make, part) => {
    let error: unknown;
    try {
      make();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'ERR_OPTION', policy: owner, message: expect.stringContaining(part) });
  });

  test('undefined means that an option was not given', () => {
    retry({ maxAttempts: undefined, baseDelay: undefined, budget: undefined });
    circuitBreaker({ failureThreshold: undefined, window: undefined });
    rateLimit({ limit: 1, period: '1s', burst: undefined, algorithm: undefined });
    bulkhead({ maxConcurrency: 1, maxQueue: undefined });
  });

  test('a call’s own options, when it is made', async () => {
    const ran: string[] = [];
    const run = (): void => void ran.push('ran');
    expect(await ending(threeAttempts().execute(run, { timeout: -1 }))).toMatchObject({
      error: { code: 'ERR_OPTION', message: expect.stringContaining('-1') },
    });
    expect(await ending(keyed('host', () => retry()).execute(run))).toMatchObject({
      error: { code: 'ERR_OPTION', message: expect.stringContaining('keys.host') },
    });
    expect(ran).toEqual([]);
  });
});

describe('F3 what a call carries stays where it is', () => {
  const SECRET = 'Bearer 0123456789';

  /** Every refusal and ending of the shipped policies, by name. */
  const refusals: readonly (readonly [string, () => AnyPolicy, Operation<unknown>, number])[] = [
    ['timeout', () => timeout(10), endless, 10],
    ['open breaker', () => circuitBreaker({ failureThreshold: 1 }), () => Promise.reject(new Error('down')), 0],
    ['full bulkhead', () => bulkhead({ maxConcurrency: 1, maxQueue: 0 }), endless, 0],
    ['rate limit', () => rateLimit({ limit: 1, period: '1h', maxQueue: 0 }), () => 1, 0],
  ];

  test.each(refusals)('%s: neither error nor event shows the arguments or keys of a call', async (_name, make, operation, ms) => {
    const events: unknown[] = [];
    const listening = ['retry', 'timeout', 'circuit-breaker', 'bulkhead', 'rate-limiter'].map((kind) =>
      listen(kind, (event) => events.push(event)),
    );
    const controller = new AbortController();
    const policy = make();
    const wrapped = policy.wrap((call, _secret: string) => operation(call), {
      name: 'load',
      keys: { token: SECRET },
      signal: controller.signal,
    });
    const results = [ending(wrapped(SECRET)), ending(wrapped(SECRET))];
    await time.clock.settle();
    results.push(ending(wrapped(SECRET)));
    await time.clock.advance(ms);
    controller.abort('done');
    const ends = await Promise.all(results);
    for (const each of listening) each[Symbol.dispose]();
    const shown = JSON.stringify([ends, events], (_key, value: unknown) =>
      value instanceof Error ? { ...value, message: value.message, stack: value.stack } : value,
    );
    expect(shown).toContain('load');
    expect(shown).not.toContain(SECRET);
  });

  test.each(refusals)('%s: a terminal escape in a name is inert', async (_name, make, operation, ms) => {
    const controller = new AbortController();
    const policy = make();
    const name = 'load \u001b[31mred\u0007\u009b';
    const results = [1, 2].map(() => ending(policy.execute(operation, { name, signal: controller.signal })));
    await time.clock.advance(ms);
    controller.abort('done');
    for (const end of await Promise.all(results)) {
      if (!('error' in end) || !(end.error instanceof Error)) continue;
      expect(end.error.message).not.toMatch(/\p{Cc}/u);
    }
  });

  test('an option error shows a value short and inert', () => {
    expect(() => timeout(`\u001b[31m${'x'.repeat(500)}` as '1s')).toThrow(/^timeout: timeout must be \P{Cc}{1,200}$/u);
  });
});
