import { describe, expect, test } from 'vitest';
import { type KeelsonEvent, listen } from '../observe/events.ts';
import { OUTCOME } from '../outcome/classify.ts';
import { ending, onVirtualTime } from '../policy/virtual-time.test-support.ts';
import { scriptedOperation } from '../testing/scripted-operation.ts';
import { type CircuitBreaker, circuitBreaker } from './circuit-breaker.ts';
import type { CircuitBreakerOptions } from './circuit-breaker-options.ts';
import type { CircuitBreakerSnapshot } from './circuit-snapshot.ts';

const time = onVirtualTime();
const fail = (): Promise<never> => Promise.reject(new Error('down'));

const made = (options: CircuitBreakerOptions = {}): CircuitBreaker =>
  circuitBreaker({ failureThreshold: 1, recoveryTimeout: '10s', probeLease: '5s', ...options });

/** Open for the second time in a row: for 20 s. */
async function openAgain(): Promise<CircuitBreaker> {
  const breaker = made();
  await ending(breaker.execute(fail));
  await time.clock.advance('10s');
  await ending(breaker.execute(fail));
  return breaker;
}

const OPEN: CircuitBreakerSnapshot = {
  version: 1,
  kind: 'circuit-breaker',
  takenAtMs: 0,
  state: 'open',
  remainingMs: 5000,
  openedInRow: 1,
  askedMs: 0,
};
/** Taken now. */
const now = (snapshot: Partial<CircuitBreakerSnapshot>): CircuitBreakerSnapshot => ({
  ...OPEN,
  takenAtMs: time.clock.epochMs(),
  ...snapshot,
});

describe('a snapshot', () => {
  test('is frozen, survives JSON, and says what remains', async () => {
    const breaker = await openAgain();
    await time.clock.advance('5s');
    const snapshot = breaker.snapshot();
    expect(snapshot).toStrictEqual(now({ state: 'open', remainingMs: 15_000, openedInRow: 2 }));
    expect(Object.isFrozen(snapshot)).toBe(true);
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
  });

  test('of each state', async () => {
    const breaker = made();
    expect(breaker.snapshot()).toEqual(now({ state: 'closed', remainingMs: 0, openedInRow: 0 }));
    const busy = Object.assign(new Error('busy'), { [OUTCOME]: { kind: 'overloaded', retryAfterMs: 15_000 } });
    await ending(breaker.execute(() => Promise.reject(busy)));
    expect(breaker.snapshot()).toEqual(now({ state: 'open', remainingMs: 15_000, askedMs: 15_000 }));
    await time.clock.advance('20s');
    expect(breaker.snapshot()).toEqual(now({ state: 'half-open', remainingMs: 0, askedMs: 15_000 }));
    await breaker.execute(() => 'value');
    await time.clock.advance('4s');
    expect(breaker.snapshot()).toEqual(now({ state: 'closed', remainingMs: 11_000, askedMs: 15_000 }));
    await time.clock.advance('11s');
    const clean = now({ state: 'closed', remainingMs: 0, openedInRow: 0 });
    expect(breaker.snapshot()).toEqual(clean);
    using _isolation = breaker.isolate('deploying');
    expect(breaker.snapshot()).toEqual(clean);
  });
});

describe('what is restored', () => {
  test('goes on where it was, less the time in between', async () => {
    const kept = JSON.stringify((await openAgain()).snapshot());
    await time.clock.advance('5s');
    const breaker = made();
    breaker.restore(JSON.parse(kept) as CircuitBreakerSnapshot);
    expect(breaker.statistics()).toMatchObject({ state: 'open', opened: 0, openedInRow: 2, retryAfterMs: 15_000 });
    await time.clock.advance('15s');
    expect(breaker.state).toBe('half-open');
    await ending(breaker.execute(fail));
    expect(breaker.statistics()).toMatchObject({ opened: 1, openedInRow: 3, retryAfterMs: 40_000 });
  });

  test.each<[string, Partial<CircuitBreakerSnapshot>, CircuitBreakerOptions, object]>([
    ['open for no longer than its own options allow', { remainingMs: 1e12 }, {}, { state: 'open', retryAfterMs: 10_000 }],
    [
      'open for no longer than the maximum, whatever was asked for',
      { remainingMs: 1e12, askedMs: 1e12 },
      { maxRecoveryTimeout: '1m' },
      { state: 'open', retryAfterMs: 60_000 },
    ],
    ['open as long as was asked for', { remainingMs: 25_000, askedMs: 30_000 }, {}, { state: 'open', retryAfterMs: 25_000 }],
    ['half-open when its time is over', { remainingMs: 0 }, {}, { state: 'half-open' }],
    ['half-open', { state: 'half-open', remainingMs: 0 }, {}, { state: 'half-open' }],
    [
      'in a ramp while it is not stable',
      { state: 'closed', remainingMs: 5000 },
      { rampUp: 10 },
      { state: 'closed', openedInRow: 1, ramp: { inFlight: 0, limit: 6 } },
    ],
    ['without a ramp where there is none', { state: 'closed', remainingMs: 5000 }, { rampUp: 0 }, { state: 'closed', openedInRow: 1 }],
    ['closed', { state: 'closed', remainingMs: 0, openedInRow: 0 }, {}, { state: 'closed', openedInRow: 0 }],
    ['taken by a clock that is ahead: just now', { takenAtMs: 1e15, remainingMs: 4000 }, {}, { state: 'open', retryAfterMs: 4000 }],
  ])('is %s', (_name, snapshot, options, statistics) => {
    const breaker = made(options);
    breaker.restore(now(snapshot));
    expect(breaker.statistics()).toMatchObject(statistics);
    if (!('ramp' in statistics)) expect(breaker.statistics()).not.toHaveProperty('ramp');
  });

  test('B1: is a generation of its own: results of before do not count, places of probes do', async () => {
    const breaker = made({ failureThreshold: 2 });
    const work = scriptedOperation<string>();
    await ending(breaker.execute(fail));
    const old = ending(breaker.execute(work.operation));
    breaker.restore(now({ state: 'half-open' }));
    const probe = ending(breaker.execute(work.operation));
    await time.clock.settle();
    breaker.restore(now({ state: 'half-open' }));
    await expect(breaker.execute(fail)).rejects.toMatchObject({ code: 'ERR_CIRCUIT_OPEN' });
    work.open[0]?.reject(new Error('down'));
    work.open[0]?.reject(new Error('down'));
    await Promise.all([old, probe]);
    expect(breaker.statistics()).toMatchObject({ state: 'half-open', opened: 0, inFlight: 0, failures: 0 });
  });

  test('leaves an isolated circuit isolated', () => {
    const breaker = made();
    {
      using _isolation = breaker.isolate('deploying');
      breaker.restore(now({}));
      expect(breaker.state).toBe('isolated');
    }
    expect(breaker.state).toBe('closed');
  });

  test('is told', () => {
    const events: KeelsonEvent[] = [];
    using _listening = listen('circuit-breaker', (event) => events.push(event));
    const breaker = made({ name: 'api' });
    breaker.restore(now({ openedInRow: 2 }));
    breaker.restore(now({ state: 'closed' }));
    breaker.restore(now({ state: 'closed' }));
    expect(events).toEqual([
      { type: 'opened', policy: 'api', reason: 'restored', openedInRow: 2, openMs: 20_000 },
      { type: 'closed', policy: 'api', reason: 'restored', openedInRow: 1 },
      { type: 'closed', policy: 'api', reason: 'restored', openedInRow: 1 },
    ]);
  });

  test.each<[object | null, string]>([
    [null, 'snapshot must be what snapshot() gave, got null'],
    [{ ...OPEN, version: 2 }, 'version must be 1, got 2'],
    [{ ...OPEN, kind: 'bulkhead' }, 'kind must be "circuit-breaker", got "bulkhead"'],
    [{ ...OPEN, state: 'isolated' }, "state must be one of 'closed', 'open', 'half-open', got \"isolated\""],
    [{ ...OPEN, remainingMs: -1 }, 'remainingMs must be a number of at least 0, got -1'],
    [{ ...OPEN, remainingMs: null }, 'remainingMs must be a number of at least 0, got null'],
    [{ ...OPEN, openedInRow: 1.5 }, 'openedInRow must be a whole number of at least 0, got 1.5'],
    [{ ...OPEN, askedMs: Number.POSITIVE_INFINITY }, 'askedMs must be a number of at least 0, got Infinity'],
    [{ ...OPEN, extra: 1 }, 'unknown option "extra"'],
  ])('F2: %j is refused, and nothing has changed', (snapshot, message) => {
    const breaker = made();
    expect(() => breaker.restore(snapshot as CircuitBreakerSnapshot)).toThrow(`circuitBreaker.restore: ${message}`);
    expect(breaker.state).toBe('closed');
  });
});
