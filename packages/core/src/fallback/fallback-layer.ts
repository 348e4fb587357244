import { suppress } from '../errors/history.ts';
import type { OutcomeKind, Settled } from '../outcome/classify.ts';
import { describeHandles, type Handles, isHandledBy } from '../policy/handles.ts';
import { DONE, type Layer, type Step, type Verdict } from '../policy/layer.ts';
import type { Call, PolicyDescription } from '../policy/policy.ts';

/** Makes what takes the place of a failure. Gets the error, or the value that was not accepted, and the call it runs under. */
export type FallbackOperation<R> = (failure: unknown, call: Call) => R | PromiseLike<R>;

/** What a {@link FallbackLayer} puts in the place of a failure. */
export type Replacement = { readonly value: unknown } | { readonly operation: FallbackOperation<unknown> };

/** What a {@link FallbackLayer} goes by. */
export interface FallbackRules {
  readonly name: string;
  readonly handles: Handles | undefined;
  readonly handlesResult: ((value: unknown) => boolean) | undefined;
}

const FAILED: ReadonlySet<OutcomeKind> = new Set(['transient', 'throttled', 'overloaded', 'permanent']);

/** Decides for `fallback`: what takes the place of a failure. */
export class FallbackLayer implements Layer {
  readonly kind = 'fallback';
  readonly name: string;
  readonly runsCallerCode = true;
  readonly #replacement: Replacement;
  readonly #rules: FallbackRules;

  constructor(replacement: Replacement, rules: FallbackRules) {
    this.name = rules.name;
    this.#replacement = replacement;
    this.#rules = rules;
  }

  succeed(step: Step, value: unknown): Verdict {
    const isFailure = FAILED.has(step.classifyValue(value).kind) || this.#rules.handlesResult?.(value) === true;
    return isFailure ? this.#replace(step, { ok: true, value }) : DONE;
  }

  fail(step: Step, error: unknown): Verdict {
    if (step.classifyError(error).kind === 'cancelled') return DONE;
    const { handles } = this.#rules;
    return handles === undefined || isHandledBy(handles, error) ? this.#replace(step, { ok: false, error }) : DONE;
  }

  describe(): PolicyDescription {
    const { name, handles, handlesResult } = this.#rules;
    const options = {
      replacement: 'value' in this.#replacement ? 'value' : 'operation',
      handles: handles === undefined ? 'every error' : describeHandles(handles),
      handlesResult: handlesResult === undefined ? 'by kind' : 'function',
    };
    return { name, kind: this.kind, options, place: 1 };
  }

  #replace(step: Step, failed: Settled): Verdict {
    const replacement = this.#replacement;
    return 'value' in replacement ? step.replace(replacement.value) : step.run((call) => run(replacement.operation, failed, call));
  }
}

/** A failure that led to another one is attached to it, so that it is not lost. */
async function run(operation: FallbackOperation<unknown>, failed: Settled, call: Call): Promise<unknown> {
  if (failed.ok) return await operation(failed.value, call);
  try {
    return await operation(failed.error, call);
  } catch (error) {
    suppress(error, failed.error);
    throw error;
  }
}
