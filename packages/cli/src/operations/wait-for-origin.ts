import { isKeelsonError, OUTCOME, type Outcome, type Policy, policyFrom } from 'keelson';
import { nowMs, pause } from '../runtime/host-time.ts';
import type { RunStatistics } from '../runtime/run-statistics.ts';

const NOT_TO_BE_RETRIED: Outcome = { kind: 'permanent', origin: 'local' };

/** A job has waited for its origin for as long as it may. */
export class GaveUpError extends Error {
  readonly code = 'ERR_GAVE_UP';

  constructor(cause: Error) {
    super(`gave up waiting for the origin: ${cause.message}`, { cause });
    this.name = 'GaveUpError';
    Object.defineProperty(this, OUTCOME, { value: NOT_TO_BE_RETRIED });
  }
}

/** An open breaker may close before it said, so nobody waits longer than this without asking again. */
const MAX_PAUSE_MS = 1000;

/**
 * Waits, inside an attempt, until the origin's breaker lets the call through: a refusal by an open breaker is no attempt, so that an outage
 * costs a job its time and not its attempts. Fails with a {@link GaveUpError} once that has taken `giveUpAfterMs`.
 */
export function waitForOrigin(giveUpAfterMs: number, statistics: RunStatistics): Policy<never, GaveUpError> {
  return policyFrom<never, GaveUpError>('wait-for-origin', async (operation, { parent, signal }) => {
    if (parent === undefined || signal === undefined) throw new TypeError('the engine gives every call a parent and a signal');
    let sinceMs: number | undefined;
    for (;;) {
      try {
        return await operation(parent);
      } catch (error) {
        if (!isKeelsonError(error, 'ERR_CIRCUIT_OPEN')) throw error;
        sinceMs ??= nowMs();
        const pauseMs = Math.min(error.retryAfterMs ?? MAX_PAUSE_MS, MAX_PAUSE_MS);
        if (nowMs() - sinceMs + pauseMs > giveUpAfterMs) throw new GaveUpError(error);
        statistics.waitingForOrigin++;
        try {
          await pause(pauseMs, signal);
        } finally {
          statistics.waitingForOrigin--;
        }
      }
    }
  });
}
