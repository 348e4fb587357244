import type { Outcome, OutcomeKind } from 'keelson';
import { quotasIn } from './rate-limit-headers.ts';
import type { ResponseHeaders } from './response-headers.ts';
import { parseRetryAfter } from './retry-after.ts';

/** The kinds of outcome a status can stand for. */
export type StatusKind = Exclude<OutcomeKind, 'cancelled'>;

const TOO_MANY_REQUESTS = 429;
const SERVICE_UNAVAILABLE = 503;
/** Request Timeout and Too Early: the client is asked to send the same once more. */
const ASKED_AGAIN: ReadonlySet<number> = new Set([408, 425]);

/** What a status says about the call: whether it did what it should, and whether another try may. */
export function kindOfStatus(status: number): StatusKind {
  if (status < 400) return 'ok';
  if (status === TOO_MANY_REQUESTS) return 'throttled';
  if (status === SERVICE_UNAVAILABLE) return 'overloaded';
  return status >= 500 || ASKED_AGAIN.has(status) ? 'transient' : 'permanent';
}

const OK: Outcome = Object.freeze({ kind: 'ok', origin: 'remote' });
const PERMANENT: Outcome = Object.freeze({ kind: 'permanent', origin: 'remote' });

/** The outcome of a response, with the wait its Retry-After asks for where another try makes sense, and the quotas that its headers tell of. */
export function outcomeOf(status: number, headers: ResponseHeaders): Outcome {
  const outcome = outcomeOfStatus(status, headers['retry-after']);
  const quotas = quotasIn(headers);
  return quotas.length === 0 ? outcome : Object.freeze({ ...outcome, quotas: Object.freeze(quotas) });
}

function outcomeOfStatus(status: number, retryAfter: string | readonly string[] | undefined): Outcome {
  const kind = kindOfStatus(status);
  if (kind === 'ok') return OK;
  return kind === 'permanent' ? PERMANENT : Object.freeze({ kind, origin: 'remote', retryAfterMs: parseRetryAfter(retryAfter) });
}
