import { type Checks, checkOptions, func, text } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import { type Handles, handlesCheck } from '../policy/handles.ts';
import { LayerPolicy } from '../policy/layer-policy.ts';
import { FallbackLayer, type FallbackOperation } from './fallback-layer.ts';

/** What {@link fallback} may be told. */
export interface FallbackOptions {
  /** Which errors are replaced. Default: every error; a cancellation never is. */
  readonly handles?: Handles | undefined;
  /** Which values are replaced, besides those whose kind says that they are failures. */
  readonly handlesResult?: ((value: unknown) => boolean) | undefined;
  /** For events. Default `'fallback'`. */
  readonly name?: string | undefined;
}

/**
 * The defaults of {@link FallbackOptions}.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { fallback, fallbackDefaults } from 'keelson';
 *
 * assert.equal(fallback(0).name, fallbackDefaults.name);
 */
export const fallbackDefaults: { readonly name: string } = Object.freeze({ name: 'fallback' });

const CHECKS: Checks<FallbackOptions> = { handles: handlesCheck, handlesResult: func, name: text };

/** What a promise is not: it would have begun before anything failed. */
export interface NotAPromise {
  readonly then?: never;
}

/** What `R` has to be for {@link fallback}: anything, unless it is a promise, or may be one. */
export type FallbackValue<R> = [Extract<R, PromiseLike<unknown>>] extends [never] ? unknown : NotAPromise;

const isPromise = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && typeof (value as Partial<PromiseLike<unknown>>).then === 'function';

/**
 * Puts something else in the place of a failure: what {@link fallback} makes.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { Fallback } from 'keelson';
 *
 * const policy = new Fallback('unknown', { name: 'default price' });
 * assert.equal(policy.name, 'default price');
 * assert.equal(policy.describe().place, 1);
 */
export class Fallback<R> extends LayerPolicy<R, never> {
  constructor(replacement: R | FallbackOperation<R>, options: FallbackOptions = {}) {
    checkOptions<FallbackOptions>('fallback', options, CHECKS);
    if (isPromise(replacement))
      throw optionError('fallback', 'replacement', replacement, 'a value or a function, not a promise: it has begun already');
    const { handles, handlesResult, name = fallbackDefaults.name } = options;
    const made = typeof replacement === 'function' ? { operation: replacement as FallbackOperation<R> } : { value: replacement };
    super(new FallbackLayer(made, { name, handles, handlesResult }));
  }
}

/**
 * Makes a policy that puts a value, or what a function makes, in the place of a failure.
 *
 * A failure is an error, of the operation or of a policy inside, and a value whose kind says that it is one ({@link classify}); options
 * choose among them. A cancellation is never replaced, and neither is work that has committed output (law R4): both come through as they
 * are.
 *
 * A function is called with the failure and a call of its own: its signal, its deadline. It runs under the policies outside this one, not
 * under those inside. When it fails in turn, its error counts, and the first failure is found by `suppressedOf`. A value is handed to every
 * caller as it is, the same object each time; a function makes a new one. A promise is refused: it would have begun before anything failed.
 *
 * Throws ERR_OPTION for a wrong option.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { compose, fallback, timeout } from 'keelson';
 *
 * const prices = compose(fallback({ price: 0, isStale: true }), timeout('10ms'));
 * assert.deepEqual(await prices.execute(() => new Promise<{ price: number; isStale: boolean }>(() => {})), { price: 0, isStale: true });
 *
 * const replica = fallback(async (error) => `replica, because the primary is ${(error as Error).message}`);
 * assert.equal(await replica.execute(() => Promise.reject(new Error('down'))), 'replica, because the primary is down');
 */
export function fallback<R extends FallbackValue<R>>(replacement: R | FallbackOperation<R>, options?: FallbackOptions): Fallback<R> {
  return new Fallback(replacement, options);
}
