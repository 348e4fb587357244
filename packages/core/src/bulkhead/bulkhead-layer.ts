import { KeelsonError } from '../errors/keelson-error.ts';
import { withoutStack } from '../errors/without-stack.ts';
import { Admission, type Admitting } from '../policy/admission.ts';
import { AdmissionQueue, type DropRule, type Place } from '../policy/admission-queue.ts';
import { type Layer, PROCEED, type Step, type Verdict } from '../policy/layer.ts';
import type { ExecuteOptions, PolicyDescription } from '../policy/policy.ts';
import type { Priority } from '../policy/priority.ts';
import { formatMs } from '../time/duration.ts';

/** What a {@link BulkheadLayer} goes by. */
export interface BulkheadRules {
  readonly name: string;
  readonly maxConcurrency: number;
  readonly maxQueue: number;
  readonly maxAbandoned: number;
  readonly overflow: 'reject' | DropRule;
  readonly agingPeriodMs: number;
  /** The name of the key whose values take turns. */
  readonly fairBy: string | undefined;
}

/**
 * A bulkhead had no room for a call: all permits are out, and as many calls wait as may, or abandoned work holds too many of the permits; or the
 * call has waited, and lost its place to another. The operation was not started. It has no stack trace, which would be most of what a refusal
 * costs.
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

/** What its owner can do about a bulkhead that is full. */
const ROOM = 'raise maxConcurrency or maxQueue, or slow the callers';

/** Decides for `bulkhead`: so many at once, the next ones by priority and in order. */
export class BulkheadLayer implements Layer, Admitting {
  readonly kind = 'bulkhead';
  readonly name: string;
  readonly waitsFor = 'a permit';
  /** Permits that abandoned work holds; counted by the engine. */
  lingering = 0;
  readonly queue: AdmissionQueue;
  readonly admission: Admission = new Admission(this);
  #rules: BulkheadRules;
  #inFlight = 0;
  #refused = 0;
  #dropped = 0;

  constructor(rules: BulkheadRules) {
    this.name = rules.name;
    this.#rules = rules;
    this.queue = new AdmissionQueue({ agingPeriodMs: rules.agingPeriodMs, isFair: rules.fairBy !== undefined });
  }

  get rules(): BulkheadRules {
    return this.#rules;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Newcomers that were turned away. */
  get refused(): number {
    return this.#refused;
  }

  /** Of those who waited, how many lost their place to another. */
  get dropped(): number {
    return this.#dropped;
  }

  /** While anybody waits, all permits are out. */
  get isEmpty(): boolean {
    return this.#inFlight === 0;
  }

  enter(step: Step): Verdict {
    if (!this.admission.isOpen) return step.reject(this.admission.refusal(step.operation));
    if (this.#inFlight < this.#rules.maxConcurrency) {
      this.#inFlight++;
      return PROCEED;
    }
    return this.#wait(step);
  }

  /** Handed on directly: the count falls only when nobody waits (law P2), or where there are fewer permits than there were. */
  release(): void {
    if (this.#inFlight <= this.#rules.maxConcurrency && this.queue.grant()) return;
    this.#inFlight--;
    this.admission.workEnded();
  }

  /** Takes nothing back: who has a permit keeps it. The name and `fairBy` stay as they are. */
  changeRules(rules: BulkheadRules, nowMs: number): void {
    this.#rules = rules;
    this.queue.agingPeriodMs = rules.agingPeriodMs;
    while (this.#inFlight < rules.maxConcurrency && this.queue.grant()) this.#inFlight++;
    if (rules.overflow === 'reject') return; // it drops nobody
    while (this.queue.size > rules.maxQueue)
      this.#drop(this.queue.toDrop(rules.overflow), `maxQueue was lowered to ${rules.maxQueue}`, nowMs);
  }

  refuseAll(error: () => unknown): void {
    this.queue.refuseAll(error);
  }

  isIdle(): boolean {
    return this.isEmpty && this.admission.isOpen;
  }

  describe(): PolicyDescription {
    const { name, fairBy = 'none', ...options } = this.#rules;
    return { name, kind: this.kind, options: { ...options, fairBy }, place: 7 };
  }

  /** Apart from `enter`, which has to stay small for the calls that find a permit. */
  #wait(step: Step): Verdict {
    const { priority = 'normal' } = step.options;
    const key = this.#keyOf(step.options);
    if (this.lingering <= this.#rules.maxAbandoned && this.#hasRoomFor(priority, key, step))
      return step.park(this.queue.place(priority, key));
    this.#refused++;
    return step.reject(this.#fullError(step.operation));
  }

  #keyOf({ keys }: ExecuteOptions): string | undefined {
    const { fairBy } = this.#rules;
    return fairBy === undefined || keys === undefined || !Object.hasOwn(keys, fairBy) ? undefined : keys[fairBy];
  }

  /** Whether one more may wait, in place of another if need be. */
  #hasRoomFor(priority: Priority, key: string | undefined, step: Step): boolean {
    const { maxQueue, overflow } = this.#rules;
    if (this.queue.size < maxQueue) return true;
    if (overflow === 'reject') return false;
    return this.#drop(this.queue.toDropFor(priority, key, overflow), `a call of priority ${priority} took its place`, step.nowMs());
  }

  /** False where there is nobody to drop. */
  #drop(place: Place | undefined, why: string, nowMs: number): boolean {
    if (place === undefined) return false;
    const error = this.#droppedError(place, why, nowMs);
    this.#dropped++;
    place.refuse(() => error);
    return true;
  }

  #droppedError({ operation, sinceMs }: Place, why: string, nowMs: number): BulkheadFullError {
    const what = `${operation} was dropped after ${formatMs(nowMs - sinceMs)} in the queue`;
    return this.#error(operation, `${what}: ${this.name} is full ${this.#room()}, and ${why}; ${ROOM}`);
  }

  #fullError(operation: string): BulkheadFullError {
    const { lingering, name } = this;
    const what = `${operation} was refused: ${name}`;
    if (lingering <= this.#rules.maxAbandoned) return this.#error(operation, `${what} is full ${this.#room()}; ${ROOM}`);
    const holder = `${lingering} abandoned ${lingering === 1 ? 'call' : 'calls'}`;
    return this.#error(
      operation,
      `${what} is held by ${holder} ${this.#room()}; make the operation end when call.signal aborts, or raise maxAbandoned`,
    );
  }

  #room(): string {
    return `(${this.#inFlight} running, ${this.queue.size} waiting)`;
  }

  #error(operation: string, message: string): BulkheadFullError {
    return withoutStack(() => new BulkheadFullError(message, { policy: this.name, operation }));
  }
}
