import { type EventChannel, eventChannel, type KeelsonEvent } from '../observe/events.ts';
import type { Outcome } from '../outcome/classify.ts';
import { Admission, type Admitting } from '../policy/admission.ts';
import { isHandledBy } from '../policy/handles.ts';
import { DONE, type Layer, PROCEED, type Step, type Verdict } from '../policy/layer.ts';
import type { PolicyDescription } from '../policy/policy.ts';
import type { CircuitBreakerRules } from './circuit-breaker-options.ts';
import { refusal } from './circuit-open-error.ts';
import {
  admit,
  admitRamped,
  type CircuitState,
  type Hold,
  INITIAL,
  isCurrent,
  isolate,
  isStable,
  letGo,
  open,
  openMs,
  type Probe,
  passTime,
  probeEnded,
  probeSucceeded,
  rampCallEnded,
  rampSucceeded,
} from './circuit-state.ts';
import { TimedCall, TimedCalls } from './slow-calls.ts';

/** How the end of a call bears on the circuit. */
type Bearing = 'success' | 'failure' | 'neutral';

/** Why the state changed. */
type Why = 'failures' | 'slow-calls' | 'failed-probe' | 'slow-probe' | 'lost-probe' | 'time' | 'successes' | 'isolation' | 'restored';

/** What the circuit remembers of a call that it let through: its generation, with its start where its time is taken, or the probe it is. */
type Ticket = number | TimedCall | Probe;

const EVENTS = { closed: 'closed', ramping: 'closed', open: 'opened', 'half-open': 'half-opened', isolated: 'isolated' } as const;

/**
 * Decides for `circuitBreaker`. A call through a closed circuit that takes nobody's time reads no clock and makes no object: its ticket is the generation
 * of the circuit.
 */
export class CircuitBreakerLayer implements Layer, Admitting {
  readonly kind = 'circuit-breaker';
  readonly name: string;
  readonly runsCallerCode: boolean;
  readonly admission: Admission = new Admission(this);
  readonly #channel: EventChannel;
  readonly #timed: TimedCalls = new TimedCalls();
  #rules: CircuitBreakerRules;
  #state: CircuitState = INITIAL;
  #inFlight = 0;
  #rejected = 0;
  /** For the jitter of the next opening: drawn while there is a step to ask. */
  #chance = 0;
  /** Events that are told last in a hook: a listener may end the very call, or make others. */
  readonly #untold: KeelsonEvent[] = [];

  constructor(rules: CircuitBreakerRules) {
    this.name = rules.name;
    this.#rules = rules;
    this.#channel = eventChannel(this.kind);
    this.runsCallerCode = rules.handles !== undefined || rules.handlesResult !== undefined;
  }

  get rules(): CircuitBreakerRules {
    return this.#rules;
  }

  /** Calls that were let through and whose work has not ended. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get isEmpty(): boolean {
    return this.#inFlight === 0;
  }

  get rejected(): number {
    return this.#rejected;
  }

  /** The state at `nowMs`: only looks, but that calls which are slow by then are counted. */
  stateAt(nowMs: number): CircuitState {
    this.#countSlow(nowMs);
    let state = this.#state;
    for (let next = this.#after(state, nowMs); next !== state; next = this.#after(state, nowMs)) state = next;
    return state;
  }

  // ---- the hooks

  enter(step: Step): Verdict {
    const state = this.#state;
    const isPlain = state.kind === 'closed' && this.#rules.slowCallMs === Number.POSITIVE_INFINITY && this.#untold.length === 0;
    if (!isPlain || !this.admission.isOpen) return this.#enterAt(step, step.nowMs());
    this.#inFlight++;
    step.ticket = state.generation;
    return PROCEED;
  }

  /** Law B4: from here on a call may become slow, not from when it began to wait for what is inside the breaker. */
  started(step: Step): void {
    const ticket = step.ticket as Ticket;
    if (ticket instanceof TimedCall) this.#timed.begin(ticket, step.nowMs());
    else if (typeof ticket === 'object') ticket.startedMs = Math.min(ticket.startedMs, step.nowMs());
  }

  succeed(step: Step, value: unknown): Verdict {
    const { ticket } = step; // code of the caller's, which may end the call, comes after
    const { handlesResult } = this.#rules;
    const outcome = step.classifyValue(value);
    const bearing = bearingOf(outcome);
    this.#record(step, ticket as Ticket, bearing === 'success' && handlesResult?.(value) === true ? 'failure' : bearing, outcome);
    return DONE;
  }

  fail(step: Step, error: unknown): Verdict {
    const { ticket } = step;
    const { handles } = this.#rules;
    const outcome = step.classifyError(error);
    let bearing = bearingOf(outcome);
    if (handles !== undefined && bearing !== 'neutral') bearing = isHandledBy(handles, error) ? 'failure' : 'success';
    this.#record(step, ticket as Ticket, bearing, outcome);
    return DONE;
  }

  /**
   * Neutral, unless the call was slow before; the place of a probe, or in a ramp, comes back when its work has ended. Tells nobody: the call is still being
   * unwound.
   */
  abandon(step: Step): void {
    const ticket = step.ticket as Ticket;
    if (typeof ticket === 'number') return;
    this.#passTime(step.nowMs());
    if (ticket instanceof TimedCall) ticket.link.unlink();
    else ticket.isAwaited = false;
  }

  release(given: unknown): void {
    const ticket = given as Ticket;
    const state = this.#state;
    this.#inFlight--;
    if (typeof ticket === 'object' && !(ticket instanceof TimedCall)) this.#state = probeEnded(state, ticket);
    else {
      if (ticket instanceof TimedCall) ticket.link.unlink();
      if (state.kind === 'ramping' && generationOf(ticket) === state.generation) this.#state = rampCallEnded(state);
    }
    this.admission.workEnded();
  }

  /** Law B7. A circuit in a ramp, or that has not been stable yet, has something to remember. */
  isIdle(nowMs: number): boolean {
    const state = this.stateAt(nowMs);
    if (state.kind !== 'closed' || !this.admission.isOpen) return false;
    return isStable(state, nowMs, this.#rules) && this.#rules.strategy.isClean(nowMs);
  }

  describe(): PolicyDescription {
    return { name: this.name, kind: this.kind, options: this.#rules.described, place: 5 };
  }

  // ---- what its owner does

  /** Nobody waits here. */
  refuseAll(): void {}

  isolate(hold: Hold, nowMs: number): void {
    this.#passTime(nowMs);
    this.#become(isolate(this.#state, hold), 'isolation');
    this.#tell();
  }

  letGo(hold: Hold, nowMs: number): void {
    const state = this.#state;
    if (state.kind !== 'isolated' || !state.holds.includes(hold)) return;
    this.#become(letGo(state, hold, nowMs, this.#rules), 'isolation');
    this.#tell();
  }

  /** Another state than that which it has come to by itself; an isolated circuit stays isolated. */
  restore(state: CircuitState): void {
    if (this.#state.kind !== 'isolated') this.#become(state, 'restored');
    this.#tell();
  }

  /** Other rules from `nowMs` on. What is remembered stays where it means the same. */
  reconfigure(rules: CircuitBreakerRules, nowMs: number): void {
    this.#passTime(nowMs);
    rules.strategy.takeOver(this.#rules.strategy);
    if (rules.slowCallMs !== this.#rules.slowCallMs) this.#timed.limitChanged(nowMs);
    this.#rules = rules;
    this.#passTime(nowMs);
    this.#tell();
  }

  // ---- inwards

  #enterAt(step: Step, nowMs: number): Verdict {
    if (!this.admission.isOpen) return step.reject(this.admission.refusal(step.operation));
    this.#passTime(nowMs);
    const state = this.#state;
    const ticket = this.#admit(state, nowMs);
    let verdict = PROCEED;
    if (ticket !== undefined) {
      this.#inFlight++;
      step.ticket = ticket;
      if (typeof ticket === 'object') step.whenStarted();
      this.#draw(step);
    } else if (state.kind !== 'closed') {
      this.#rejected++;
      const { name: policy, strategy } = this.#rules;
      verdict = step.reject(refusal({ policy, operation: step.operation, rule: strategy.rule }, state, nowMs, this.#rules));
    }
    this.#tell();
    return verdict;
  }

  /** The ticket of one more call; undefined where it is to be refused. */
  #admit(state: CircuitState, nowMs: number): Ticket | undefined {
    switch (state.kind) {
      case 'closed':
        return this.#ticket(state.generation);
      case 'ramping': {
        const ramping = admitRamped(state, nowMs, this.#rules);
        if (ramping === undefined) return undefined;
        this.#state = ramping;
        return this.#ticket(state.generation);
      }
      case 'half-open': {
        const admitted = admit(state, nowMs, this.#rules);
        if (admitted === undefined) return undefined;
        this.#state = admitted.state;
        return admitted.probe;
      }
      case 'open':
      case 'isolated':
        return undefined;
    }
  }

  #ticket(generation: number): number | TimedCall {
    return this.#rules.slowCallMs === Number.POSITIVE_INFINITY ? generation : new TimedCall(generation);
  }

  // ---- outwards

  #record(step: Step, ticket: Ticket, bearing: Bearing, { retryAfterMs = 0 }: Outcome): void {
    if (typeof ticket === 'number') {
      if (ticket === this.#state.generation) this.#recordCall(step, bearing, retryAfterMs);
      return;
    }
    const nowMs = step.nowMs();
    this.#passTime(nowMs);
    this.#draw(step);
    if (ticket instanceof TimedCall) this.#recordTimed(step, nowMs, ticket, bearing, retryAfterMs);
    else this.#recordProbe(nowMs, ticket, bearing, retryAfterMs);
    this.#tell();
  }

  /** A call that is not known to be slow. */
  #recordCall(step: Step, bearing: Bearing, askedMs: number): void {
    const { strategy } = this.#rules;
    if (bearing === 'success') {
      strategy.succeeded(step);
      if (this.#state.kind !== 'ramping') return;
      this.#become(rampSucceeded(this.#state, this.#rules), 'successes');
    } else if (bearing === 'failure') {
      this.#draw(step);
      const nowMs = step.nowMs();
      if (strategy.failed(nowMs)) this.#open(nowMs, 'failures', askedMs);
    }
    this.#tell();
  }

  #recordTimed(step: Step, nowMs: number, call: TimedCall, bearing: Bearing, askedMs: number): void {
    call.link.unlink();
    if (call.generation !== this.#state.generation) return;
    const { strategy } = this.#rules;
    const { counted } = call;
    if (counted === undefined) this.#recordCall(step, bearing, askedMs);
    else if (bearing === 'failure' && counted.by === strategy && strategy.slowFailed(counted.mark, nowMs)) {
      this.#open(nowMs, 'failures', askedMs);
    }
  }

  #recordProbe(nowMs: number, probe: Probe, bearing: Bearing, askedMs: number): void {
    const state = this.#state;
    const counts = isCurrent(state, probe);
    probe.isAwaited = false;
    if (counts && bearing === 'failure') this.#open(nowMs, 'failed-probe', askedMs);
    else if (counts && bearing === 'success') this.#become(probeSucceeded(state, nowMs, this.#rules), 'successes');
  }

  // ---- the state

  #draw(step: Step): void {
    if (this.#rules.recoveryJitter > 0) this.#chance = step.random();
  }

  #open(atMs: number, why: Why, askedMs: number): void {
    this.#become(open(this.#state, atMs, { chance: this.#chance, askedMs }, this.#rules), why);
  }

  /** Everything that the time up to `nowMs` has brought about, in its order. */
  #passTime(nowMs: number): void {
    this.#countSlow(nowMs);
    this.#moveTo(nowMs);
  }

  #countSlow(nowMs: number): void {
    const { slowCallMs, strategy } = this.#rules;
    for (let call = this.#timed.takeSlow(nowMs, slowCallMs); call !== undefined; call = this.#timed.takeSlow(nowMs, slowCallMs)) {
      const atMs = this.#timed.slowAtMs(call, slowCallMs);
      this.#moveTo(atMs);
      if (call.generation !== this.#state.generation) continue;
      call.counted = { by: strategy, mark: strategy.slowed(atMs) };
      if (strategy.isTooSlow(atMs)) this.#open(atMs, 'slow-calls', 0);
    }
  }

  #moveTo(nowMs: number): void {
    for (let next = this.#after(this.#state, nowMs); next !== this.#state; next = this.#after(this.#state, nowMs)) {
      this.#become(next, next.kind === 'open' ? this.#whyProbeFailed : 'time');
    }
  }

  #after(state: CircuitState, nowMs: number): CircuitState {
    return state.kind === 'closed' && state.probes.length === 0 ? state : passTime(state, nowMs, this.#chance, this.#rules);
  }

  get #whyProbeFailed(): Why {
    const { slowCallMs, probeLeaseMs } = this.#rules;
    return slowCallMs < probeLeaseMs ? 'slow-probe' : 'lost-probe';
  }

  /** A new generation begins with nothing remembered. */
  #become(state: CircuitState, why: Why): void {
    const before = this.#state;
    this.#state = state;
    const isNew = state.generation !== before.generation;
    if (!isNew && state.kind === before.kind) return;
    if (this.#channel.hasSubscribers) this.#untold.push(this.#changed(state, why, isNew ? EVENTS[state.kind] : 'ramped'));
    if (isNew) this.#rules.strategy.reset();
  }

  #changed(state: CircuitState, why: Why, type: string): KeelsonEvent {
    const about = { type, policy: this.name };
    if (state.kind === 'isolated') return { ...about, ...state.holds[0] };
    const { inRow: openedInRow } = state.opening;
    const event = { ...about, reason: why, openedInRow };
    if (state.kind !== 'open') return event;
    const counts = why === 'failures' || why === 'slow-calls' ? this.#rules.strategy.counts(state.sinceMs) : {};
    const opened = { ...event, ...counts, openMs: openMs(state.opening, this.#rules) };
    return opened;
  }

  #tell(): void {
    for (let event = this.#untold.shift(); event !== undefined; event = this.#untold.shift()) this.#channel.publish(event);
  }
}

const generationOf = (ticket: number | TimedCall): number => (typeof ticket === 'number' ? ticket : ticket.generation);

/** A permanent failure is an answer: the callee is there. */
function bearingOf({ kind, origin }: Outcome): Bearing {
  if (kind === 'cancelled' || origin === 'local') return 'neutral';
  return kind === 'ok' || kind === 'permanent' ? 'success' : 'failure';
}
