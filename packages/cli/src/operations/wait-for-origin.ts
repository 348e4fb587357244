import { type Call, type ExecuteOptions, isKeelsonError, type Operation, OUTCOME, type Outcome, type Policy, policyFrom } from 'keelson';
import { formatRoughTime } from '../runtime/format-numbers.ts';
import { nowMs } from '../runtime/host-time.ts';
import type { ParkingLot } from './parking-lot.ts';

const NOT_TO_BE_RETRIED: Outcome = { kind: 'permanent', origin: 'local' };

/** A job has waited for its origin for as long as it may. */
export class GaveUpError extends Error {
  readonly code = 'ERR_GAVE_UP';

  constructor(origin: string, giveUpAfterMs: number) {
    super(`gave up after ${formatRoughTime(giveUpAfterMs / 1000)}: the breaker of ${origin} lets no call through`);
    this.name = 'GaveUpError';
    Object.defineProperty(this, OUTCOME, { value: NOT_TO_BE_RETRIED });
  }
}

/** A job finds the breaker of its origin open, and is to be parked. */
export class OriginDownError extends Error {
  constructor() {
    super('the origin is down');
    this.name = 'OriginDownError';
    Object.defineProperty(this, OUTCOME, { value: NOT_TO_BE_RETRIED });
  }
}

/** Ends a job's attempts with an {@link OriginDownError} where its origin's breaker is open: such a refusal is no attempt. */
export function leaveOrigin(parking: ParkingLot): Policy<never, OriginDownError> {
  return policyFrom<never, OriginDownError>('leave-origin', async (operation, options) => {
    const outcome = await attempted(operation, options, parking);
    if (outcome === REFUSED) throw new OriginDownError();
    return outcome.value;
  });
}

/**
 * Waits, inside an attempt, until the origin's breaker lets the call through: a refusal by an open breaker is no attempt, so that an outage
 * costs a job its time and not its attempts. Fails with a {@link GaveUpError} once that has taken `giveUpAfterMs`.
 */
export function waitForOrigin(parking: ParkingLot, giveUpAfterMs: number): Policy<never, GaveUpError> {
  return policyFrom<never, GaveUpError>('wait-for-origin', async (operation, options) => {
    let untilMs: number | undefined;
    for (;;) {
      const outcome = await attempted(operation, options, parking);
      if (outcome !== REFUSED) return outcome.value;
      const { origin, signal } = placeOf(options);
      untilMs ??= nowMs() + giveUpAfterMs;
      if (!(await parking.wait(origin, untilMs, signal))) throw new GaveUpError(origin, giveUpAfterMs);
    }
  });
}

const REFUSED = Symbol('refused by an open breaker');

/** What the operation comes to under the breaker of its origin; the parking lot is told that this may have changed. */
async function attempted<T>(
  operation: Operation<T>,
  options: ExecuteOptions,
  parking: ParkingLot,
): Promise<{ readonly value: T } | typeof REFUSED> {
  const { parent, origin } = placeOf(options);
  try {
    return { value: await operation(parent) };
  } catch (error) {
    if (isKeelsonError(error, 'ERR_CIRCUIT_OPEN')) return REFUSED;
    throw error;
  } finally {
    parking.changed(origin);
  }
}

function placeOf({ parent, signal, keys }: ExecuteOptions): {
  readonly parent: Call;
  readonly signal: AbortSignal;
  readonly origin: string;
} {
  const origin = keys?.['origin'];
  if (parent === undefined || signal === undefined || origin === undefined)
    throw new TypeError('a call has a parent, a signal and an origin');
  return { parent, signal, origin };
}
