import { currentClock } from '../context/ambient.ts';
import { text } from '../errors/check-options.ts';
import type { ClosedError } from '../errors/closed-error.ts';
import { inert } from '../errors/inert.ts';
import { optionError } from '../errors/option-error.ts';
import { enlist } from '../observe/live.ts';
import type { DrainOptions } from '../policy/admission.ts';
import { LayerPolicy } from '../policy/layer-policy.ts';
import { CircuitBreakerLayer } from './circuit-breaker-layer.ts';
import { type CircuitBreakerOptions, changedOptions, checkBreaker, rulesOf } from './circuit-breaker-options.ts';
import { type CircuitOpenError, type CircuitStateName, nameOf } from './circuit-open-error.ts';
import { type CircuitBreakerSnapshot, checkCircuitSnapshot, remembered, restored } from './circuit-snapshot.ts';
import { type Hold, isStable, rampLimit, retryAfterMs } from './circuit-state.ts';

/** A circuit breaker at one moment; frozen, and plain enough for JSON. */
export interface CircuitBreakerStatistics {
  readonly name: string;
  readonly state: CircuitStateName;
  /** Calls that were let through and whose work has not ended, abandoned work included. */
  readonly inFlight: number;
  /** Of these, the probes whose lease is not over. */
  readonly probes: number;
  /** The calls that count now: those of the window, or those in a row that failed or were slow. */
  readonly calls: number;
  /** The failures among them. */
  readonly failures: number;
  /** The slow calls among them; one may have failed as well. */
  readonly slowCalls: number;
  /** How often it has opened. */
  readonly opened: number;
  /** How often without having been stable in between. */
  readonly openedInRow: number;
  /** Calls it has refused so far. */
  readonly rejected: number;
  /** While it ramps up after closing: calls of this ramp that are in flight, and how many may be. */
  readonly ramp?: { readonly inFlight: number; readonly limit: number };
  /** While it is isolated: why, oldest first. */
  readonly isolatedFor?: readonly string[];
  /** When a call that is refused now may be let through; absent while one would pass, and where nobody knows. */
  readonly retryAfterMs?: number;
  /** False once it was closed by its owner or drained. */
  readonly acceptsCalls: boolean;
}

/** Keeps a circuit isolated until it is disposed of. */
export interface Isolation extends Disposable {
  readonly reason: string;
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
export class CircuitBreaker extends LayerPolicy<never, CircuitOpenError | ClosedError> {
  readonly #layer: CircuitBreakerLayer;
  /** As given. */
  #options: CircuitBreakerOptions;

  constructor(options: CircuitBreakerOptions = {}) {
    checkBreaker('circuitBreaker', options);
    const layer = new CircuitBreakerLayer(rulesOf(options));
    super(layer);
    this.#layer = layer;
    this.#options = { ...options };
    enlist(this);
  }

  /** The state now; an open circuit whose time has passed is half-open. */
  get state(): CircuitStateName {
    return nameOf(this.#layer.stateAt(currentClock().nowMs()));
  }

  /**
   * Refuses every call with a {@link CircuitOpenError} that says `reason`, from now on until the handle is disposed of: for a deployment, or an incident.
   * Handles add up; when the last one is disposed of the circuit closes, with nothing remembered, and ramps up. Calls in flight go on, and no longer count.
   * No `retryAfterMs` is told, so that a retry outside gives up at once.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { circuitBreaker } from 'keelson';
   *
   * const breaker = circuitBreaker({ name: 'user service' });
   * {
   *   using isolation = breaker.isolate('deploying');
   *   assert.equal(breaker.state, 'isolated');
   *   await assert.rejects(breaker.execute(() => 'not called', { name: 'loadUser' }), {
   *     message: 'loadUser was refused: user service is isolated: deploying',
   *   });
   * }
   * assert.equal(breaker.state, 'closed');
   */
  isolate(reason: string): Isolation {
    if (!text.accepts(reason)) throw optionError('circuitBreaker.isolate', 'reason', reason, text.expected);
    const hold: Hold = { reason: inert(reason) };
    this.#layer.isolate(hold, currentClock().nowMs());
    return { reason: hold.reason, [Symbol.dispose]: () => this.#layer.letGo(hold, currentClock().nowMs()) };
  }

  /**
   * Changes the options that are given, in force at once, for an open circuit and for probes, too; the others stay. Checked as when it was made: ERR_OPTION
   * for what is wrong, and then nothing has changed. What is counted stays where it means the same: in a row, over the last calls (of another number as
   * well), over the same period. `failureThreshold` and `window` take each other's place. The `name` cannot change, and `handles` and `handlesResult` can
   * only be put in the place of one that was there: without one, no call carries the async context that code of yours is owed (law P3).
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { circuitBreaker } from 'keelson';
   *
   * const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '1m' });
   * await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => {});
   * breaker.reconfigure({ recoveryTimeout: '5s' });
   * assert((breaker.statistics().retryAfterMs ?? 0) <= 5000);
   * assert.equal(breaker.describe().options['failureThreshold'], 1);
   */
  reconfigure(changes: Omit<CircuitBreakerOptions, 'name'> = {}): void {
    const options = changedOptions('circuitBreaker.reconfigure', this.#options, changes);
    this.#layer.reconfigure(rulesOf(options), currentClock().nowMs());
    this.#options = options;
  }

  /**
   * What is worth keeping when the process ends: whether it is open, for how much longer, and how often it has opened in a row. Frozen, and plain enough for
   * JSON.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { circuitBreaker } from 'keelson';
   *
   * const old = circuitBreaker({ failureThreshold: 1 });
   * await old.execute(() => Promise.reject(new Error('down'))).catch(() => {});
   * const kept = JSON.stringify(old.snapshot());
   *
   * const breaker = circuitBreaker({ failureThreshold: 1 });
   * breaker.restore(JSON.parse(kept));
   * assert.equal(breaker.state, 'open');
   */
  snapshot(): CircuitBreakerSnapshot {
    const clock = currentClock();
    const nowMs = clock.nowMs();
    const kept = remembered(this.#layer.stateAt(nowMs), nowMs, this.#layer.rules);
    return Object.freeze({ version: 1, kind: 'circuit-breaker', takenAtMs: clock.epochMs(), ...kept });
  }

  /**
   * Takes over what {@link CircuitBreaker.snapshot} gave, less the time that has passed since. An open circuit waits no longer than its own options allow, a
   * closed one that was not stable yet ramps up; results of calls that are in flight no longer count. An isolated circuit stays isolated. Throws ERR_OPTION
   * for what is no snapshot of a circuit breaker.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { circuitBreaker } from 'keelson';
   *
   * const breaker = circuitBreaker({ recoveryTimeout: '30s' });
   * const longAgo = { version: 1, kind: 'circuit-breaker', takenAtMs: 0, state: 'open', remainingMs: 60_000, openedInRow: 1, askedMs: 0 } as const;
   * breaker.restore(longAgo);
   * assert.equal(breaker.state, 'half-open');
   */
  restore(snapshot: CircuitBreakerSnapshot): void {
    checkCircuitSnapshot(snapshot);
    const clock = currentClock();
    const now = { nowMs: clock.nowMs(), epochMs: clock.epochMs() };
    this.#layer.restore(restored(this.#layer.stateAt(now.nowMs), snapshot, now, this.#layer.rules));
  }

  /**
   * Refuses all calls that come later with ERR_CLOSED, whatever the circuit's state; what runs goes on (law P5). Idempotent.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { circuitBreaker } from 'keelson';
   *
   * const breaker = circuitBreaker();
   * breaker.close();
   * await assert.rejects(breaker.execute(() => 'never'), { code: 'ERR_CLOSED' });
   */
  close(): void {
    this.#layer.admission.close();
  }

  /**
   * Lets nobody in any more (ERR_CLOSED), and resolves when all calls that run are through, abandoned work included. After `timeout` it rejects with a
   * {@link TimeoutError}; what runs goes on.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { circuitBreaker } from 'keelson';
   *
   * const breaker = circuitBreaker();
   * const result = breaker.execute(async () => 'done');
   * await breaker.drain({ timeout: '10s' });
   * assert.equal(await result, 'done');
   */
  drain(options?: DrainOptions): Promise<void> {
    return this.#layer.admission.drain(options);
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
    const layer = this.#layer;
    const { rules } = layer;
    const nowMs = currentClock().nowMs();
    const state = layer.stateAt(nowMs);
    const afterMs = retryAfterMs(state, nowMs, rules);
    const isForgotten = (state.kind === 'closed' || state.kind === 'ramping') && isStable(state, nowMs, rules);
    return Object.freeze({
      name: rules.name,
      state: nameOf(state),
      inFlight: layer.inFlight,
      probes: state.probes.length,
      ...rules.strategy.counts(nowMs),
      opened: state.opened,
      openedInRow: isForgotten ? 0 : state.opening.inRow,
      rejected: layer.rejected,
      ...(state.kind === 'ramping' ? { ramp: Object.freeze({ inFlight: state.inFlight, limit: rampLimit(state, nowMs, rules) }) } : {}),
      ...(state.kind === 'isolated' ? { isolatedFor: Object.freeze(state.holds.map(({ reason }) => reason)) } : {}),
      ...(afterMs === undefined || afterMs === 0 ? {} : { retryAfterMs: afterMs }),
      acceptsCalls: layer.admission.isOpen,
    });
  }
}

/**
 * Makes a policy that stops calling what keeps failing, and finds out by single probes when it works again.
 *
 * Closed, it lets calls through and counts; on `failureThreshold` failures in a row, or on the `failureRate` of a `window`, it opens. With a
 * `slowCallDuration` a call that takes longer counts, too, as soon as it does: a callee that hangs opens the circuit before its calls end (law B4). Open,
 * it refuses every call at once with a {@link CircuitOpenError} (ERR_CIRCUIT_OPEN), whose `retryAfterMs` a retry outside waits for (law R2). It stays open
 * for `recoveryTimeout`, or for as long as the failure that opened it asked for (a Retry-After) if that is longer; the next time for `recoveryFactor` times
 * as long, and never for more than `maxRecoveryTimeout`, until it has been closed for as long as it was open, and so is stable (law B6). Then it is half-open
 * and lets `maxProbes` calls through: `successThreshold` successes close it, one failure opens it again. Closed, it ramps up: one call in flight, and one
 * more for each success, until `rampUp` have succeeded, or it is stable. Nobody is kept waiting behind a probe or in a ramp (law B3).
 *
 * A call counts in the state it began in: a late result of an older one is ignored (law B1). What was cancelled, and what another policy refused in this
 * process, is neutral, unless it was slow before; a cancelled probe gives its place back when its work has ended. A failure that is permanent (not found,
 * forbidden) is an answer and counts as a success, and so does an error that `handles` does not name. A probe has its place for `probeLease`; one that has
 * not answered by then has failed (law B2), and so has one that is slow.
 *
 * What is known is forgotten when nobody calls (law B5): a window of time loses what is older than its period; calls in a row, and a window of calls, count
 * for as long as news comes within `recoveryTimeout` or `probeLease`, whichever is longer. Throws ERR_OPTION for wrong options.
 *
 * Sources: Nygard, "Release It!", 2007; generations as in sony/gobreaker; leased probes as Polly's, which re-admits one a break; slow calls as in
 * Resilience4j, but counted in flight; growth as Linkerd's and Envoy's ejections; the ramp is TCP's slow start (Jacobson, 1988).
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
 * assert(error.retryAfterMs !== undefined && error.retryAfterMs > 59_000);
 */
export function circuitBreaker(options?: CircuitBreakerOptions): CircuitBreaker {
  return new CircuitBreaker(options);
}
