import { KeelsonError } from '../errors/keelson-error.ts';
import { withoutStack } from '../errors/without-stack.ts';
import { Admission, type Admitting } from '../policy/admission.ts';
import { type Layer, PROCEED, type Step, type Verdict } from '../policy/layer.ts';
import type { PolicyDescription } from '../policy/policy.ts';
import { WaitQueue } from '../sync/wait-queue.ts';

/** What a {@link BulkheadLayer} goes by. */
export interface BulkheadRules {
  readonly name: string;
  readonly maxConcurrency: number;
  readonly maxQueue: number;
  readonly maxAbandoned: number;
}

/**
 * A bulkhead had no room for a call: all permits are out, and as many calls wait as may, or abandoned work holds too many of the permits. The
 * operation was not started. It has no stack trace, which would be most of what a refusal costs.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { BulkheadFullError, bulkhead } from 'keelson';
 *
 * const database = bulkhead({ maxConcurrency: 1, maxQueue: 0, name: 'database' });
 * const running = database.execute(async () => 'rows');
 * const error = await database.execute(() => 'not called', { name: 'loadUser' }).catch((e: unknown) => e);
 * assert(error instanceof BulkheadFullError);
 * assert.match(error.message, /^loadUser was refused: database is full \(1 running, 0 waiting\)/);
 * assert.equal(await running, 'rows');
 */
export class BulkheadFullError extends KeelsonError {
  constructor(message: string, details: { readonly policy: string; readonly operation: string }) {
    super('ERR_BULKHEAD_FULL', message, details);
  }
}

Object.defineProperty(BulkheadFullError.prototype, 'name', { value: 'BulkheadFullError', writable: true, configurable: true });

/** Decides for `bulkhead`: so many at once, the next ones in order. */
export class BulkheadLayer implements Layer, Admitting {
  readonly kind = 'bulkhead';
  readonly name: string;
  readonly waitsFor = 'a permit';
  /** Permits that abandoned work holds; counted by the engine. */
  lingering = 0;
  readonly queue: WaitQueue = new WaitQueue();
  readonly admission: Admission = new Admission(this);
  readonly rules: BulkheadRules;
  #inFlight = 0;
  #refused = 0;

  constructor(rules: BulkheadRules) {
    this.name = rules.name;
    this.rules = rules;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get refused(): number {
    return this.#refused;
  }

  /** While anybody waits, all permits are out. */
  get isEmpty(): boolean {
    return this.#inFlight === 0;
  }

  enter(step: Step): Verdict {
    const { maxConcurrency, maxQueue, maxAbandoned } = this.rules;
    if (!this.admission.isOpen) return step.reject(this.admission.refusal(step.operation));
    if (this.#inFlight < maxConcurrency) {
      this.#inFlight++;
      return PROCEED;
    }
    if (this.queue.size < maxQueue && this.lingering <= maxAbandoned) return step.park(this.queue);
    this.#refused++;
    return step.reject(this.#fullError(step.operation));
  }

  /** Handed on directly: the count falls only when nobody waits (law P2). */
  release(): void {
    if (this.queue.grant()) return;
    this.#inFlight--;
    this.admission.workEnded();
  }

  refuseAll(error: () => unknown): void {
    this.queue.refuseAll(error);
  }

  isIdle(): boolean {
    return this.isEmpty && this.admission.isOpen;
  }

  describe(): PolicyDescription {
    const { name, ...options } = this.rules;
    return { name, kind: this.kind, options, place: 7 };
  }

  #fullError(operation: string): BulkheadFullError {
    const { lingering } = this;
    const { name, maxAbandoned } = this.rules;
    const room = `(${this.#inFlight} running, ${this.queue.size} waiting)`;
    const [what, remedy] =
      lingering > maxAbandoned
        ? [
            `is held by ${lingering} abandoned ${lingering === 1 ? 'call' : 'calls'} ${room}`,
            'make the operation end when call.signal aborts, or raise maxAbandoned',
          ]
        : [`is full ${room}`, 'raise maxConcurrency or maxQueue, or slow the callers'];
    return withoutStack(() => new BulkheadFullError(`${operation} was refused: ${name} ${what}; ${remedy}`, { policy: name, operation }));
  }
}
