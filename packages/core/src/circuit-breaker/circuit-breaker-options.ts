import { type Check, type Checks, checkOptions, fraction, func, text, wholeNumber } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import { describeHandles, type Handles, handlesCheck } from '../policy/handles.ts';
import { type Duration, durationMs, formatMs, toMs } from '../time/duration.ts';
import type { RecoveryRules } from './circuit-state.ts';
import { Consecutive, CountWindow, type RateRule, TimeWindow, type TripStrategy } from './trip-strategy.ts';

/** Over what a {@link circuitBreaker} counts: the last calls (1 to a million), or the last while (10 ms or longer). */
export type CircuitWindow = { readonly calls: number } | { readonly period: Duration };

/** What a {@link circuitBreaker} is made of. */
export interface CircuitBreakerOptions {
  /** Without a `window`: opens on so many calls in a row that failed, or were slow. Default 5. */
  readonly failureThreshold?: number | undefined;
  /** Counts over the last calls, or over the last while; then the rates decide. Default: none. */
  readonly window?: CircuitWindow | undefined;
  /** With a `window`: opens when this share of its calls failed. Above 0, at most 1; default 0.5. */
  readonly failureRate?: number | undefined;
  /** With a `window`: so many calls have to be in it before a rate counts. Default 10, or the calls of the window if they are fewer. */
  readonly minimumCalls?: number | undefined;
  /** A call that takes longer is slow, and counts as that as soon as it is, not only when it ends. Default `Infinity`: no call is slow. */
  readonly slowCallDuration?: Duration | undefined;
  /** With a `window` and a `slowCallDuration`: opens when this share of its calls was slow. Above 0, at most 1; default 1. */
  readonly slowCallRate?: number | undefined;
  /** How long it stays open, the first time, before it lets a probe through. Default `'30s'`. */
  readonly recoveryTimeout?: Duration | undefined;
  /** Each time it opens again without having been stable in between it stays open longer by this factor. At least 1, which is no growth; default 2. */
  readonly recoveryFactor?: number | undefined;
  /** It stays open for no longer, whatever the factor or a Retry-After says. Default `'5m'`, or `recoveryTimeout` if that is longer. */
  readonly maxRecoveryTimeout?: Duration | undefined;
  /** Shortens the time it stays open by up to this share, by chance, so that many processes do not come back at once. From 0 to 1; default 0. */
  readonly recoveryJitter?: number | undefined;
  /** So many probes have to succeed before it closes. Default 1. */
  readonly successThreshold?: number | undefined;
  /** How many probes may be out at once. Default 1. */
  readonly maxProbes?: number | undefined;
  /** How long a probe may take; one that takes longer counts as a failure. Longer than the slowest good answer. Default `'1m'`. */
  readonly probeLease?: Duration | undefined;
  /** After it has closed: one call in flight, and one more for each success, until so many have succeeded. 0 lets all through at once. Default 100. */
  readonly rampUp?: number | undefined;
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
  readonly slowCallDuration: Duration;
  readonly slowCallRate: number;
  readonly recoveryTimeout: Duration;
  readonly recoveryFactor: number;
  readonly maxRecoveryTimeout: Duration;
  readonly recoveryJitter: number;
  readonly successThreshold: number;
  readonly maxProbes: number;
  readonly probeLease: Duration;
  readonly rampUp: number;
  readonly name: string;
} = Object.freeze({
  failureThreshold: 5,
  failureRate: 0.5,
  minimumCalls: 10,
  slowCallDuration: Number.POSITIVE_INFINITY,
  slowCallRate: 1,
  recoveryTimeout: '30s',
  recoveryFactor: 2,
  maxRecoveryTimeout: '5m',
  recoveryJitter: 0,
  successThreshold: 1,
  maxProbes: 1,
  probeLease: '1m',
  rampUp: 100,
  name: 'circuit breaker',
});

/** What a circuit goes by. */
export interface CircuitBreakerRules extends RecoveryRules {
  readonly name: string;
  readonly strategy: TripStrategy;
  readonly handles: Handles | undefined;
  readonly handlesResult: ((value: unknown) => boolean) | undefined;
  /** The options in force, for the description. */
  readonly described: Readonly<Record<string, unknown>>;
}

const one = wholeNumber({ min: 1 });
const finite = durationMs();
const share: Check = { expected: 'a number above 0 and at most 1', accepts: (value) => fraction.accepts(value) && value !== 0 };

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
  failureRate: share,
  minimumCalls: one,
  slowCallDuration: durationMs({ allowInfinity: true }),
  slowCallRate: share,
  recoveryTimeout: finite,
  recoveryFactor: { expected: 'a number of at least 1', accepts: (value) => Number.isFinite(value) && (value as number) >= 1 },
  maxRecoveryTimeout: finite,
  recoveryJitter: fraction,
  successThreshold: one,
  maxProbes: one,
  probeLease: finite,
  rampUp: wholeNumber({ min: 0 }),
  handles: handlesCheck,
  handlesResult: func,
  name: text,
};

/** Throws ERR_OPTION, in `owner`'s name, for what is wrong by itself or does not go together. */
export function checkBreaker(owner: string, options: CircuitBreakerOptions): void {
  checkOptions<CircuitBreakerOptions>(owner, options, CHECKS);
  const { window, failureThreshold, failureRate, minimumCalls, slowCallDuration, slowCallRate, maxRecoveryTimeout } = options;
  const refuse = (option: string, value: unknown, expected: string): void => {
    if (value !== undefined) throw optionError(owner, option, value, expected);
  };
  const recoveryTimeoutMs = toMs(options.recoveryTimeout ?? circuitBreakerDefaults.recoveryTimeout);
  if (maxRecoveryTimeout !== undefined && toMs(maxRecoveryTimeout) < recoveryTimeoutMs) {
    refuse('maxRecoveryTimeout', maxRecoveryTimeout, `at least recoveryTimeout, ${formatMs(recoveryTimeoutMs)}`);
  }
  if (slowCallDuration === undefined) refuse('slowCallRate', slowCallRate, 'given together with slowCallDuration, or left out');
  if (window === undefined) {
    refuse('failureRate', failureRate, 'given together with window, or left out');
    refuse('minimumCalls', minimumCalls, 'given together with window, or left out');
    refuse('slowCallRate', slowCallRate, 'given together with window, or left out');
    return;
  }
  refuse('failureThreshold', failureThreshold, 'left out where there is a window: its failureRate decides');
  if ('calls' in window && minimumCalls !== undefined && minimumCalls > window.calls) {
    refuse('minimumCalls', minimumCalls, `at most the ${window.calls} calls of the window, which can hold no more`);
  }
}

/** `options` with what is given in `changes`; throws ERR_OPTION, in `owner`'s name, for what cannot be changed, or not to that. */
export function changedOptions(
  owner: string,
  options: CircuitBreakerOptions,
  changes: Omit<CircuitBreakerOptions, 'name'>,
): CircuitBreakerOptions {
  checkOptions<CircuitBreakerOptions>(owner, changes, {
    ...CHECKS,
    name: { expected: 'left out: it cannot change', accepts: () => false },
    ...(options.handles === undefined && options.handlesResult === undefined ? { handles: ADDED, handlesResult: ADDED } : {}),
  });
  const all = inPlaceOf(options, changes);
  checkBreaker(owner, all);
  return all;
}

/** One of both makes the calls carry their async context. */
const ADDED: Check = { expected: 'left out: it was made without one, and can only have another', accepts: () => false };

/** What counts in a row and what counts over a window exclude each other: what is given takes the place of the other. */
function inPlaceOf(options: CircuitBreakerOptions, changes: CircuitBreakerOptions): CircuitBreakerOptions {
  const given: CircuitBreakerOptions = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const { failureThreshold: _threshold, ...overWindow } = options;
  const { window: _window, failureRate: _rate, minimumCalls: _calls, slowCallRate: _slow, ...inRow } = options;
  if (given.window !== undefined) return { ...overWindow, ...given };
  return { ...(given.failureThreshold === undefined ? options : inRow), ...given };
}

/** The rules that follow from options that are in order. */
export function rulesOf(options: CircuitBreakerOptions): CircuitBreakerRules {
  const { handles, handlesResult, recoveryTimeout, probeLease, slowCallDuration, ...given } = options;
  const d = circuitBreakerDefaults;
  const recoveryTimeoutMs = toMs(recoveryTimeout ?? d.recoveryTimeout);
  const recovery = {
    recoveryTimeoutMs,
    recoveryFactor: given.recoveryFactor ?? d.recoveryFactor,
    maxRecoveryTimeoutMs: toMs(given.maxRecoveryTimeout ?? Math.max(toMs(d.maxRecoveryTimeout), recoveryTimeoutMs)),
    recoveryJitter: given.recoveryJitter ?? d.recoveryJitter,
    successThreshold: given.successThreshold ?? d.successThreshold,
    maxProbes: given.maxProbes ?? d.maxProbes,
    probeLeaseMs: toMs(probeLease ?? d.probeLease),
    rampUp: given.rampUp ?? d.rampUp,
  };
  const slowCallMs = toMs(slowCallDuration ?? d.slowCallDuration);
  const { strategy, described } = strategyOf(options, slowCallMs, Math.max(recoveryTimeoutMs, recovery.probeLeaseMs));
  return {
    name: given.name ?? d.name,
    ...recovery,
    slowCallMs,
    strategy,
    handles,
    handlesResult,
    described: {
      ...described,
      ...recovery,
      ...(slowCallMs === Number.POSITIVE_INFINITY ? {} : { slowCallDurationMs: slowCallMs }),
      handles: describeHandles(handles),
      handlesResult: handlesResult === undefined ? 'by kind' : 'function',
    },
  };
}

/**
 * The strategy, and the options in force that belong to it. What does not expire by itself is forgotten after `memoryMs` without news (law B5): by then
 * an open circuit would have sent a probe, and that would have answered, so that what it knew would be worth nothing any more.
 */
function strategyOf(
  options: CircuitBreakerOptions,
  slowCallMs: number,
  memoryMs: number,
): { readonly strategy: TripStrategy; readonly described: Readonly<Record<string, unknown>> } {
  const { window } = options;
  const d = circuitBreakerDefaults;
  const slowText = slowCallMs === Number.POSITIVE_INFINITY ? undefined : formatMs(slowCallMs);
  if (window === undefined) {
    const failureThreshold = options.failureThreshold ?? d.failureThreshold;
    return { strategy: new Consecutive(failureThreshold, memoryMs, slowText), described: { failureThreshold } };
  }
  const failureRate = options.failureRate ?? d.failureRate;
  const slowCallRate = options.slowCallRate ?? d.slowCallRate;
  const minimumCalls = options.minimumCalls ?? Math.min(d.minimumCalls, 'calls' in window ? window.calls : Number.POSITIVE_INFINITY);
  const slow = slowText === undefined ? undefined : { rate: slowCallRate, text: slowText };
  const rule: RateRule = { failureRate, minimumCalls, slow };
  const rates = { failureRate, minimumCalls, ...(slow === undefined ? {} : { slowCallRate }) };
  if ('calls' in window) {
    return { strategy: new CountWindow(window.calls, rule, memoryMs), described: { windowCalls: window.calls, ...rates } };
  }
  const periodMs = toMs(window.period);
  return { strategy: new TimeWindow(periodMs, rule, formatMs(periodMs)), described: { windowPeriodMs: periodMs, ...rates } };
}
