import type { TimeoutError } from '../errors/timeout-error.ts';
import { compose } from '../policy/compose.ts';
import { DONE, type Layer, type Step, type Verdict } from '../policy/layer.ts';
import { LayerPolicy } from '../policy/layer-policy.ts';
import type { ExecuteOptions, Operation, PolicyDescription } from '../policy/policy.ts';
import type { Duration } from '../time/duration.ts';
import { limitMs, timeoutDefaults } from './timeout.ts';
import { TimeoutLayer } from './timeout-layer.ts';

/** What {@link withTimeout} may be told about its call. */
export interface WithTimeoutOptions<D> extends ExecuteOptions {
  /** What to resolve to when the time has passed. If it is there it counts, also as `undefined`; without it the call rejects. */
  readonly default?: D;
}

/** The limit of one call; knows the error it made from every other timeout (law C4). */
class OwnLimit extends TimeoutLayer {
  #made: TimeoutError | undefined;

  hasMade(error: unknown): boolean {
    return error === this.#made;
  }

  override expire(step: Step): TimeoutError {
    this.#made = super.expire(step);
    return this.#made;
  }
}

/** Puts a default in the place of the one error that the call's own limit made. */
class DefaultLayer implements Layer {
  readonly kind = 'timeout';
  readonly name = 'default';
  readonly #limit: OwnLimit;
  readonly #value: unknown;

  constructor(limit: OwnLimit, value: unknown) {
    this.#limit = limit;
    this.#value = value;
  }

  fail(step: Step, error: unknown): Verdict {
    return this.#limit.hasMade(error) ? step.replace(this.#value) : DONE;
  }

  describe(): PolicyDescription {
    return { name: this.name, kind: this.kind, options: {} };
  }
}

class OneCall<R> extends LayerPolicy<R, TimeoutError> {}

/**
 * Runs `operation` now, and ends it when it takes longer than `limit`.
 *
 * Resolves to the operation's value; rejects with its error, with the caller's reason, or with a {@link TimeoutError} when the time has
 * passed. With `default` it resolves to that instead, and only then: a timeout that the operation itself reports, or that ends an outer
 * call, still rejects, and so does a call that has committed output (law R4). `default: undefined` is a default like any other.
 *
 * `limit` and what happens to an operation that goes on are as for {@link timeout}; a wrong limit rejects with ERR_OPTION.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { withTimeout } from 'keelson';
 *
 * const hangs = (): Promise<string> => new Promise(() => {});
 * assert.equal(await withTimeout(hangs, '10ms', { default: 'unknown' }), 'unknown');
 * assert.equal(await withTimeout(hangs, '10ms', { default: undefined }), undefined);
 * await assert.rejects(withTimeout(hangs, '10ms', { name: 'loadUser' }), { message: 'loadUser timed out after 10ms' });
 */
export async function withTimeout<T, D = never>(
  operation: Operation<T>,
  limit: Duration,
  options: WithTimeoutOptions<D> = {},
): Promise<T | D> {
  const { default: value, ...own } = options;
  const layer = new OwnLimit(timeoutDefaults.name, limitMs('withTimeout', limit));
  const limited = new OneCall<never>(layer);
  if (!('default' in options)) return await limited.execute(operation, own);
  return await compose(new OneCall<D>(new DefaultLayer(layer, value)), limited).execute(operation, own);
}
