import { describe, expect, test } from 'vitest';
import { attemptsOf } from '../errors/history.ts';
import { KeelsonError } from '../errors/keelson-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { type KeelsonEvent, listen } from '../observe/events.ts';
import { OUTCOME } from '../outcome/classify.ts';
import { compose } from '../policy/compose.ts';
import { PROCEED } from '../policy/layer.ts';
import { ALLOWANCES } from '../policy/retry-allowances.test-support.ts';
import { retryBudget } from '../policy/retry-budget.ts';
import { retryQuota } from '../policy/retry-quota.ts';
import { limit, policyOf } from '../policy/test-layers.test-support.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { useRandom } from '../random/current-random.ts';
import { scriptedOperation } from '../testing/scripted-operation.ts';
import { type RetryOptions, retry } from './retry.ts';
import { withRetry } from './with-retry.ts';

const time = onVirtualTime();
const reset = (): Error => new Error('reset');

describe('the options', () => {
  test('what is left out, or undefined, has its default', () => {
    const defaults = {
      maxAttempts: 3,
      baseDelayMs: 200,
      maxDelayMs: 30_000,
      backoffFactor: 2,
      backoff: 'exponential',
      jitter: 'full',
      handles: 'by kind',
      handlesResult: 'by kind',
      budget: 'none',
      beforeRetry: 'none',
      nested: 'bounded',
    };
    expect(retry().describe()).toEqual({ name: 'retry', kind: 'retry', options: defaults, place: 3 });
    const forwarded: RetryOptions = {
      maxAttempts: undefined,
      baseDelay: undefined,
      handles: undefined,
      budget: undefined,
      beforeRetry: undefined,
      name: undefined,
    };
    expect(retry(forwarded).describe().options).toEqual(defaults);
  });

  test('what is given is in force', () => {
    const policy = retry({
      name: 'payments',
      maxAttempts: 5,
      baseDelay: '1s',
      maxDelay: '1m',
      backoffFactor: 3,
      backoff: 'linear',
      jitter: 'equal',
      handles: [TypeError, TimeoutError],
      handlesResult: () => false,
      budget: retryBudget({ name: 'payment retries' }),
      beforeRetry: () => undefined,
      nested: 'multiply',
    });
    expect(policy.name).toBe('payments');
    expect(policy.describe().options).toEqual({
      maxAttempts: 5,
      baseDelayMs: 1000,
      maxDelayMs: 60_000,
      backoffFactor: 3,
      backoff: 'linear',
      jitter: 'equal',
      handles: ['TypeError', 'TimeoutError'],
      handlesResult: 'function',
      budget: 'payment retries',
      beforeRetry: 'function',
      nested: 'multiply',
    });
    expect(retry({ handles: () => true }).describe().options).toMatchObject({ handles: 'function' });
    expect(retry({ budget: retryQuota() }).describe().options).toMatchObject({ budget: 'retry quota' });
  });

  test.each([
    [{ maxAttempts: 0 }, 'maxAttempts must be a whole number of at least 1, got 0'],
    [{ maxAttempts: 2.5 }, 'maxAttempts must be a whole number of at least 1, got 2.5'],
    [{ maxAttempts: Number.POSITIVE_INFINITY }, 'maxAttempts must be a whole number of at least 1, got Infinity'],
    [{ retries: 3 }, 'unknown option "retries"'],
    [{ baseDelay: -1 }, 'baseDelay must be'],
    [{ jitter: 'some' }, "jitter must be one of 'full', 'equal', 'decorrelated', 'smooth', 'none', or { plusOrMinus }"],
    [{ handles: TypeError.name }, 'handles must be a function, or an array of error classes, got "TypeError"'],
    [{ handles: [] }, 'handles must be a function, or an array of error classes, got an array'],
    [{ handles: ['TypeError'] }, 'handles must be a function, or an array of error classes, got an array'],
    [{ handlesResult: true }, 'handlesResult must be a function, got true'],
    [{ budget: { ratio: 0.2 } }, 'budget must be a RetryBudget or a RetryQuota, got an object'],
    [{ beforeRetry: 'refresh' }, 'beforeRetry must be a function, got "refresh"'],
    [
      { jitter: 'decorrelated', backoff: 'linear' },
      'backoff must be left out with jitter \'decorrelated\', which grows by itself, got "linear"',
    ],
    [{ jitter: 'smooth', backoffFactor: 3 }, "backoffFactor must be left out with jitter 'smooth', which grows by itself, got 3"],
    [{ nested: true }, "nested must be one of 'bounded', 'multiply', got true"],
    [{ name: '' }, 'name must be a text that is not empty, got ""'],
  ])('F2: %j is refused', async (options, message) => {
    expect(() => retry(options as RetryOptions)).toThrow(`retry: ${message}`);
    await expect(withRetry(() => 1, options as RetryOptions)).rejects.toThrow(`retry: ${message}`);
  });
});

describe('a call', () => {
  test('that succeeds is made once', async () => {
    let calls = 0;
    expect(await retry().execute(() => ++calls)).toBe(1);
  });

  test('is made again after its backoff, each attempt with a number and a signal of its own', async () => {
    using _random = useRandom({ next: () => 0.5 });
    const work = scriptedOperation<string>();
    const result = retry().execute(work.operation);
    const first = await work.expectCall();
    first.reject(reset());
    await time.clock.advance(99);
    await work.expectNoCall();
    await time.clock.advance(1);
    const second = await work.expectCall();
    second.reject('no error at all');
    await time.clock.advance(199);
    await work.expectNoCall();
    await time.clock.advance(1);
    const third = await work.expectCall();
    third.resolve('at last');
    expect(await result).toBe('at last');
    expect([first, second, third].map(({ call }) => call.attempt)).toEqual([1, 2, 3]);
    expect(new Set([first, second, third].map(({ call }) => call.signal)).size).toBe(3);
  });

  test('ends with the very error of its last attempt, and the history of the others', async () => {
    using _random = useRandom({ next: () => 0.5 });
    const errors: Error[] = [];
    const result = ending(
      withRetry(() => {
        errors.push(new Error(`no. ${errors.length + 1}`));
        throw errors.at(-1);
      }),
    );
    await time.clock.advance('1m');
    expect(errors).toHaveLength(3);
    expect(await result).toEqual({ error: errors[2] });
    expect(attemptsOf(errors[2])).toEqual([
      { attempt: 1, outcome: { error: errors[0] }, delayMs: 100 },
      { attempt: 2, outcome: { error: errors[1] }, delayMs: 200 },
    ]);
  });

  test('of very many attempts keeps the first and the last, and says how many are missing', async () => {
    const error = new Error('down');
    const options = { maxAttempts: 1000, baseDelay: 1, maxDelay: 1 };
    const result = ending(withRetry(() => Promise.reject(error), options));
    await time.clock.advance('2s');
    expect(await result).toEqual({ error });
    const kept = attemptsOf(error);
    expect(kept.map(({ attempt }) => attempt).slice(8, 12)).toEqual([9, 10, 910, 911]);
    expect(kept[10]?.droppedBefore).toBe(899);
    expect(kept.at(-1)?.attempt).toBe(999);
  });

  test('ends with the last value where none was accepted, and the others are disposed of', async () => {
    let disposed = 0;
    let made = 0;
    const operation = (): object => ({ no: ++made, [OUTCOME]: { kind: 'overloaded' }, [Symbol.dispose]: () => disposed++ });
    const result = withRetry(operation);
    await time.clock.advance('1m');
    expect(await result).toMatchObject({ no: 3 });
    expect(disposed).toBe(2);
  });

  test.each(ALLOWANCES)('C1, C2: whose caller leaves while it waits ends at once, with the caller’s reason (%s)', async (_, granting) => {
    const budget = granting(5);
    const controller = new AbortController();
    let calls = 0;
    const failing = (): never => {
      calls++;
      throw reset();
    };
    const result = retry({ budget }).attempt(failing, { signal: controller.signal });
    await time.clock.settle();
    const reason = new Error('the user left');
    controller.abort(reason);
    expect(await result).toEqual({ ok: false, by: 'caller', error: reason });
    expect(calls).toBe(1);
    expect(budget.statistics().balance).toBe(5); // R3: refunded
  });

  test.each(ALLOWANCES)('R4: that has committed output is not made again, and costs nothing (%s)', async (_, granting) => {
    const budget = granting(5);
    const error = reset();
    const result = retry({ budget }).execute((call) => {
      call.commit();
      throw error;
    });
    await expect(result).rejects.toBe(error);
    expect(budget.statistics().balance).toBe(5);
  });

  test('T4: whose next wait would not fit its deadline fails at once, with the error it has', async () => {
    using _random = useRandom({ next: () => 0.9 });
    const error = reset();
    const result = retry().execute(() => Promise.reject(error), { timeout: 180 });
    await expect(result).rejects.toBe(error);
    expect(time.clock.nowMs()).toBe(0);
  });

  test('whose predicate throws ends with what it threw', async () => {
    const thrown = new Error('a mistake');
    const handles = (): never => {
      throw thrown;
    };
    await expect(withRetry(() => Promise.reject(reset()), { handles })).rejects.toBe(thrown);
  });

  test('is told of on keelson:retry', async () => {
    using _random = useRandom({ next: () => 0.5 });
    const events: KeelsonEvent[] = [];
    using _listening = listen('retry', (event) => events.push(event));
    const error = reset();
    const result = ending(retry({ maxAttempts: 2 }).execute(() => Promise.reject(error), { name: 'loadUser' }));
    await time.clock.advance('1s');
    await result;
    const outcome = { ok: false, error };
    expect(events).toMatchObject([
      { type: 'retrying', policy: 'retry', operation: 'loadUser', delayMs: 100, outcome },
      { type: 'gave-up', policy: 'retry', operation: 'loadUser', attempt: 2, attempts: 2, reason: 'attempts', outcome },
    ]);
  });
});

describe('among other policies', () => {
  test('R2: the time of an open breaker is waited out, and the call goes through', async () => {
    using _random = useRandom({ next: () => 0.5 });
    let openUntilMs = 10_000;
    const breaker = policyOf({
      enter: (step) => {
        const retryAfterMs = openUntilMs - step.nowMs();
        return retryAfterMs > 0
          ? step.reject(new KeelsonError('ERR_CIRCUIT_OPEN', 'open', { retryAfterMs }))
          : step.limit(Number.POSITIVE_INFINITY);
      },
    });
    const policy = compose(retry({ maxAttempts: 2 }), breaker);
    const result = policy.execute(() => time.clock.nowMs());
    await time.clock.advance('1m');
    expect(await result).toBe(11_000);
    openUntilMs = time.clock.nowMs() + 31_000;
    await expect(policy.execute(() => 1)).rejects.toThrow('open'); // longer than maxDelay, and no deadline
  });

  test('R6: each attempt takes the permit inside anew, and none is held through a backoff', async () => {
    let inside = 0;
    const seen: number[] = [];
    const permits = policyOf({
      enter: () => {
        inside++;
        return PROCEED;
      },
      release: () => void inside--,
    });
    const operation = (): never => {
      seen.push(inside);
      throw reset();
    };
    const result = ending(compose(retry(), permits).execute(operation));
    await time.clock.settle();
    expect(inside).toBe(0);
    await time.clock.advance('1m');
    await result;
    expect(seen).toEqual([1, 1, 1]);
  });

  test('the timeout of an attempt is tried again, that of the whole ends the call', async () => {
    using _random = useRandom({ next: () => 0.5 });
    const work = scriptedOperation<string>();
    const result = compose(limit(1700, 'whole'), retry({ maxAttempts: 9 }), limit(500, 'attempt')).attempt(work.operation);
    await time.clock.advance('2s');
    expect(await result).toMatchObject({ ok: false, error: { policy: 'whole' } });
    expect(work.calls.length).toBe(3); // at 0, 600 and 1300
    for (const call of work.open) call.resolve('too late');
    await time.clock.settle();
  });

  test('T4: an attempt’s timeout whose backoff would outlast the whole ends the call', async () => {
    using _random = useRandom({ next: () => 0.5 });
    const work = scriptedOperation<string>();
    const result = compose(limit(550, 'whole'), retry(), limit(500, 'attempt')).attempt(work.operation);
    await time.clock.advance(500);
    expect(await result).toMatchObject({ ok: false, error: { policy: 'attempt' } });
    (await work.expectCall()).resolve('too late');
    await time.clock.settle();
  });
});
