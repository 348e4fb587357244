/** One call let through by a half-open circuit. Its place is bounded in time, so that one that hangs does not block the circuit for ever (law B2). */
export interface Probe {
  readonly generation: number;
  readonly sinceMs: number;
  /** When its operation started, from when on it may become slow; Infinity until then. */
  startedMs: number;
  /** Whether its outcome is still to come: neither is it known, nor has its caller given it up. */
  isAwaited: boolean;
}

/** One reason why a circuit is isolated; as many as there are handles. */
export interface Hold {
  readonly reason: string;
}

/** What the length of an opening goes by. */
export interface Opening {
  /** How often the circuit has opened without having been stable in between, this time included; 0 where it was never open. */
  readonly inRow: number;
  /** For the jitter: at or above 0, below 1. */
  readonly chance: number;
  /** What the failure that opened it asked for; 0 where it asked for nothing. */
  readonly askedMs: number;
}

/** What every state has. It says what has happened; what that means is a matter of the rules, so that new ones are in force at once. */
interface Era {
  /** What began in an older one no longer counts (law B1). */
  readonly generation: number;
  /** Whose work has not ended and whose lease is not over, in whatever generation they were let through (law C8). Oldest first. */
  readonly probes: readonly Probe[];
  /** The last one. */
  readonly opening: Opening;
  /** How often it has opened, ever. */
  readonly opened: number;
}

/** Calls pass, and their outcomes count. */
export interface Closed extends Era {
  readonly kind: 'closed';
  readonly sinceMs: number;
}

/** Closed a short while ago: calls pass, a few at first, then more and more (law B3). The same generation goes on when it is over. */
export interface Ramping extends Era {
  readonly kind: 'ramping';
  readonly sinceMs: number;
  readonly successes: number;
  /** Calls of this generation whose work has not ended. */
  readonly inFlight: number;
}

/** Calls are refused for a while. */
export interface Open extends Era {
  readonly kind: 'open';
  readonly sinceMs: number;
}

/** A few calls are let through to see. */
export interface HalfOpen extends Era {
  readonly kind: 'half-open';
  readonly successes: number;
}

/** Calls are refused until every hold has been let go. */
export interface Isolated extends Era {
  readonly kind: 'isolated';
  /** Oldest first. */
  readonly holds: readonly Hold[];
}

/** A circuit: each state with its own data only. */
export type CircuitState = Closed | Ramping | Open | HalfOpen | Isolated;

/** How a circuit recovers. */
export interface RecoveryRules {
  readonly recoveryTimeoutMs: number;
  readonly recoveryFactor: number;
  readonly maxRecoveryTimeoutMs: number;
  readonly recoveryJitter: number;
  readonly successThreshold: number;
  readonly maxProbes: number;
  readonly probeLeaseMs: number;
  /** How long a call may take before it is slow; Infinity where none is. */
  readonly slowCallMs: number;
  readonly rampUp: number;
}

const NEVER: Opening = { inRow: 0, chance: 0, askedMs: 0 };

/** The state of a circuit that was never used. */
export const INITIAL: Closed = { kind: 'closed', generation: 1, probes: [], opening: NEVER, opened: 0, sinceMs: 0 };

/**
 * How long a circuit stays open: longer each time, up to a maximum, then shortened by chance (law B6; first the cap, then the jitter); never shorter
 * than what was asked for, which the maximum bounds as well. A circuit that has been closed for as long is stable.
 */
export function openMs({ inRow, chance, askedMs }: Opening, rules: RecoveryRules): number {
  const { recoveryTimeoutMs, recoveryFactor, maxRecoveryTimeoutMs, recoveryJitter } = rules;
  const grownMs = Math.min(maxRecoveryTimeoutMs, recoveryTimeoutMs * recoveryFactor ** Math.max(0, inRow - 1));
  return Math.max(grownMs * (1 - recoveryJitter * chance), Math.min(askedMs, maxRecoveryTimeoutMs));
}

/** Whether it has stayed closed so long that its openings are forgotten. */
export function isStable({ opening, sinceMs }: Closed | Ramping, nowMs: number, rules: RecoveryRules): boolean {
  return opening.inRow === 0 || nowMs - sinceMs >= openMs(opening, rules);
}

/** The circuit, opened at `atMs`. */
export function open(state: CircuitState, atMs: number, cause: Omit<Opening, 'inRow'>, rules: RecoveryRules): Open {
  const isFirst = (state.kind === 'closed' || state.kind === 'ramping') && isStable(state, atMs, rules);
  const opening = { ...cause, inRow: isFirst ? 1 : state.opening.inRow + 1 };
  return { kind: 'open', ...next(state), opening, opened: state.opened + 1, sinceMs: atMs };
}

/** The circuit, closed at `atMs`. */
function close(state: CircuitState, atMs: number, opening: Opening, rules: RecoveryRules): Closed | Ramping {
  const era = { ...next(state), opening, sinceMs: atMs };
  return rules.rampUp === 0 ? { kind: 'closed', ...era } : { kind: 'ramping', ...era, successes: 0, inFlight: 0 };
}

/** Of a new generation, all but the opening. */
const next = ({ generation, probes, opened }: CircuitState): Omit<Era, 'opening'> => ({ generation: generation + 1, probes, opened });

/** By when a probe has to have answered: one that is slow has failed as well as one whose lease is over. */
const answerByMs = ({ sinceMs, startedMs }: Probe, { probeLeaseMs, slowCallMs }: RecoveryRules): number =>
  Math.min(sinceMs + probeLeaseMs, startedMs + slowCallMs);

/**
 * The next thing that the time up to `nowMs` has brought about by itself, the same object where that is nothing. An awaited probe whose time is over
 * has failed at that moment, whenever it is noticed; `chance` is for the opening that follows from it.
 */
export function passTime(state: CircuitState, nowMs: number, chance: number, rules: RecoveryRules): CircuitState {
  const probes = state.probes.filter(({ sinceMs }) => sinceMs + rules.probeLeaseMs > nowMs);
  if (state.kind === 'open' && nowMs >= state.sinceMs + openMs(state.opening, rules)) {
    return { kind: 'half-open', ...next(state), probes, opening: state.opening, successes: 0 };
  }
  if (state.kind === 'ramping' && rampLimit(state, nowMs, rules) > rules.rampUp) return endOfRamp(state);
  const lost = state.probes.find((probe) => answerByMs(probe, rules) <= nowMs && isCurrent(state, probe));
  if (lost !== undefined) return open({ ...state, probes }, answerByMs(lost, rules), { chance, askedMs: 0 }, rules);
  return probes.length === state.probes.length ? state : { ...state, probes };
}

/** One more probe; undefined where all places are taken. */
export function admit(
  state: HalfOpen,
  nowMs: number,
  rules: RecoveryRules,
): { readonly state: HalfOpen; readonly probe: Probe } | undefined {
  if (state.probes.length >= rules.maxProbes) return undefined;
  const probe: Probe = { generation: state.generation, sinceMs: nowMs, startedMs: Number.POSITIVE_INFINITY, isAwaited: true };
  return { state: { ...state, probes: [...state.probes, probe] }, probe };
}

/** Whether the outcome of `probe` counts. */
export function isCurrent(state: CircuitState, probe: Probe): state is HalfOpen {
  return state.kind === 'half-open' && probe.isAwaited && probe.generation === state.generation;
}

export function probeSucceeded(state: HalfOpen, nowMs: number, rules: RecoveryRules): CircuitState {
  const successes = state.successes + 1;
  return successes < rules.successThreshold ? { ...state, successes } : close(state, nowMs, state.opening, rules);
}

/** All work of `probe` has ended: its place is free. */
export function probeEnded(state: CircuitState, probe: Probe): CircuitState {
  return { ...state, probes: state.probes.filter((other) => other !== probe) };
}

/**
 * How many calls may be in flight: one, and one more for each success, or for each `rampUp`-th part of the time after which the circuit is stable,
 * whichever are more. The ramp is over when the limit is above `rampUp`.
 */
export function rampLimit({ successes, sinceMs, opening }: Ramping, nowMs: number, rules: RecoveryRules): number {
  const steps = Math.floor(((nowMs - sinceMs) / openMs(opening, rules)) * rules.rampUp);
  return 1 + Math.max(successes, steps);
}

/** One more call; undefined where as many are in flight as may be. */
export function admitRamped(state: Ramping, nowMs: number, rules: RecoveryRules): Ramping | undefined {
  return state.inFlight < rampLimit(state, nowMs, rules) ? { ...state, inFlight: state.inFlight + 1 } : undefined;
}

export function rampSucceeded(state: Ramping, rules: RecoveryRules): Closed | Ramping {
  const ramped = { ...state, successes: state.successes + 1 };
  return ramped.successes < rules.rampUp ? ramped : endOfRamp(ramped);
}

/** All work of a call of this generation has ended. */
export function rampCallEnded(state: Ramping): Ramping {
  return { ...state, inFlight: state.inFlight - 1 };
}

const endOfRamp = ({ successes: _successes, inFlight: _inFlight, ...era }: Ramping): Closed => ({ ...era, kind: 'closed' });

/** One more hold. */
export function isolate(state: CircuitState, hold: Hold): Isolated {
  if (state.kind === 'isolated') return { ...state, holds: [...state.holds, hold] };
  return { kind: 'isolated', ...next(state), opening: NEVER, holds: [hold] };
}

/** One hold less. With the last one the circuit closes as after probes, and as if it had never been open. */
export function letGo(state: Isolated, hold: Hold, atMs: number, rules: RecoveryRules): CircuitState {
  const holds = state.holds.filter((other) => other !== hold);
  return holds.length > 0 ? { ...state, holds } : close(state, atMs, NEVER, rules);
}

/**
 * When a call that is refused now may be let through; 0 where none would be refused, undefined where nobody knows. Never a whole lease that is longer
 * than the circuit would stay open: whoever sleeps on it would miss that a probe came back early (law B3). In a ramp: the time that one more place takes
 * without any success.
 */
export function retryAfterMs(state: CircuitState, nowMs: number, rules: RecoveryRules): number | undefined {
  switch (state.kind) {
    case 'isolated':
      return undefined;
    case 'open':
      return Math.max(0, state.sinceMs + openMs(state.opening, rules) - nowMs);
    case 'half-open': {
      const [oldest] = state.probes;
      if (oldest === undefined || state.probes.length < rules.maxProbes) return 0;
      return Math.max(0, Math.min(oldest.sinceMs + rules.probeLeaseMs - nowMs, rules.recoveryTimeoutMs));
    }
    case 'ramping':
      return state.inFlight < rampLimit(state, nowMs, rules) ? 0 : openMs(state.opening, rules) / rules.rampUp;
    case 'closed':
      return 0;
  }
}
