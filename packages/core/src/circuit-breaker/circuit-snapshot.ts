import { type Check, type Checks, oneOf, wholeNumber } from '../errors/check-options.ts';
import { checkSnapshot, elapsedMs, type Snapshot } from '../policy/snapshot.ts';
import { type CircuitState, isStable, openMs, type RecoveryRules } from './circuit-state.ts';

/** A circuit as {@link CircuitBreaker.snapshot} gives it, for another process or a later time. What it counts is not part of it. */
export interface CircuitBreakerSnapshot extends Snapshot<'circuit-breaker'> {
  /** An isolated circuit's is `'closed'`: who isolated it is not there any more. */
  readonly state: 'closed' | 'open' | 'half-open';
  /** How much longer it stays open, or, closed, until it is stable; else 0. */
  readonly remainingMs: number;
  /** How often it has opened without having been stable in between. */
  readonly openedInRow: number;
  /** What the failure that opened it last asked for; 0 for nothing. */
  readonly askedMs: number;
}

const notNegative: Check = { expected: 'a number of at least 0', accepts: (value) => Number.isFinite(value) && (value as number) >= 0 };

const CHECKS: Checks<Omit<CircuitBreakerSnapshot, keyof Snapshot<string>>> = {
  state: oneOf('closed', 'open', 'half-open'),
  remainingMs: notNegative,
  openedInRow: wholeNumber({ min: 0 }),
  askedMs: notNegative,
};

const STABLE = { state: 'closed', remainingMs: 0, openedInRow: 0, askedMs: 0 } as const;

/** What is worth keeping of `state`. */
export function remembered(state: CircuitState, nowMs: number, rules: RecoveryRules): Omit<CircuitBreakerSnapshot, keyof Snapshot<string>> {
  if (state.kind === 'isolated') return STABLE;
  const { inRow: openedInRow, askedMs } = state.opening;
  if (state.kind === 'half-open') return { state: 'half-open', remainingMs: 0, openedInRow, askedMs };
  if (state.kind !== 'open' && isStable(state, nowMs, rules)) return STABLE;
  const remainingMs = Math.max(0, state.sinceMs + openMs(state.opening, rules) - nowMs);
  return { state: state.kind === 'open' ? 'open' : 'closed', remainingMs, openedInRow, askedMs };
}

/**
 * The state that `snapshot` tells of, as the next of `current`: in a generation of its own, so that no result from before counts. It lasts no longer than
 * `rules` allow, whatever the snapshot says.
 */
export function restored(
  current: CircuitState,
  snapshot: CircuitBreakerSnapshot,
  now: { readonly nowMs: number; readonly epochMs: number },
  rules: RecoveryRules,
): CircuitState {
  const opening = { inRow: snapshot.openedInRow, chance: 0, askedMs: snapshot.askedMs };
  const era = { generation: current.generation + 1, probes: current.probes, opened: current.opened, opening };
  if (snapshot.state === 'half-open') return { kind: 'half-open', ...era, successes: 0 };
  const lastsMs = openMs(opening, rules);
  const leftMs = Math.min(lastsMs, Math.max(0, snapshot.remainingMs - elapsedMs(snapshot, now.epochMs)));
  const sinceMs = now.nowMs + leftMs - lastsMs;
  if (snapshot.state === 'open') return { kind: 'open', ...era, sinceMs };
  const isRamping = rules.rampUp > 0 && opening.inRow > 0;
  return isRamping ? { kind: 'ramping', ...era, sinceMs, successes: 0, inFlight: 0 } : { kind: 'closed', ...era, sinceMs };
}

/** Throws ERR_OPTION for what is no snapshot of a circuit breaker. */
export function checkCircuitSnapshot(snapshot: CircuitBreakerSnapshot): void {
  checkSnapshot<CircuitBreakerSnapshot>('circuitBreaker.restore', 'circuit-breaker', snapshot, CHECKS);
}
