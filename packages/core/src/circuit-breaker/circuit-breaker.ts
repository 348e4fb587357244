import { currentClock } from '../context/ambient.ts';
import { type Check, type Checks, checkOptions, fraction, func, text, wholeNumber } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import { enlist } from '../observe/live.ts';
import { type Handles, handlesCheck } from '../policy/handles.ts';
import { LayerPolicy } from '../policy/layer-policy.ts';
import { type Duration, durationMs, formatMs, toMs } from '../time/duration.ts';
import { CircuitBreakerLayer, type CircuitOpenError } from './circuit-breaker-layer.ts';
import { retryAfterMs } from './circuit-state.ts';
import { Consecutive, CountWindow, TimeWindow, type TripStrategy } from './trip-strategy.ts';

/** Over what a {@link circuitBreaker} counts: the last calls (1 to a million), or the last while (10 ms or longer). */
export type CircuitWindow = { readonly calls: number } | { readonly period: Duration };

/** The state of a circuit. */
export type CircuitStateName = 'closed' | 'open' | 'half-open';

/** What a {@link circuitBreaker} is made of. */
export interface CircuitBreakerOptions {
  /** Without a `window`: opens on so many failures in a row. Default 5. */
  readonly failureThreshold?: number | undefined;
  /** Counts over the last calls, or over the last while; then `failureRate` decides. Default: none. */
  readonly window?: CircuitWindow | undefined;
  /** With a `window`: opens when this share of its calls failed. Above 0, at most 1; default 0.5. */
  readonly failureRate?: number | undefined;
  /** With a `window`: so many calls have to be in it before the rate counts. Default 10, or the calls of the window if they are fewer. */
  readonly minimumCalls?: number | undefined;
  /** How long it stays open before it lets a probe through. Default `'30s'`. */
  readonly recoveryTimeout?: Duration | undefined;
  /** So many probes have to succeed before it closes. Default 1. */
  readonly successThreshold?: number | undefined;
  /** How many probes may be out at once. Default 1. */
  readonly maxProbes?: number | undefined;
  /** How long a probe may take; one that takes longer counts as a failure. Longer than the slowest good answer. Default `'1m'`. */
  readonly probeLease?: Duration | undefined;
  /** Which errors count as failures. Default: by their kind, see {@link classify}: what is transient, throttled or overloaded. */
  readonly handles?: Handles | undefined;
  /** Which values count as failures, besides those whose kind says so. */
  readonly handlesResult?: ((value: unknown) => boolean) | undefined;
  /** For errors, events and statistics. Default `'circuit breaker'`. */
  readonly name?: string | undefined;
}

/**
 * The defaults of {@link CircuitBreakerOptions}.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { circuitBreaker, circuitBreakerDefaults } from 'keelson';
 *
 * assert.equal(circuitBreaker().describe().options['failureThreshold'], circuitBreakerDefaults.failureThreshold);
 */
export const circuitBreakerDefaults: {
  readonly failureThreshold: number;
  readonly failureRate: number;
  readonly minimumCalls: number;
  readonly recoveryTimeout: Duration;
  readonly successThreshold: number;
  readonly maxProbes: number;
  readonly probeLease: Duration;
  readonly name: string;
} = Object.freeze({
  failureThreshold: 5,
  failureRate: 0.5,
  minimumCalls: 10,
  recoveryTimeout: '30s',
  successThreshold: 1,
  maxProbes: 1,
  probeLease: '1m',
  name: 'circuit breaker',
});

/** A circuit breaker at one moment; frozen, and plain enough for JSON. */
export interface CircuitBreakerStatistics {
  readonly name: string;
  readonly state: CircuitStateName;
  /** Probes whose work has not ended and whose lease is not over. */
  readonly inFlight: number;
  /** The calls that count now: those of the window, or the failures in a row. */
  readonly calls: number;
  /** The failures among them. */
  readonly failures: number;
  /** How often it has opened. */
  readonly opened: number;
  /** Calls it has refused so far. */
  readonly rejected: number;
  /** When a call that is refused now may be let through; absent while one would pass. */
  readonly retryAfterMs?: number;
}

const one = wholeNumber({ min: 1 });
const finite = durationMs();

/** A window of calls takes a byte for each. */
const MAX_WINDOW_CALLS = 1_000_000;
/** A window of time is counted in tenths; none is shorter than the clock is good for. */
const windowPeriod = durationMs({ min: 10 });

const windowCheck: Check = {
  expected: `{ calls: a whole number from 1 to ${MAX_WINDOW_CALLS} } or { period: ${windowPeriod.expected} }`,
  accepts: (value) => {
    if (typeof value !== 'object' || value === null) return false;
    const entries = Object.entries(value);
    const [key, size] = entries[0] ?? [];
    if (entries.length !== 1) return false;
    if (key === 'calls') return one.accepts(size) && (size as number) <= MAX_WINDOW_CALLS;
    return key === 'period' && windowPeriod.accepts(size);
  },
};

const CHECKS: Checks<CircuitBreakerOptions> = {
  failureThreshold: one,
  window: windowCheck,
  failureRate: { expected: 'a number above 0 and at most 1', accepts: (value) => fraction.accepts(value) && value !== 0 },
  minimumCalls: one,
  recoveryTimeout: finite,
  successThreshold: one,
  maxProbes: one,
  probeLease: finite,
  handles: handlesCheck,
  handlesResult: func,
  name: text,
};

function check(options: CircuitBreakerOptions): void {
  checkOptions<CircuitBreakerOptions>('circuitBreaker', options, CHECKS);
  const { window, failureThreshold, failureRate, minimumCalls } = options;
  const refuse = (option: string, value: unknown, expected: string): void => {
    if (value !== undefined) throw optionError('circuitBreaker', option, value, expected);
  };
  if (window === undefined) {
    refuse('failureRate', failureRate, 'given together with window, or left out');
    refuse('minimumCalls', minimumCalls, 'given together with window, or left out');
    return;
  }
  refuse('failureThreshold', failureThreshold, 'left out where there is a window: its failureRate decides');
  if ('calls' in window && minimumCalls !== undefined && minimumCalls > window.calls) {
    refuse('minimumCalls', minimumCalls, `at most the ${window.calls} calls of the window, which can hold no more`);
  }
}

/** The strategy, and the options in force that belong to it. What does not expire by itself is forgotten after `memoryMs` without news (law B5). */
function strategyOf(
  options: CircuitBreakerOptions,
  memoryMs: number,
): { readonly strategy: TripStrategy; readonly described: Readonly<Record<string, unknown>> } {
  const { window } = options;
  if (window === undefined) {
    const failureThreshold = options.failureThreshold ?? circuitBreakerDefaults.failureThreshold;
    return { strategy: new Consecutive(failureThreshold, memoryMs), described: { failureThreshold } };
  }
  const failureRate = options.failureRate ?? circuitBreakerDefaults.failureRate;
  if ('calls' in window) {
    const { calls } = window;
    const minimumCalls = options.minimumCalls ?? Math.min(calls, circuitBreakerDefaults.minimumCalls);
    return {
      strategy: new CountWindow(calls, { failureRate, minimumCalls }, memoryMs),
      described: { windowCalls: calls, failureRate, minimumCalls },
    };
  }
  const periodMs = toMs(window.period);
  const minimumCalls = options.minimumCalls ?? circuitBreakerDefaults.minimumCalls;
  return {
    strategy: new TimeWindow(periodMs, { failureRate, minimumCalls }, formatMs(periodMs)),
    described: { windowPeriodMs: periodMs, failureRate, minimumCalls },
  };
}

/**
 * Stops calling what keeps failing: what {@link circuitBreaker} makes.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { CircuitBreaker } from 'keelson';
 *
 * const api = new CircuitBreaker({ window: { period: '10s' }, failureRate: 0.25, minimumCalls: 20, name: 'api' });
 * assert.equal(api.state, 'closed');
 * assert.equal(api.describe().options['windowPeriodMs'], 10_000);
 */
export class CircuitBreaker extends LayerPolicy<never, CircuitOpenError> {
  readonly #layer: CircuitBreakerLayer;

  constructor(options: CircuitBreakerOptions = {}) {
    check(options);
    const recovery = {
      recoveryTimeoutMs: toMs(options.recoveryTimeout ?? circuitBreakerDefaults.recoveryTimeout),
      successThreshold: options.successThreshold ?? circuitBreakerDefaults.successThreshold,
      maxProbes: options.maxProbes ?? circuitBreakerDefaults.maxProbes,
      probeLeaseMs: toMs(options.probeLease ?? circuitBreakerDefaults.probeLease),
    };
    // by then an open circuit would have sent a probe, and that would have answered: what it knew would be worth nothing any more
    const memoryMs = Math.max(recovery.recoveryTimeoutMs, recovery.probeLeaseMs);
    const { strategy, described } = strategyOf(options, memoryMs);
    const layer = new CircuitBreakerLayer({
      name: options.name ?? circuitBreakerDefaults.name,
      ...recovery,
      strategy,
      handles: options.handles,
      handlesResult: options.handlesResult,
      options: { ...described, ...recovery },
    });
    super(layer);
    this.#layer = layer;
    enlist(this);
  }

  /** The state now; an open circuit whose `recoveryTimeout` has passed is half-open. */
  get state(): CircuitStateName {
    return this.#layer.stateAt(currentClock().nowMs()).kind;
  }

  /**
   * How it stands now: a frozen, JSON-safe snapshot.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { circuitBreaker } from 'keelson';
   *
   * const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1m' });
   * await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => {});
   * const { state, opened } = breaker.statistics();
   * assert.deepEqual({ state, opened }, { state: 'open', opened: 1 });
   */
  statistics(): CircuitBreakerStatistics {
    const { name, opened, rejected, rules } = this.#layer;
    const nowMs = currentClock().nowMs();
    const state = this.#layer.stateAt(nowMs);
    const afterMs = retryAfterMs(state, nowMs, rules);
    return Object.freeze({
      name,
      state: state.kind,
      inFlight: state.probes.length,
      ...rules.strategy.counts(nowMs),
      opened,
      rejected,
      ...(afterMs > 0 ? { retryAfterMs: afterMs } : {}),
    });
  }
}

/**
 * Makes a policy that stops calling what keeps failing, and finds out by single probes when it works again.
 *
 * Closed, it lets calls through and counts; on `failureThreshold` failures in a row, or on the `failureRate` of a `window`, it opens. Open, it refuses
 * every call at once with a {@link CircuitOpenError} (ERR_CIRCUIT_OPEN), whose `retryAfterMs` a retry outside waits for (law R2). After
 * `recoveryTimeout` it is half-open and lets `maxProbes` calls through: `successThreshold` successes close it, one failure opens it again. Nobody is
 * kept waiting behind a probe (law B3).
 *
 * A call counts in the state it began in: a late result of an older one is ignored (law B1). What was cancelled, and what another policy refused in this
 * process, is neutral; a cancelled probe gives its place back when its work has ended. A failure that is permanent (not found, forbidden) is an
 * answer and counts as a success, and so does an error that `handles` does not name. A probe has its place for `probeLease`; one that has not answered
 * by then has failed (law B2).
 *
 * What is known is forgotten when nobody calls (law B5): a window of time loses what is older than its period; failures in a row, and a window of
 * calls, count for as long as news comes within `recoveryTimeout` or `probeLease`, whichever is longer. Throws ERR_OPTION for wrong options.
 *
 * Sources: Nygard, "Release It!", 2007; generations as in sony/gobreaker; leased probes as Polly's, which re-admits one a break.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { CircuitOpenError, circuitBreaker } from 'keelson';
 *
 * const breaker = circuitBreaker({ failureThreshold: 2, recoveryTimeout: '1m', name: 'user service' });
 * for (let i = 0; i < 2; i++) await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => {});
 * assert.equal(breaker.state, 'open');
 *
 * const error = await breaker.execute(() => 'not called', { name: 'loadUser' }).catch((e: unknown) => e);
 * assert(error instanceof CircuitOpenError);
 * assert(error.retryAfterMs > 59_000);
 */
export function circuitBreaker(options?: CircuitBreakerOptions): CircuitBreaker {
  return new CircuitBreaker(options);
}
