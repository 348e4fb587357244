import type { ModelCall } from '../policy/admission-queue.test-support.ts';
import { QueueModel } from '../policy/admission-queue.test-support.ts';
import type { BulkheadRules } from './bulkhead-layer.ts';

/** What became of a call. */
export type Fate = 'waiting' | 'running' | 'full' | 'dropped' | 'closed' | 'left' | 'over';

/** A bulkhead as it ought to be, without an engine: who is let in, who waits, and what becomes of everybody. */
export class BulkheadModel {
  rules: BulkheadRules;
  readonly queue: QueueModel;
  /** Numbers of the calls, in the order in which they were let in. */
  readonly started: number[] = [];
  readonly fates: Map<number, Fate> = new Map();
  /** Numbers of the calls whose work goes on though nobody waits for it any more. */
  readonly abandoned: Set<number> = new Set();
  inFlight = 0;
  #isClosed = false;

  constructor(rules: BulkheadRules) {
    this.rules = rules;
    this.queue = new QueueModel(rules.agingPeriodMs, rules.fairBy !== undefined);
  }

  enter(call: ModelCall): void {
    const { maxConcurrency, maxAbandoned } = this.rules;
    if (this.#isClosed) this.fates.set(call.number, 'closed');
    else if (this.inFlight < maxConcurrency) {
      this.inFlight++;
      this.#start(call);
    } else if (this.abandoned.size > maxAbandoned || !this.#hasRoomFor(call)) this.fates.set(call.number, 'full');
    else {
      this.queue.add(call);
      this.fates.set(call.number, 'waiting');
    }
  }

  /** Its caller has gone: what runs goes on. */
  leave(number: number): void {
    const fate = this.fates.get(number);
    if (fate === 'running') this.abandoned.add(number);
    const waiting = this.queue.waiting.find((call) => call.number === number);
    if (waiting !== undefined) this.queue.leave(waiting);
    if (fate === 'running' || fate === 'waiting') this.fates.set(number, 'left');
  }

  /** The work of a call has ended. */
  end(number: number): void {
    this.abandoned.delete(number);
    if (this.fates.get(number) === 'running') this.fates.set(number, 'over');
    this.inFlight--;
    this.#letIn();
  }

  close(): void {
    this.#isClosed = true;
    for (const call of this.queue.waiting) {
      this.queue.leave(call);
      this.fates.set(call.number, 'closed');
    }
  }

  reconfigure(changes: Partial<BulkheadRules>): void {
    this.rules = { ...this.rules, ...changes };
    this.queue.agingPeriodMs = this.rules.agingPeriodMs;
    this.#letIn();
    const { overflow, maxQueue } = this.rules;
    while (overflow !== 'reject' && this.queue.waiting.length > maxQueue) this.#drop(this.queue.toDrop(overflow));
  }

  #letIn(): void {
    while (this.inFlight < this.rules.maxConcurrency) {
      const next = this.queue.grant();
      if (next === undefined) return;
      this.inFlight++;
      this.#start(next);
    }
  }

  #start({ number }: ModelCall): void {
    this.started.push(number);
    this.fates.set(number, 'running');
  }

  #hasRoomFor(call: ModelCall): boolean {
    const { maxQueue, overflow } = this.rules;
    if (this.queue.waiting.length < maxQueue) return true;
    return overflow !== 'reject' && this.#drop(this.queue.toDropFor(call, overflow));
  }

  #drop(call: ModelCall | undefined): boolean {
    if (call === undefined) return false;
    this.queue.leave(call);
    this.fates.set(call.number, 'dropped');
    return true;
  }
}
