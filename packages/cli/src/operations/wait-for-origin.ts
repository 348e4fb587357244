import { isKeelsonError, OUTCOME, type Outcome, type Policy, policyFrom } from 'keelson';
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

/**
 * Waits, inside an attempt, until the origin's breaker lets the call through: a refusal by an open breaker is no attempt, so that an outage
 * costs a job its time and not its attempts. Fails with a {@link GaveUpError} once that has taken `giveUpAfterMs`.
 */
export function waitForOrigin(parking: ParkingLot, giveUpAfterMs: number): Policy<never, GaveUpError> {
  return policyFrom<never, GaveUpError>('wait-for-origin', async (operation, { parent, signal, keys }) => {
    const origin = keys?.['origin'];
    if (parent === undefined || signal === undefined || origin === undefined)
      throw new TypeError('a call has a parent, a signal and an origin');
    let sinceMs: number | undefined;
    for (;;) {
      try {
        return await operation(parent);
      } catch (error) {
        if (!isKeelsonError(error, 'ERR_CIRCUIT_OPEN')) throw error;
      } finally {
        parking.changed(origin);
      }
      sinceMs ??= nowMs();
      if (!(await parking.wait(origin, sinceMs, signal))) throw new GaveUpError(origin, giveUpAfterMs);
    }
  });
}
