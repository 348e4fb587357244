import { TimeoutError } from '../errors/timeout-error.ts';
import { WaitQueue } from '../sync/wait-queue.ts';
import { DONE, type Layer, PROCEED, type Step, type Verdict } from './layer.ts';
import { LayerPolicy } from './layer-policy.ts';

class Made extends LayerPolicy<never, unknown> {}

/** A policy of the hooks a test needs. */
export const policyOf = (hooks: Partial<Layer>): LayerPolicy<never, unknown> => {
  const { kind = 'test', name = kind } = hooks;
  return new Made({ describe: () => ({ name, kind, options: {} }), ...hooks, kind, name });
};

/** Says when its hooks are looked up. */
export const lookedUp = (onLookUp: () => void): LayerPolicy<never, unknown> =>
  new Made({
    kind: 'test',
    name: 'looked up',
    get enter() {
      onLookUp();
      return () => PROCEED;
    },
    describe: () => ({ name: 'looked up', kind: 'test', options: {} }),
  });

/** Ends what is inside after `ms`. */
export const limit = (ms: number, name = 'limit'): LayerPolicy<never, unknown> =>
  policyOf({
    name,
    enter: (step) => step.limit(ms),
    expire: (step) => new TimeoutError(`${step.operation} timed out`, { policy: name, timeoutMs: ms }),
  });

/** Tries whatever is transient up to `maxAttempts` times, `delayMs` apart. */
export const again = (maxAttempts: number, delayMs: number): LayerPolicy<never, unknown> =>
  policyOf({
    name: 'again',
    maxAttempts,
    runsCallerCode: true,
    fail(step, error) {
      const tried = (step.ticket as number | undefined) ?? 1;
      if (tried === maxAttempts || step.classifyError(error).kind !== 'transient') return DONE;
      step.ticket = tried + 1;
      return step.again(delayMs);
    },
  });

/** At most `max` at once; the others wait. */
export class Permits implements Layer {
  readonly kind = 'permits';
  readonly name = 'permits';
  readonly #queue = new WaitQueue();
  readonly #max: number;
  taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  enter(step: Step): Verdict {
    if (this.taken === this.#max) return step.park(this.#queue);
    this.taken++;
    return PROCEED;
  }

  release(): void {
    if (!this.#queue.grant()) this.taken--;
  }

  isIdle(): boolean {
    return this.taken === 0;
  }

  describe(): { name: string; kind: string; options: Record<string, unknown> } {
    return { name: this.name, kind: this.kind, options: { max: this.#max } };
  }
}
