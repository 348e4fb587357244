import { checkOptions, func, text } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import type { Classify } from '../outcome/classify.ts';
import { EnginePolicy } from './engine-policy.ts';
import { isPolicy } from './is-policy.ts';
import type { Part } from './part.ts';
import type { outcomes, Policy, PolicyDescription } from './policy.ts';

/** What a composition can be told as a whole. */
export interface ComposeOptions {
  /** How its policies classify outcomes; those of an inner composition that has its own keep it. */
  readonly classify?: Classify | undefined;
  /** Default: the names of the policies, joined by ` > `. */
  readonly name?: string | undefined;
}

type AnyPolicy = Policy<unknown, unknown>;
type OutcomesOf<P> = P extends { readonly [outcomes]?: infer O } ? NonNullable<O> : never;
type Replaced<O> = O extends { readonly replacedBy: infer R } ? R : never;
type Rejected<O> = O extends { readonly rejectedWith: infer E } ? E : never;
/** What the policies of a list may put in place of a value. */
export type ReplacedBy<P extends readonly AnyPolicy[]> = Replaced<OutcomesOf<P[number]>>;
/** What the policies of a list may reject with. */
export type RejectedWith<P extends readonly AnyPolicy[]> = Rejected<OutcomesOf<P[number]>>;

/** Several policies as one: what {@link compose} makes. */
class Composition<R, E> extends EnginePolicy<R, E> {
  readonly name: string;
  readonly #children: readonly AnyPolicy[];
  readonly #classify: 'default' | 'function';

  constructor(policies: readonly AnyPolicy[], options: ComposeOptions) {
    super(policies.flatMap((policy) => partsOf(policy, options.classify)));
    this.name = options.name ?? (policies.map((policy) => policy.name).join(' > ') || 'nothing');
    this.#children = policies;
    this.#classify = options.classify === undefined ? 'default' : 'function';
  }

  describe(): PolicyDescription {
    const children = this.#children.map((policy) => policy.describe());
    return { name: this.name, kind: 'composition', options: { classify: this.#classify }, children };
  }
}

/** The parts of one of ours, so that compositions flatten; anything else is run as a stranger. */
function partsOf(policy: AnyPolicy, classify: Classify | undefined): readonly Part[] {
  if (!(policy instanceof EnginePolicy)) return [{ foreign: policy }];
  return EnginePolicy.partsOf(policy).map((part) => ('foreign' in part ? part : { ...part, classify: part.classify ?? classify }));
}

/**
 * Joins policies into one, outermost first: `compose(retry(), timeout('2s'))` retries attempts of which each has 2 s, `compose(timeout('2s'),
 * retry())` gives 2 s to all attempts together.
 *
 * The engine runs the whole composition as one machine with one promise a call. A permit taken outside a retry is held through attempts and
 * waits, one taken inside is taken anew by each attempt (law R6); the least of all limits wins (law T4). The standard order is fallback, whole
 * timeout, retry, breaker, rate limit, bulkhead, attempt timeout. Throws ERR_OPTION for anything that is no policy.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { compose, fallback, retry, timeout } from 'keelson';
 *
 * const resilient = compose(fallback('cached'), retry({ maxAttempts: 2, baseDelay: 1 }), timeout('1s'));
 * let calls = 0;
 * const value = await resilient.execute(async () => {
 *   calls++;
 *   throw new Error('down');
 * });
 * assert.equal(value, 'cached');
 * assert.equal(calls, 2);
 */
export function compose<const P extends readonly AnyPolicy[]>(
  ...policiesAndOptions: readonly [...P, ComposeOptions]
): Policy<ReplacedBy<P>, RejectedWith<P>>;
export function compose<const P extends readonly AnyPolicy[]>(...policies: P): Policy<ReplacedBy<P>, RejectedWith<P>>;
export function compose(...args: readonly (AnyPolicy | ComposeOptions)[]): AnyPolicy {
  const last = args.at(-1);
  const options = isOptions(last) ? last : undefined;
  const policies = options === undefined ? args : args.slice(0, -1);
  checkOptions<ComposeOptions>('compose', options, { classify: func, name: text });
  for (const policy of policies)
    if (!isPolicy(policy)) throw optionError('compose', 'arguments', policy, 'policies, and options as the last');
  return new Composition(policies as readonly AnyPolicy[], options ?? {});
}

const isOptions = (last: AnyPolicy | ComposeOptions | undefined): last is ComposeOptions =>
  typeof last === 'object' && last !== null && !Array.isArray(last) && !('execute' in last);
