import type { ErrorCode } from '../errors/error-codes.ts';
import { isKeelsonError } from '../errors/keelson-error.ts';

/**
 * What an attempt came to.
 *
 * - `ok`: it did what it should;
 * - `transient`: another try may succeed;
 * - `throttled`: the callee asks for fewer calls;
 * - `overloaded`: the callee has no room;
 * - `permanent`: another try will fail the same way;
 * - `cancelled`: nobody wants it any more.
 */
export type OutcomeKind = 'ok' | 'transient' | 'throttled' | 'overloaded' | 'permanent' | 'cancelled';

/** What a callee says one may still ask of it. Plain enough for JSON. */
export interface CalleeQuota {
  /** What is counted, by the name that a limiter's `cost` has. Absent: calls. */
  readonly cost?: string | undefined;
  /** Which one, where the callee has several of the kind. */
  readonly name?: string | undefined;
  /** How many of them are left. */
  readonly remaining: number;
  /** In how many milliseconds there will be more. */
  readonly resetMs: number;
  /** The callee's policy: so many in `periodMs`. */
  readonly limit?: number | undefined;
  readonly periodMs?: number | undefined;
}

/** The class of what an attempt ended with: what retries, breakers and limits decide by. */
export interface Outcome {
  readonly kind: OutcomeKind;
  /** `'local'`: decided in this process before the callee was asked; says nothing about the callee, so breakers and limits ignore it. */
  readonly origin: 'local' | 'remote';
  /** In how many milliseconds another try may succeed, where that was said. */
  readonly retryAfterMs?: number | undefined;
  /** What the callee says it would still take, where that was said: a `rateLimit` that is `adaptive` heeds it. */
  readonly quotas?: readonly CalleeQuota[] | undefined;
}

/** How an attempt ended. */
export type Settled = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

/** Says what an attempt came to; `compose(…, { classify })` takes one in place of {@link classify}. */
export type Classify = (settled: Settled) => Outcome;

/**
 * The property by which an error or a result says what it is: an {@link Outcome}, or a part of one with at least `kind` (`origin` is then
 * `'remote'`). The same symbol in every copy of the package.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { OUTCOME, withRetry } from 'keelson';
 *
 * class NotFound extends Error {
 *   readonly [OUTCOME] = { kind: 'permanent' } as const;
 * }
 * let calls = 0;
 * await assert.rejects(withRetry(() => { calls++; throw new NotFound(); }, { maxAttempts: 5 }), NotFound);
 * assert.equal(calls, 1);
 */
export const OUTCOME: unique symbol = Symbol.for('keelson.outcome');

const OK: Outcome = Object.freeze({ kind: 'ok', origin: 'remote' });
const UNKNOWN_ERROR: Outcome = Object.freeze({ kind: 'transient', origin: 'remote' });

const KINDS: ReadonlySet<unknown> = new Set<OutcomeKind>(['ok', 'transient', 'throttled', 'overloaded', 'permanent', 'cancelled']);

/** A timeout is the callee's doing; all else that Keelson decides, it decides before or without the callee. */
const OWN: { readonly [code in ErrorCode]: Outcome } = {
  ERR_TIMEOUT: UNKNOWN_ERROR,
  ERR_CANCELLED: Object.freeze({ kind: 'cancelled', origin: 'local' }),
  ERR_CIRCUIT_OPEN: Object.freeze({ kind: 'overloaded', origin: 'local' }),
  ERR_BULKHEAD_FULL: Object.freeze({ kind: 'overloaded', origin: 'local' }),
  ERR_RATE_LIMITED: Object.freeze({ kind: 'throttled', origin: 'local' }),
  ERR_SCOPE_CLOSED: Object.freeze({ kind: 'permanent', origin: 'local' }),
  ERR_NO_SCOPE: Object.freeze({ kind: 'permanent', origin: 'local' }),
  ERR_CLOSED: Object.freeze({ kind: 'permanent', origin: 'local' }),
  ERR_OPTION: Object.freeze({ kind: 'permanent', origin: 'local' }),
  ERR_UNSUPPORTED: Object.freeze({ kind: 'permanent', origin: 'local' }),
};

const isKind = (value: unknown): value is OutcomeKind => KINDS.has(value);

const isDelay = (value: unknown): value is number => typeof value === 'number' && value >= 0;

const isText = (value: unknown): boolean => value === undefined || (typeof value === 'string' && value !== '');
const isPositive = (value: unknown): boolean => value === undefined || (Number.isFinite(value) && (value as number) > 0);

/** Whether `value` is a quota that makes sense. */
export function isQuota(value: unknown): value is CalleeQuota {
  if (typeof value !== 'object' || value === null) return false;
  const { cost, name, remaining, resetMs, limit, periodMs } = value as Partial<CalleeQuota>;
  const isWhole = Number.isFinite(remaining) && isDelay(remaining) && Number.isFinite(resetMs) && isDelay(resetMs);
  return isWhole && isText(cost) && isText(name) && isPositive(limit) && isPositive(periodMs);
}

const soundQuotas = (quotas: unknown): readonly CalleeQuota[] | undefined => (Array.isArray(quotas) ? quotas.filter(isQuota) : undefined);

/** What `carrier` says of itself; undefined where it says nothing that makes sense, or its getter throws. */
function declared(carrier: object): Outcome | undefined {
  try {
    const own = (carrier as { readonly [OUTCOME]?: Partial<Outcome> | null })[OUTCOME];
    if (own === undefined || own === null) return undefined;
    const { kind, retryAfterMs, quotas } = own;
    if (!isKind(kind)) return undefined;
    const origin = own.origin === 'local' ? 'local' : 'remote';
    const outcome: Outcome = { kind, origin, retryAfterMs: isDelay(retryAfterMs) ? retryAfterMs : undefined };
    return quotas === undefined ? outcome : { ...outcome, quotas: soundQuotas(quotas) };
  } catch {
    return undefined; // a class that cannot say what it is must not change what happened (law F1)
  }
}

/** What a value came to: `ok`, unless it says otherwise. */
export function classifyValue(value: unknown): Outcome {
  if (typeof value !== 'object' || value === null) return OK;
  return declared(value) ?? OK;
}

/** What an error came to: what it says, else what its code means, else `transient` and `remote`. */
export function classifyError(error: unknown): Outcome {
  if (typeof error !== 'object' || error === null) return UNKNOWN_ERROR;
  const own = declared(error);
  if (own !== undefined) return own;
  if (!isKeelsonError(error) || !Object.hasOwn(OWN, error.code)) return UNKNOWN_ERROR;
  const outcome = OWN[error.code];
  const { retryAfterMs } = error;
  return isDelay(retryAfterMs) ? { ...outcome, retryAfterMs } : outcome;
}

/**
 * Says what an attempt came to: the default of every policy.
 *
 * A value is `ok` and an error is `transient` and `remote`, unless it says otherwise through {@link OUTCOME}. Keelson's own errors: a timeout is
 * `transient`, `remote`; an open circuit and a full bulkhead are `overloaded`, a rate limit is `throttled`, a cancellation `cancelled`, all else
 * `permanent`, these all `local`. Never throws.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { classify, OUTCOME } from 'keelson';
 *
 * assert.equal(classify({ ok: false, error: new Error('reset') }).kind, 'transient');
 * const busy = { status: 429, [OUTCOME]: { kind: 'throttled', retryAfterMs: 2000 } };
 * assert.deepEqual(classify({ ok: true, value: busy }), { kind: 'throttled', origin: 'remote', retryAfterMs: 2000 });
 */
export function classify(settled: Settled): Outcome {
  return settled.ok ? classifyValue(settled.value) : classifyError(settled.error);
}
