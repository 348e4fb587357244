/** One call let through by a half-open circuit. Its place is bounded in time, so that one that hangs does not block the circuit for ever (law B2). */
export interface Probe {
  readonly generation: number;
  /** When its lease ends. */
  readonly untilMs: number;
  /** Whether its outcome is still to come: neither is it known, nor has its caller given it up. */
  isAwaited: boolean;
}

/** What every state has. Every change of kind is a new generation; what began in an older one no longer counts (law B1). */
interface Era {
  readonly generation: number;
  /** Whose work has not ended and whose lease is not over, in whatever generation they were let through (law C8). Oldest first. */
  readonly probes: readonly Probe[];
}

/** Calls pass, and their outcomes count. */
export interface Closed extends Era {
  readonly kind: 'closed';
}

/** Calls are refused until then. */
export interface Open extends Era {
  readonly kind: 'open';
  readonly untilMs: number;
}

/** A few calls are let through to see. */
export interface HalfOpen extends Era {
  readonly kind: 'half-open';
  readonly successes: number;
}

/** A circuit: each state with its own data only. */
export type CircuitState = Closed | Open | HalfOpen;

/** How a circuit recovers. */
export interface RecoveryRules {
  readonly recoveryTimeoutMs: number;
  readonly successThreshold: number;
  readonly maxProbes: number;
  readonly probeLeaseMs: number;
}

/** The state of a circuit that was never used. */
export const INITIAL: Closed = { kind: 'closed', generation: 1, probes: [] };

/** The circuit, opened at `atMs`. */
export function open({ generation, probes }: CircuitState, atMs: number, rules: RecoveryRules): Open {
  return { kind: 'open', generation: generation + 1, probes, untilMs: atMs + rules.recoveryTimeoutMs };
}

/**
 * The next thing that the time up to `nowMs` has brought about by itself, the same object where that is nothing. An awaited probe whose lease is over
 * has failed at that moment, whenever it is noticed.
 */
export function passTime(state: CircuitState, nowMs: number, rules: RecoveryRules): CircuitState {
  const probes = state.probes.filter(({ untilMs }) => untilMs > nowMs);
  if (state.kind === 'open' && nowMs >= state.untilMs) {
    return { kind: 'half-open', generation: state.generation + 1, probes, successes: 0 };
  }
  const lost = state.probes.find((probe) => probe.untilMs <= nowMs && isCurrent(state, probe));
  if (lost !== undefined) return open({ ...state, probes }, lost.untilMs, rules);
  return probes.length === state.probes.length ? state : { ...state, probes };
}

/** One more probe; undefined where all places are taken. */
export function admit(
  state: HalfOpen,
  nowMs: number,
  rules: RecoveryRules,
): { readonly state: HalfOpen; readonly probe: Probe } | undefined {
  if (state.probes.length >= rules.maxProbes) return undefined;
  const probe: Probe = { generation: state.generation, untilMs: nowMs + rules.probeLeaseMs, isAwaited: true };
  return { state: { ...state, probes: [...state.probes, probe] }, probe };
}

/** Whether the outcome of `probe` counts. */
export function isCurrent(state: CircuitState, probe: Probe): state is HalfOpen {
  return state.kind === 'half-open' && probe.isAwaited && probe.generation === state.generation;
}

export function probeSucceeded(state: HalfOpen, rules: RecoveryRules): HalfOpen | Closed {
  const { generation, probes } = state;
  const successes = state.successes + 1;
  return successes < rules.successThreshold ? { ...state, successes } : { kind: 'closed', generation: generation + 1, probes };
}

/** All work of `probe` has ended: its place is free. */
export function probeEnded(state: CircuitState, probe: Probe): CircuitState {
  return { ...state, probes: state.probes.filter((other) => other !== probe) };
}

/**
 * When a call that is refused now may be let through; 0 where none would be refused. Never a whole lease that is longer than the circuit would
 * stay open: whoever sleeps on it would miss that a probe came back early (law B3).
 */
export function retryAfterMs(state: CircuitState, nowMs: number, rules: RecoveryRules): number {
  if (state.kind === 'open') return Math.max(0, state.untilMs - nowMs);
  const [oldest] = state.probes;
  if (state.kind === 'closed' || oldest === undefined || state.probes.length < rules.maxProbes) return 0;
  return Math.max(0, Math.min(oldest.untilMs - nowMs, rules.recoveryTimeoutMs));
}
