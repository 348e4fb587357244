import { OUTCOME, type Outcome } from '../outcome/classify.ts';
import { Backoff } from '../policy/backoff.ts';
import type { Answer } from '../policy/layer.ts';
import { type Decision, type FakeCircumstances, type FakeStep, fakeStep } from '../testing/fake-step.ts';
import { RetryLayer, type RetryRules } from './retry-layer.ts';

/** An error that says nothing of itself. */
export const reset = (): Error => new Error('reset');
/** An error that says what it is. */
export const says = (outcome: Partial<Outcome>): Error => Object.assign(new Error('says'), { [OUTCOME]: outcome });

/** A retry without jitter, with three attempts. */
export function layerWith(rules: Partial<RetryRules> = {}): RetryLayer {
  return new RetryLayer({
    name: 'retry',
    maxAttempts: 3,
    backoff: new Backoff('retry', { jitter: 'none' }),
    handles: undefined,
    handlesResult: undefined,
    budget: undefined,
    beforeRetry: undefined,
    nested: 'bounded',
    ...rules,
  });
}

/** A call whose retry is under test. */
export class Tried {
  readonly step: FakeStep;
  readonly #layer: RetryLayer;

  constructor(rules: Partial<RetryRules> = {}, given: Partial<FakeCircumstances> = {}) {
    this.#layer = layerWith(rules);
    this.step = fakeStep(given);
    this.#layer.enter(this.step);
  }

  fails(error: unknown): Decision | undefined {
    return this.step.decided(this.#layer.fail(this.step, error));
  }

  returns(value: unknown): Decision | undefined {
    return this.step.decided(this.#layer.succeed(this.step, value));
  }

  isAnswered(answer: Answer): Decision | undefined {
    return this.step.decided(this.#layer.consulted(this.step, answer));
  }

  isAbandoned(waiting: boolean): void {
    this.#layer.abandon(this.step, waiting);
  }
}
