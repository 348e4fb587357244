import { Link, LinkedList } from '../collections/linked-list.ts';
import type { TripStrategy } from './trip-strategy.ts';

/** A call whose time is taken, from the start of its operation. */
export class TimedCall {
  readonly generation: number;
  /** NaN until then. */
  sinceMs: number = Number.NaN;
  readonly link: Link<TimedCall> = new Link<TimedCall>(this);
  /** Where it is counted as slow, once it is. */
  counted: { readonly by: TripStrategy; readonly mark: number } | undefined = undefined;

  constructor(generation: number) {
    this.generation = generation;
  }
}

/**
 * The calls that are not known to be slow yet, oldest first: in the order in which they become it. So those that have are found without a timer, whenever
 * somebody asks, at a cost of O(1) a call (law B4).
 */
export class TimedCalls {
  readonly #running: LinkedList<TimedCall> = new LinkedList<TimedCall>();
  /** None became slow before: a limit that was lowered while they ran says nothing of the past. */
  #sinceMs = Number.NEGATIVE_INFINITY;

  /** Its operation starts. Only the first start counts. */
  begin(call: TimedCall, nowMs: number): void {
    if (!Number.isNaN(call.sinceMs)) return;
    call.sinceMs = nowMs;
    this.#running.append(call.link);
  }

  /** From `nowMs` on, another limit holds. */
  limitChanged(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  /** When `call` becomes slow. */
  slowAtMs({ sinceMs }: TimedCall, slowCallMs: number): number {
    return Math.max(sinceMs + slowCallMs, this.#sinceMs);
  }

  /** Takes out the next one that was slow by `nowMs`. */
  takeSlow(nowMs: number, slowCallMs: number): TimedCall | undefined {
    const call = this.#running.first?.item;
    if (call === undefined || this.slowAtMs(call, slowCallMs) > nowMs) return undefined;
    call.link.unlink();
    return call;
  }
}
