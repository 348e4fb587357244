/** One attempt of a call that failed. */
export interface AttemptRecord {
  /** 1-based. */
  readonly attempt: number;
  /** What the attempt ended with: an error, or a value that was not accepted. */
  readonly outcome: { readonly error: unknown } | { readonly value: unknown };
  /** How long the call then waited before the next attempt, in milliseconds; what `beforeRetry` took is not in it. */
  readonly delayMs: number;
  /** Set where attempts just before this one were not kept: how many. */
  readonly droppedBefore?: number;
}

const attempts = new WeakMap<object, readonly AttemptRecord[]>();
const suppressed = new WeakMap<object, unknown[]>();
const MAX_SUPPRESSED = 100;
const OLDEST_ATTEMPTS = 10;
const NEWEST_ATTEMPTS = 90;
const NONE: readonly never[] = Object.freeze([]);

const isObject = (value: unknown): value is object => (typeof value === 'object' && value !== null) || typeof value === 'function';

/** Adds one more attempt to those of a call. What a thousand attempts came to must not be kept: beyond a hundred, the middle ones go. */
export function addAttempt(records: AttemptRecord[], record: AttemptRecord): void {
  records.push(record);
  if (records.length <= OLDEST_ATTEMPTS + NEWEST_ATTEMPTS) return;
  const [dropped] = records.splice(OLDEST_ATTEMPTS, 1);
  const next = records[OLDEST_ATTEMPTS] as AttemptRecord;
  records[OLDEST_ATTEMPTS] = { ...next, droppedBefore: (dropped?.droppedBefore ?? 0) + 1 };
}

/** Remembers which attempts came before the one that failed with `error`. The error itself is not touched. */
export function recordAttempts(error: unknown, records: readonly AttemptRecord[]): void {
  if (isObject(error)) attempts.set(error, Object.freeze([...records]));
}

/** Attaches `later` to `error`, which was there first and keeps its identity. Beyond 100 the earliest are kept. */
export function suppress(error: unknown, later: unknown): void {
  if (!isObject(error) || error === later) return;
  const list = suppressed.get(error);
  if (list === undefined) suppressed.set(error, [later]);
  else if (list.length < MAX_SUPPRESSED && !list.includes(later)) list.push(later);
}

/**
 * The attempts that came before the one which failed with `error`, oldest first; empty where there was only one.
 *
 * The history is kept beside the error, which stays as the operation threw it; a thrown non-object has none. Of more than 100 attempts the first
 * 10 and the last 90 are kept; the first record after the gap says in `droppedBefore` how many are missing.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { attemptsOf, withRetry } from 'keelson';
 *
 * let n = 0;
 * const error = await withRetry(() => Promise.reject(new Error(`no. ${++n}`)), { maxAttempts: 3, baseDelay: 1 }).catch((e: unknown) => e);
 * assert.equal((error as Error).message, 'no. 3');
 * assert.deepEqual(attemptsOf(error).map((a) => a.attempt), [1, 2]);
 */
export function attemptsOf(error: unknown): readonly AttemptRecord[] {
  return (isObject(error) ? attempts.get(error) : undefined) ?? NONE;
}

/**
 * The errors that happened after `error` had already decided the outcome, in order of time: of siblings, of cleanup, or an API's own
 * error around the caller's reason. At most 100 are kept.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { ctx, suppressedOf } from 'keelson';
 *
 * const first = new Error('first');
 * const later = new Error('later');
 * const error = await ctx.scope('both', async (scope) => {
 *   scope.spawn(async () => { await scope.sleep('1h').catch(() => { throw later; }); });
 *   throw first;
 * }).catch((e: unknown) => e);
 * assert.equal(error, first);
 * assert.deepEqual(suppressedOf(error), [later]);
 */
export function suppressedOf(error: unknown): readonly unknown[] {
  const list = isObject(error) ? suppressed.get(error) : undefined;
  return list === undefined ? NONE : Object.freeze([...list]);
}
