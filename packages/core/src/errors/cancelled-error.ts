import { KeelsonError, type KeelsonErrorDetails } from './keelson-error.ts';

/** Why something was cancelled. */
export type CancelKind =
  | 'deadline'
  | 'parent'
  | 'sibling-failed'
  | 'body-failed'
  | 'winner'
  | 'shutdown'
  | 'daemon-stop'
  | 'explicit'
  | 'discarded'
  | 'grace-expired';

/**
 * The reason of a cancellation that Keelson itself decided. A caller's own reason is never replaced by one (law C1).
 *
 * `name` is `'AbortError'`, so that libraries which look for an abort find one; `code` is `'ERR_CANCELLED'`.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { CancelledError, ctx } from 'keelson';
 *
 * const stop = new CancelledError('explicit', 'the user pressed stop');
 * const error = await ctx.scope('report', async (scope) => {
 *   scope.cancel(stop);
 *   await scope.sleep('1h');
 * }).catch((e: unknown) => e);
 * assert.equal(error, stop);
 * assert.equal(stop.kind, 'explicit');
 */
export class CancelledError extends KeelsonError {
  declare readonly kind: CancelKind;

  constructor(kind: CancelKind, message: string, details?: KeelsonErrorDetails) {
    super('ERR_CANCELLED', message, details);
    this.kind = kind;
  }
}

Object.defineProperty(CancelledError.prototype, 'name', { value: 'AbortError', writable: true, configurable: true });
