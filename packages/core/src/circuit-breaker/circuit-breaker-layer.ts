import { KeelsonError } from '../errors/keelson-error.ts';
import { withoutStack } from '../errors/without-stack.ts';
import { type EventChannel, eventChannel, type KeelsonEvent } from '../observe/events.ts';
import type { Outcome } from '../outcome/classify.ts';
import { describeHandles, type Handles, isHandledBy } from '../policy/handles.ts';
import { DONE, type Layer, PROCEED, type Step, type Verdict } from '../policy/layer.ts';
import type { PolicyDescription } from '../policy/policy.ts';
import { formatMs } from '../time/duration.ts';
import {
  admit,
  type CircuitState,
  INITIAL,
  isCurrent,
  open,
  type Probe,
  passTime,
  probeEnded,
  probeSucceeded,
  type RecoveryRules,
  retryAfterMs,
} from './circuit-state.ts';
import type { TripStrategy } from './trip-strategy.ts';

/** What a {@link CircuitBreakerLayer} goes by. */
export interface CircuitBreakerRules extends RecoveryRules {
  readonly name: string;
  readonly strategy: TripStrategy;
  readonly handles: Handles | undefined;
  readonly handlesResult: ((value: unknown) => boolean) | undefined;
  /** The options in force, for the description. */
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * A circuit is open, or half-open with all its probes out; `retryAfterMs` says when a call may be let through. The operation was not started.
 * It has no stack trace, which would be most of what a refusal costs.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { CircuitOpenError, circuitBreaker } from 'keelson';
 *
 * const breaker = circuitBreaker({ failureThreshold: 1, recoveryTimeout: '30s' });
 * await assert.rejects(breaker.execute(() => Promise.reject(new Error('down'))), { message: 'down' });
 *
 * const error = await breaker.execute(() => 'not called').catch((e: unknown) => e);
 * assert(error instanceof CircuitOpenError);
 * assert(error.retryAfterMs <= 30_000);
 */
export class CircuitOpenError extends KeelsonError {
  declare readonly retryAfterMs: number;

  constructor(message: string, details: { readonly policy: string; readonly operation: string; readonly retryAfterMs: number }) {
    super('ERR_CIRCUIT_OPEN', message, details);
  }
}

Object.defineProperty(CircuitOpenError.prototype, 'name', { value: 'CircuitOpenError', writable: true, configurable: true });

/** How the end of a call bears on the circuit. */
type Bearing = 'success' | 'failure' | 'neutral';

/** Why a circuit opened: too many failures, or a probe that failed or did not answer while it had its lease. */
type OpenedWhy =
  | { readonly reason: 'failures'; readonly calls: number; readonly failures: number }
  | { readonly reason: 'failed-probe' | 'lost-probe' };

const EVENTS = { closed: 'closed', open: 'opened', 'half-open': 'half-opened' } as const;

/** Decides for `circuitBreaker`. The ticket is the generation of a call let through while closed, or its probe. */
export class CircuitBreakerLayer implements Layer {
  readonly kind = 'circuit-breaker';
  readonly name: string;
  readonly runsCallerCode: boolean;
  readonly rules: CircuitBreakerRules;
  readonly #channel: EventChannel;
  #state: CircuitState = INITIAL;
  #opened = 0;
  #rejected = 0;
  /** Events that are told last in a hook: a listener may end the very call, or make others. */
  readonly #untold: KeelsonEvent[] = [];

  constructor(rules: CircuitBreakerRules) {
    this.name = rules.name;
    this.rules = rules;
    this.#channel = eventChannel(this.kind);
    this.runsCallerCode = rules.handles !== undefined || rules.handlesResult !== undefined;
  }

  get opened(): number {
    return this.#opened;
  }

  get rejected(): number {
    return this.#rejected;
  }

  /** The state at `nowMs`: an open circuit whose time is up is half-open. Only looks. */
  stateAt(nowMs: number): CircuitState {
    let state = this.#state;
    for (let next = passTime(state, nowMs, this.rules); next !== state; next = passTime(state, nowMs, this.rules)) state = next;
    return state;
  }

  enter(step: Step): Verdict {
    if (this.#state.kind === 'closed') {
      step.ticket = this.#state.generation;
      return PROCEED;
    }
    const nowMs = step.nowMs();
    this.#passTime(nowMs);
    const state = this.#state;
    const admitted = state.kind === 'half-open' ? admit(state, nowMs, this.rules) : undefined;
    let verdict = PROCEED;
    if (admitted === undefined) {
      this.#rejected++;
      verdict = step.reject(this.#openError(step.operation, nowMs));
    } else {
      this.#state = admitted.state;
      step.ticket = admitted.probe;
    }
    this.#tell();
    return verdict;
  }

  succeed(step: Step, value: unknown): Verdict {
    const { ticket } = step; // code of the caller's, which may end the call, comes after
    const { handlesResult } = this.rules;
    const bearing = bearingOf(step.classifyValue(value));
    this.#record(step, ticket, bearing === 'success' && handlesResult?.(value) === true ? 'failure' : bearing);
    return DONE;
  }

  fail(step: Step, error: unknown): Verdict {
    const { ticket } = step;
    const { handles } = this.rules;
    let bearing = bearingOf(step.classifyError(error));
    if (handles !== undefined && bearing !== 'neutral') bearing = isHandledBy(handles, error) ? 'failure' : 'success';
    this.#record(step, ticket, bearing);
    return DONE;
  }

  /** Neutral; the place of a probe comes back when its work has ended. Tells nobody: the call is still being unwound. */
  abandon(step: Step): void {
    const { ticket } = step;
    if (!isProbe(ticket)) return;
    this.#passTime(step.nowMs());
    ticket.isAwaited = false;
  }

  release(ticket: unknown): void {
    if (isProbe(ticket)) this.#state = probeEnded(this.#state, ticket);
  }

  isIdle(nowMs: number): boolean {
    return this.#state.kind === 'closed' && this.rules.strategy.isClean(nowMs);
  }

  describe(): PolicyDescription {
    const { name, options, handles, handlesResult } = this.rules;
    const rules = { handles: describeHandles(handles), handlesResult: handlesResult === undefined ? 'by kind' : 'function' };
    return { name, kind: this.kind, options: { ...options, ...rules }, place: 5 };
  }

  #record(step: Step, ticket: unknown, bearing: Bearing): void {
    if (isProbe(ticket)) this.#recordProbe(step.nowMs(), ticket, bearing);
    else if (ticket === this.#state.generation) this.#recordCall(step, bearing);
  }

  #recordCall(step: Step, bearing: Bearing): void {
    const { strategy } = this.rules;
    if (bearing === 'success') strategy.succeeded(step);
    else if (bearing === 'failure') {
      const nowMs = step.nowMs();
      if (strategy.failed(nowMs)) this.#open(nowMs, { reason: 'failures', ...strategy.counts(nowMs) });
      this.#tell();
    }
  }

  #recordProbe(nowMs: number, probe: Probe, bearing: Bearing): void {
    this.#passTime(nowMs);
    const state = this.#state;
    const counts = isCurrent(state, probe);
    probe.isAwaited = false;
    if (counts && bearing === 'failure') this.#open(nowMs, { reason: 'failed-probe' });
    else if (counts && bearing === 'success') this.#become(probeSucceeded(state, this.rules));
    this.#tell();
  }

  #open(nowMs: number, why: OpenedWhy): void {
    this.#become(open(this.#state, nowMs, this.rules), why);
  }

  #passTime(nowMs: number): void {
    const { rules } = this;
    for (let next = passTime(this.#state, nowMs, rules); next !== this.#state; next = passTime(this.#state, nowMs, rules)) {
      this.#become(next, next.kind === 'open' ? { reason: 'lost-probe' } : undefined);
    }
  }

  /** A new kind of state begins with nothing remembered. */
  #become(state: CircuitState, why?: OpenedWhy): void {
    const { kind } = this.#state;
    this.#state = state;
    if (state.kind === kind) return;
    this.rules.strategy.reset();
    if (state.kind === 'open') this.#opened++;
    if (this.#channel.hasSubscribers) this.#untold.push({ type: EVENTS[state.kind], policy: this.name, ...why });
  }

  #tell(): void {
    for (let event = this.#untold.shift(); event !== undefined; event = this.#untold.shift()) this.#channel.publish(event);
  }

  #openError(operation: string, nowMs: number): CircuitOpenError {
    const { name, strategy } = this.rules;
    const afterMs = retryAfterMs(this.#state, nowMs, this.rules);
    const why = this.#state.kind === 'open' ? `is open (it opens on ${strategy.rule})` : 'is half-open, and its probes are out';
    const message = `${operation} was refused: ${name} ${why}; try again in ${formatMs(afterMs)}`;
    return withoutStack(() => new CircuitOpenError(message, { policy: name, operation, retryAfterMs: afterMs }));
  }
}

/** A permanent failure is an answer: the callee is there. */
function bearingOf({ kind, origin }: Outcome): Bearing {
  if (kind === 'cancelled' || origin === 'local') return 'neutral';
  return kind === 'ok' || kind === 'permanent' ? 'success' : 'failure';
}

const isProbe = (ticket: unknown): ticket is Probe => typeof ticket === 'object' && ticket !== null;
