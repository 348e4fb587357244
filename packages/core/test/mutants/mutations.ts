/** A mechanism of a law, broken in one place. */
export interface Mutation {
  readonly law: string;
  /** Below packages/core/src. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly search: string;
  readonly replace: string;
}

const machine = 'policy/machine.ts';
const state = 'policy/call-state.ts';
const waits = 'policy/call-waits.ts';
const retry = 'retry/retry-layer.ts';
const breaker = 'circuit-breaker/circuit-breaker-layer.ts';
const circuit = 'circuit-breaker/circuit-state.ts';
const trip = 'circuit-breaker/trip-strategy.ts';
const slow = 'circuit-breaker/slow-calls.ts';
const limiter = 'rate-limiter/rate-limiter-layer.ts';
const line = 'rate-limiter/token-line.ts';
const callee = 'rate-limiter/callee.ts';
const quotas = 'rate-limiter/callee-quotas.ts';
const sending = 'rate-limiter/sending-rate.ts';
const snapshot = 'rate-limiter/rate-limiter-snapshot.ts';
const bulkhead = 'bulkhead/bulkhead-layer.ts';
const admission = 'policy/admission.ts';
const queue = 'policy/admission-queue.ts';
const turns = 'policy/fair-turns.ts';

const of = (law: string, file: string, search: string, replace: string): Mutation => ({ law, file, search, replace });

const cancellation: readonly Mutation[] = [
  of('C1', machine, 'this.at = at; // we may be inside a hook', "reason = new Error('cancelled', { cause: reason });"),
  of('C1', state, 'rare.isCancelledByCaller || error === rare.callersOwn', 'error === rare.callersOwn'),
  of('C1', machine, 'if (error !== reason && isCausedBy(error, reason)) suppress(reason, error);', ''),
  of(
    'C1',
    'cancel/foreign-signal.ts',
    'this.#stopped();\n    this.cancel(this.#source.reason);',
    "this.#stopped();\n    this.cancel(new DOMException('aborted', 'AbortError'));",
  ),
  of('C2', machine, 'if (signal.aborted) return this.endedBefore(signal.reason);', ''),
  of('C2', waits, 'rare.node?.unlink();', ''),
  of('C2', waits, 'rare.timer?.cancel();\n    rare.timer = null;', ''),
  of('C2', waits, 'if (epoch === this.epoch) then();', 'then();'),
  of('C2', queue, 'if (this.link.list !== null) this.queue.leave(this);', ''),
  of('C3', 'policy/through-foreign.ts', 'foreignCall === undefined || foreignCall === call ? undefined : foreignCall.signal', 'undefined'),
  of(
    'C4',
    'outcome/classify.ts',
    'const own = declared(error);',
    "if ((error as Error).name === 'AbortError') return OWN.ERR_CANCELLED;\n  const own = declared(error);",
  ),
  of('C5', 'cancel/foreign-signal.ts', 'if (!this.#listening && !this.isCancelled) {', 'if (!this.isCancelled) {'),
  of('C5', 'cancel/foreign-signal.ts', 'this.#source.removeEventListener(', '(() => {})('),
  of('C5', 'cancel/cancel-token.ts', 'this.controller = null;', 'this.controller = new AbortController();'),
  of(
    'C6',
    machine,
    'const token = parent instanceof AttemptCall ? parent : tokenOf(parent.signal);\n        if (token.isCancelled) return this.endedBefore(token.reason);',
    'const token = parent instanceof AttemptCall ? parent : tokenOf(parent.signal);',
  ),
  of('C6', 'scope/sleep.ts', 'if (token.isCancelled) reject(token.reason);\n    else new Sleep', 'new Sleep'),
  of(
    'C7',
    machine,
    '} else this.finish();\n    this.deliver(value);',
    "} else this.finish();\n    this.current.cancel(new Error('over'));\n    this.deliver(value);",
  ),
  of('C7', machine, 'this.finish();\n      this.current.cancel(reason);\n      return;', 'this.finish();\n      return;'),
  of('C8', machine, 'if (isHolding(this.current)) {\n      this.activity', 'if (this.rare === undefined) {\n      this.activity'),
  of('C8', 'policy/attempt-call.ts', 'return this.isCancelled ? 0 : this.owner.timeLeftMs();', 'return this.owner.timeLeftMs();'),
  of('C8', machine, 'attempt.cancel(reason);\n    }\n    this.endHeld(reason);', '}\n    this.endHeld(reason);'),
];

const time: readonly Mutation[] = [
  of('T1', state, 'nowMs(): number {\n    return this.clock.nowMs();', 'nowMs(): number {\n    return this.clock.epochMs();'),
  of('T1', 'time/system-clock.ts', 'const leftMs = this.#atMs - performance.now();', 'const leftMs = this.#atMs - Date.now();'),
  of('T2', state, 'if (ms === Number.POSITIVE_INFINITY) return PROCEED;', ''),
  of('T2', 'time/system-clock.ts', 'Math.min(Math.ceil(leftMs), MAX_TIMEOUT_MS)', 'Math.ceil(leftMs)'),
  of('T3', waits, 'if (this.clock.nowMs() < rare.untilMs) this.armWake(rare);\n      else rare.wake();', 'rare.wake();'),
  of('T3', machine, 'if (this.clock.nowMs() < rare.deadlineMs) this.armDeadline(rare);\n      else this', 'this'),
  of(
    'T3',
    'time/limit-list.ts',
    'const nowMs = this.clock.nowMs();\n    let due = 0;',
    'const nowMs = this.clock.nowMs() + 3;\n    let due = 0;',
  ),
  of('T4', waits, '(waitMs <= 0 || waitMs < this.timeLeftMs())', 'waitMs >= 0'),
  of('T4', state, 'return rare.parent === null ? ownMs : Math.min(ownMs, rare.parent.remainingMs());', 'return ownMs;'),
  of('T4', state, 'rare.scope?.deadlineMs ?? Number.POSITIVE_INFINITY', 'Number.POSITIVE_INFINITY'),
  of('T4', machine, 'if (ms <= 0) {', 'if (ms < 0) {'),
  of('T4', machine, 'const ms = Math.min(timeoutMs, deadlineLeftMs);', 'const ms = Math.min(timeoutMs, Number.POSITIVE_INFINITY);'),
  of('T5', 'time/limit-list.ts', 'timer.unref();', 'timer.ref();'),
  of('T5', machine, 'rare.deadlineTimer?.cancel();', ''),
];

const permits: readonly Mutation[] = [
  of('P1', 'policy/ongoing-work.ts', 'for (const work of works) if (work.depth > frame) owed.waitFor(work);', ''),
  of('P1', machine, 'if (rare.parent instanceof AttemptCall) rare.parent.owner.inherit(work, rare.parent);', ''),
  of('P1', machine, 'if (rare.scope !== undefined) work.whenOver(rare.scope.keepOpen(this.operation));', ''),
  of('P1', bulkhead, 'this.lingering <= this.#rules.maxAbandoned && ', ''),
  of('P1', 'policy/attempt-call.ts', 'this.extras?.held?.abandon();', ''),
  of('P1', 'policy/ongoing-work.ts', 'for (const whole of this.#wholes) whole.#linger();', ';'),
  of(
    'P2',
    bulkhead,
    'if (this.#inFlight <= this.#rules.maxConcurrency && this.queue.grant()) return;\n    this.#inFlight--;',
    'this.#inFlight--;\n    const later = Promise.resolve().then(() => {}).then(() => {}).then(() => {});\n    void later.then(() => this.queue.grant() && this.#inFlight++);',
  ),
  of(
    'P2',
    'sync/wait-queue.ts',
    'const node = this.#waiting.first;\n    if (node === undefined) return false;',
    "if (this.size === 0) return false;\n    const node = this.#waiting['ring'].prev;",
  ),
  of('P2', 'sync/paced-queue.ts', 'const first = this.#waiting.first?.item;', 'const first = [...this.#waiting].at(-1);'),
  of('P2', queue, 'this.#turns === undefined ? this.places.first?.item', 'this.#turns === undefined ? this.places.last?.item'),
  of('P2', queue, 'sinceMs : sinceMs + this.rank * agingPeriodMs', 'sinceMs : sinceMs + this.rank * 1e9'),
  of('P2', queue, 'sinceMs : sinceMs + this.rank * agingPeriodMs', 'sinceMs : sinceMs'),
  of('P2', queue, 'equalMs >= leastMs', 'equalMs > leastMs'),
  of('P2', turns, 'turn.unlink();\n    this.#turns.append(turn);', ''),
  of('P2', bulkhead, 'while (this.#inFlight < rules.maxConcurrency && this.queue.grant()) this.#inFlight++;', ''),
  of('P2', bulkhead, 'this.#inFlight <= this.#rules.maxConcurrency && this.queue.grant()', 'this.queue.grant()'),
  of('P2', machine, "this.publish('dropped', { by: rare.isCancelledByCaller ? 'caller' : 'timeout' });", ''),
  of(
    'P3',
    waits,
    'void new Promise<void>((wake) => {\n      this.uncommon.wake = wake;\n    }).then(() => {\n      if (epoch === this.epoch) then();\n    });',
    'this.uncommon.wake = () => {\n      if (epoch === this.epoch) then();\n    };',
  ),
  of('P3', machine, 'if (this.context === null) body();\n    else this.context.run(body);', 'body();'),
  of(
    'P4',
    limiter,
    'step.ticket = this.line.join(waiting, nowMs);',
    'step.ticket = this.line.join(waiting, nowMs);\n    this.line.leave(step.ticket as Place);',
  ),
  of('P4', bulkhead, 'this.#inFlight++;\n      return PROCEED;', 'queueMicrotask(() => this.#inFlight++);\n      return PROCEED;'),
  of('P5', admission, 'this.#owner.refuseAll(() => this.refusal());', ''),
  of('P5', queue, 'places.first?.item.refuse(error);', ';'),
  of('P5', admission, 'this.#isOpen = false;\n    this.#owner', 'this.#owner'),
  of('P5', admission, 'for (const drain of this.#drains) drain.end();', ''),
];

const retrying: readonly Mutation[] = [
  of(
    'R1',
    'policy/backoff.ts',
    'return lowMs + chance * (highMs - lowMs);',
    'return Math.min(this.maxDelayMs, lowMs + 4 * chance * (highMs - lowMs));',
  ),
  of('R1', 'policy/backoff.ts', 'return Math.min(this.maxDelayMs, ms);', 'return ms;'),
  of(
    'R1',
    'policy/backoff.ts',
    'return scaleMs * (smoothRise(step, chance) - risenBefore(previousChance));',
    'const risenMs = (this.#baseDelayMs / SMOOTH_MIDDLE) * 2 ** step * (smoothRise(step, chance) - risenBefore(previousChance));\n    return Math.min(this.maxDelayMs, risenMs + 0 * scaleMs);',
  ),
  of(
    'R1',
    'policy/backoff.ts',
    'this.#capped(this.#grown(info) * (1 + plusOrMinus))',
    'this.#capped(this.#grown(info)) * (1 + plusOrMinus)',
  ),
  of('R2', retry, 'retryAfterMs !== undefined && retryAfterMs > 0)', 'retryAfterMs !== undefined && retryAfterMs < 0)'),
  of('R2', retry, 'Math.min(ASKED_JITTER * askedMs, leftMs - askedMs)', 'ASKED_JITTER * askedMs'),
  of('R2', retry, 'askedMs <= this.#rules.backoff.maxDelayMs', 'askedMs >= 0'),
  of('R2', circuit, 'return Math.max(0, state.sinceMs + openMs(state.opening, rules) - nowMs);', 'return 1;'),
  of('R2', retry, 'progress.dueMs - step.nowMs()', 'progress.dueMs'),
  of('R3', retry, 'if (payment !== undefined) this.#rules.budget?.refund(payment);', ''),
  of('R3', retry, "if (budget !== undefined && progress.payment === undefined) return 'budget';", ''),
  of('R3', retry, 'this.#rules.budget?.began(step.nowMs());', ''),
  of('R3', 'policy/retry-budget.ts', 'return this.#window.retried(nowMs);', 'return nowMs;'),
  of('R3', 'policy/retry-window.ts', 'Math.max(Math.floor(nowMs / this.#slotMs), ', 'Math.max(0, '),
  of('R3', 'policy/retry-quota.ts', 'this.#balance = Math.max(0, this.#balance - cost);', ''),
  of('R3', 'policy/retry-quota.ts', 'this.#payIn(payment ?? this.#perSuccess);', 'this.#payIn(this.#perSuccess);'),
  of('R3', retry, 'this.abandon(step, true);\n    return insteadOf', 'return insteadOf'),
  of('R3', machine, 'if (verdict === AGAIN || verdict === CONSULT) this.leave(slot, i, true);', ''),
  of('R4', machine, 'if (this.hasOutput || !this.fits(delayMs)) {', 'if (!this.fits(delayMs)) {'),
  of(
    'R4',
    machine,
    'if (this.hasOutput) {\n      this.letPass(slot, i, outcome);\n      return;\n    }\n    this.closeFrame(slot, i);\n    if (slot',
    'this.closeFrame(slot, i);\n    if (slot',
  ),
  of('R4', state, 'rare.parent?.commit();', ''),
  of('R4', state, 'rare.hasOutput = true;', ''),
  of('R5', retry, "if (step.options.idempotent === false) return 'not-idempotent';", ''),
  of(
    'R6',
    machine,
    "else this.enterFrom(i + 1);\n    });\n    if (slot.channel.hasSubscribers) this.publish('retrying'",
    "else {\n        this.level = this.plan.slots.length;\n        this.invoke(this.fn);\n      }\n    });\n    if (slot.channel.hasSubscribers) this.publish('retrying'",
  ),
  of('R4', machine, 'if (this.hasOutput) this.letStand(slot, i, outcome);\n      else this', 'this'),
  of('R7', retry, "if (nested === 'bounded' && wasGivenUpInside(settled, progress.attemptStart)) return 'nested';", ''),
  of('R7', retry, " || reason === 'before-retry'", ''),
  of('R7', 'retry/nested-retries.ts', 'failure = (failure as { readonly cause?: unknown }).cause;', 'return false;'),
];

const breaking: readonly Mutation[] = [
  of('B1', breaker, 'if (ticket === this.#state.generation) this.#recordCall', 'this.#recordCall'),
  of('B1', circuit, ' && probe.generation === state.generation;', ';'),
  of('B2', circuit, 'if (state.probes.length >= rules.maxProbes) return undefined;', ''),
  of('B2', breaker, 'this.#state = probeEnded(state, ticket);', ';'),
  of(
    'B2',
    circuit,
    'const lost = state.probes.find((probe) => answerByMs(probe, rules) <= nowMs && isCurrent(state, probe));',
    'const lost = state.probes.find(() => false);\n  if (state.probes.length > 0) return state;',
  ),
  of('B3', circuit, 'return Math.max(0, state.sinceMs + openMs(state.opening, rules) - nowMs);', 'return 0;'),
  of(
    'B3',
    breaker,
    'verdict = step.reject(refusal({ policy, operation: step.operation, rule: strategy.rule }, state, nowMs, this.#rules));',
    'verdict = step.waitUntil(nowMs + 1000, () => refusal({ policy, operation: step.operation, rule: strategy.rule }, state, nowMs, this.#rules));',
  ),
  of('B3', circuit, 'return 1 + Math.max(successes, steps);', 'return Math.max(successes, steps);'),
  of('B3', circuit, 'return 1 + Math.max(successes, steps);', 'return 1 + successes;'),
  of('B3', circuit, 'const ramped = { ...state, successes: state.successes + 1 };', 'const ramped = { ...state };'),
  of('B3', circuit, 'return state.inFlight < rampLimit(state, nowMs, rules) ? {', 'return state.inFlight >= 0 ? {'),
  of('B3', breaker, 'this.#state = rampCallEnded(state);', ';'),
  of('B3', circuit, 'return rules.rampUp === 0 ? {', 'return rules.rampUp >= 0 ? {'),
  of('B4', breaker, "if (typeof ticket === 'object') step.whenStarted();", "if (typeof ticket === 'object') this.started(step);"),
  of('B4', state, 'above?.operationStarts();', ''),
  of('B4', breaker, 'if (strategy.isTooSlow(atMs)) this', 'if (atMs < 0) this'),
  of('B4', slow, 'if (call === undefined || this.slowAtMs(call, slowCallMs) > nowMs) return', 'if (nowMs >= 0) return'),
  of('B4', breaker, 'this.#countSlow(nowMs);\n    let state', 'let state'),
  of('B4', breaker, 'const atMs = this.#timed.slowAtMs(call, slowCallMs);', 'const atMs = nowMs;'),
  of(
    'B4',
    breaker,
    'if (ticket instanceof TimedCall) ticket.link.unlink();\n    else ticket',
    'if (!(ticket instanceof TimedCall)) ticket',
  ),
  of('B6', circuit, 'recoveryTimeoutMs * recoveryFactor ** Math.max(0, inRow - 1)', 'recoveryTimeoutMs'),
  of('B6', circuit, 'Math.min(maxRecoveryTimeoutMs, recoveryTimeoutMs *', 'Math.max(0, recoveryTimeoutMs *'),
  of('B6', circuit, 'nowMs - sinceMs >= openMs(opening, rules);', 'nowMs - sinceMs >= 0;'),
  of('B6', circuit, 'nowMs - sinceMs >= openMs(opening, rules);', 'nowMs < 0;'),
  of('B6', circuit, 'Math.min(askedMs, maxRecoveryTimeoutMs));', '0);'),
  of('B5', trip, 'this.reset();\n  }\n\n  #add(nowMs: number): void {', ';\n  }\n\n  #add(nowMs: number): void {'),
  of('B5', trip, 'this.reset();\n  }\n\n  #add(nowMs: number, what', ';\n  }\n\n  #add(nowMs: number, what'),
  of('B5', trip, 'if (number <= this.#current) return;', 'return;'),
  of('B7', 'keyed/key-entries.ts', 'this.presence.inFlight === 0 && ', ''),
  of('B7', 'keyed/key-entries.ts', 'part.layer.isIdle?.(nowMs) !== false', 'true'),
  of('B7', 'keyed/key-entries.ts', 'if (entry.isIdle(nowMs)) {', 'if (nowMs < 0) {'),
  of('B7', breaker, 'return isStable(state, nowMs, this.#rules) && this', 'return this'),
  of(
    'B7',
    breaker,
    "if (state.kind !== 'closed' || !this.admission.isOpen) return false;",
    "if (state.kind === 'isolated') return true;\n    if (state.kind !== 'closed') return false;",
  ),
];

const limiting: readonly Mutation[] = [
  of('L1', 'policy/gcra.ts', 'fullMs - (this.#capacity - cost) * this.#everyMs);', 'fullMs - this.#capacity * this.#everyMs);'),
  of('L1', 'policy/sliding-window.ts', 'atMs = this.#overMs(oldest);', 'atMs = oldest.atMs + this.#periodMs / 2;'),
  of('L1', limiter, 'if (!this.isFull(nowMs)) return undefined;', 'if (nowMs >= 0) return undefined;'),
  of('L1', limiter, 'this.letThrough(step, place.item.cost, nowMs);', 'this.letThrough(step, place.item.cost, nowMs - 3);'),
  of('L2', limiter, 'if (!waiting) return;\n    this.line.leave(step.ticket as Place);', 'if (!waiting) return;'),
  of('L2', line, 'this.#meter.giveBack(booking, cost, nowMs);', ''),
  of('L2', 'rate-limiter/rate-limiter.ts', 'isHeld = false;', ''),
  of('L2', limiter, 'return ticket instanceof Tokens ? ticket : undefined;', 'return undefined;'),
  of('L2', state, 'if (attempt !== this.current) return undefined;', ''),
  of('L3', bulkhead, 'if (this.queue.size < maxQueue) return true;', 'return true;'),
  of(
    'L3',
    bulkhead,
    "if (overflow === 'reject') return false;",
    "if (overflow === 'reject') return this.#drop(this.queue.toDrop('dropOldest'), '', 0);",
  ),
  of('L3', bulkhead, 'while (this.queue.size > rules.maxQueue)', 'while (nowMs < 0)'),
  of('L3', queue, "return rule === 'dropOldest' ? this.places.first?.item : undefined;", 'return undefined;'),
  of('L3', queue, "(rule === 'dropOldest' ? this.places.first : this.places.last)", '(this.places.first)'),
  of('L3', queue, 'least.rank > own.rank', 'least.rank < own.rank'),
  of('L3', turns, 'return longest > ownWith ?', 'return longest < 0 ?'),
  of('L3', turns, 'return ownWith > longest ?', 'return ownWith > 0 ?'),
];

/** Of a limit that changes while it is in force. */
const relimiting: readonly Mutation[] = [
  of('L1', 'policy/gcra.ts', 'this.#fullMs = nowMs + missing * this.#everyMs;', 'this.#fullMs = nowMs;'),
  of('L1', 'policy/gcra.ts', 'this.debit(Math.max(0, fullMs - nowMs) / this.#everyMs, nowMs);', ''),
  of('L1', 'policy/sliding-window.ts', 'for (const booking of taken) this.#take(booking);', ''),
  of('L1', snapshot, 'now.nowMs - Math.max(agoMs + sinceMs, -aheadMs)', 'now.nowMs - Math.max(2 * agoMs + 2 * sinceMs, -aheadMs)'),
  of('L1', snapshot, 'atMs: now.nowMs - Math.max(agoMs + sinceMs, -aheadMs)', 'atMs: now.nowMs - 1e6'),
  of('L1', callee, 'Math.max(this.#pausedUntilMs, this.#quotas.opensMs(cost, nowMs))', 'this.#quotas.opensMs(cost, nowMs)'),
  of('L1', callee, 'Math.max(this.#pausedUntilMs, this.#quotas.opensMs(cost, nowMs))', 'this.#pausedUntilMs'),
  of('L1', callee, 'return Math.min(limit * this.#rate.share, this.#quotas.rate * periodMs);', 'return limit * this.#rate.share;'),
  of(
    'L1',
    callee,
    'return Math.min(limit * this.#rate.share, this.#quotas.rate * periodMs);',
    'return Math.min(limit, this.#quotas.rate * periodMs);',
  ),
  of('L1', quotas, 'remaining - (this.#started - this.#ended);', 'remaining;'),
  of('L1', sending, 'Math.max(FLOOR * this.#full, KEPT * this.#peak)', 'KEPT * this.#peak'),
  of('L1', sending, 'if (cubic >= this.#full) this.#rate = this.#full;', 'if (cubic >= this.#full) this.#rate = cubic;'),
  of('L1', 'rate-limiter/adaptive-layer.ts', 'this.#callee.pause(nowMs + pausedMs);', ''),
  of('L3', limiter, 'this.queue.refuseFirst(error);', ''),
  of('L3', limiter, "this.#rules.overflow === 'reject' || oldest === undefined", 'oldest !== undefined'),
  of('L3', limiter, "rules.overflow === 'dropOldest' ? this.line.size - rules.maxQueue : 0", '0'),
];

const failing: readonly Mutation[] = [
  of('F1', 'policy/run-operation.ts', 'if (isObject(result) && !(result instanceof Promise)) result = adopted(result);', ''),
  of('F1', 'policy/run-operation.ts', 'failed(error);\n    return null;', 'throw error;'),
  of('F1', machine, 'this.failNow(error);\n      return false;\n    }\n  }\n\n  /** Looked', 'throw error;\n    }\n  }\n\n  /** Looked'),
  of(
    'F2',
    'errors/check-options.ts',
    'if (value !== undefined && !check.accepts(value)) throw',
    'if (value !== undefined && value === check) throw',
  ),
  of('F2', 'errors/check-options.ts', 'if (!Object.hasOwn(checks, key)) {', 'if (key === undefined) {'),
  of('F3', state, 'return inert(this.options.name', 'return String(this.options.name'),
  of('F3', state, 'slot.channel.publish({ type,', 'slot.channel.publish({ options: this.options, type,'),
];

/** At least one for each law that the engine and its policies keep. */
export const MUTATIONS: readonly Mutation[] = [
  ...cancellation,
  ...time,
  ...permits,
  ...retrying,
  ...breaking,
  ...limiting,
  ...relimiting,
  ...failing,
];

/** The laws of docs/design.md that are tested here: C, T, P, R, B, L, F. */
export const LAWS: readonly string[] = [
  ...['C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'C7', 'C8'],
  ...['T1', 'T2', 'T3', 'T4', 'T5'],
  ...['P1', 'P2', 'P3', 'P4', 'P5'],
  ...['R1', 'R2', 'R3', 'R4', 'R5', 'R6', 'R7'],
  ...['B1', 'B2', 'B3', 'B4', 'B5', 'B6', 'B7'],
  ...['L1', 'L2', 'L3'],
  ...['F1', 'F2', 'F3'],
];
