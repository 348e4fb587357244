import { KeelsonError } from '../errors/keelson-error.ts';
import { withoutStack } from '../errors/without-stack.ts';
import { formatMs } from '../time/duration.ts';
import { type CircuitState, type Closed, type RecoveryRules, rampLimit, retryAfterMs } from './circuit-state.ts';

/** The state of a circuit. */
export type CircuitStateName = 'closed' | 'open' | 'half-open' | 'isolated';

/**
 * A circuit lets a call not through: it is open, half-open with all its probes out, closed so lately that only a few calls may be in flight, or isolated.
 * `state` says which, `reason` why it is isolated, `retryAfterMs` when a call may be let through, where that is known: not while it is isolated. The
 * operation was not started. It has no stack trace, which would be most of what a refusal costs.
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
 * assert.equal(error.state, 'open');
 * assert(error.retryAfterMs !== undefined && error.retryAfterMs <= 30_000);
 */
export class CircuitOpenError extends KeelsonError {
  declare readonly state: CircuitStateName;
  declare readonly reason: string | undefined;

  constructor(
    message: string,
    details: {
      readonly policy: string;
      readonly operation: string;
      readonly state: CircuitStateName;
      readonly reason?: string | undefined;
      readonly retryAfterMs?: number | undefined;
    },
  ) {
    super('ERR_CIRCUIT_OPEN', message, details);
    this.state = details.state;
    this.reason = details.reason;
  }
}

Object.defineProperty(CircuitOpenError.prototype, 'name', { value: 'CircuitOpenError', writable: true, configurable: true });

/** What the state is called outside: a circuit that ramps up is closed. */
export function nameOf({ kind }: CircuitState): CircuitStateName {
  return kind === 'ramping' ? 'closed' : kind;
}

/** A state that may refuse a call. */
type Refusing = Exclude<CircuitState, Closed>;

/** Who refuses whom. */
interface Refusal {
  readonly policy: string;
  readonly operation: string;
  /** What the circuit opens on. */
  readonly rule: string;
}

/** What a call is refused with at `nowMs` by a circuit in `state`, whose rules are `rules`. */
export function refusal({ policy, operation, rule }: Refusal, state: Refusing, nowMs: number, rules: RecoveryRules): CircuitOpenError {
  const afterMs = retryAfterMs(state, nowMs, rules);
  const reason = state.kind === 'isolated' ? state.holds[0]?.reason : undefined;
  const advice = afterMs === undefined ? '' : `; try again in ${formatMs(afterMs)}`;
  const message = `${operation} was refused: ${policy} ${condition(state, nowMs, rule, rules)}${advice}`;
  return withoutStack(() => new CircuitOpenError(message, { policy, operation, state: nameOf(state), reason, retryAfterMs: afterMs }));
}

function condition(state: Refusing, nowMs: number, rule: string, rules: RecoveryRules): string {
  switch (state.kind) {
    case 'isolated':
      return `is isolated: ${state.holds.map(({ reason }) => reason).join(', ')}`;
    case 'open':
      return `is open (it opens on ${rule})`;
    case 'half-open':
      return 'is half-open, and its probes are out';
    case 'ramping':
      return `has just closed, and lets ${rampLimit(state, nowMs, rules)} at once through`;
  }
}
