import { TimeoutError } from '../errors/timeout-error.ts';
import type { Layer, Step, Verdict } from '../policy/layer.ts';
import type { PolicyDescription } from '../policy/policy.ts';
import { formatMs } from '../time/duration.ts';

/** Decides for `timeout`: what is inside ends after `timeoutMs`. */
export class TimeoutLayer implements Layer {
  readonly kind = 'timeout';
  readonly name: string;
  readonly #timeoutMs: number;

  constructor(name: string, timeoutMs: number) {
    this.name = name;
    this.#timeoutMs = timeoutMs;
  }

  enter(step: Step): Verdict {
    return step.limit(this.#timeoutMs);
  }

  expire(step: Step): TimeoutError {
    const { operation } = step;
    const progress = step.progress();
    const message = `${operation} timed out after ${formatMs(this.#timeoutMs)}${progress === '' ? '' : ` (${progress})`}`;
    return new TimeoutError(message, { policy: this.name, operation, timeoutMs: this.#timeoutMs });
  }

  describe(): PolicyDescription {
    return { name: this.name, kind: this.kind, options: { timeoutMs: this.#timeoutMs }, place: 2 };
  }
}
