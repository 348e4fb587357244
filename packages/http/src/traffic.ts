import type { StatusKind } from './status-outcome.ts';

/** What one client has put on the wire. Every exchange counts itself, retries included. */
export class Traffic {
  /** Responses by what their status says. */
  readonly responses: Record<StatusKind, number> = { ok: 0, transient: 0, throttled: 0, overloaded: 0, permanent: 0 };
  /** Exchanges begun. */
  started = 0;
  /** Waiting for a connection or for the head of their response. */
  awaitingHead = 0;
  /** Whose head has come and whose last byte has not. */
  openBodies = 0;
  /** That failed before or within their response. */
  failed = 0;
  /** That somebody here stopped before their end. */
  abandoned = 0;
  receivedBytes = 0;
}
