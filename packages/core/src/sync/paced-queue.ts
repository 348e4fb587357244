import { Link, LinkedList } from '../collections/linked-list.ts';
import type { Clock, ScheduledTimer } from '../time/clock.ts';

/** Somebody who waits for a moment. Whoever made it decides what a call and a refusal mean; neither may run user code (law P3). */
export interface PacedWaiter {
  readonly clock: Clock;
  /** Your moment seems to have come: ask, and leave the queue when it has. May be said more than once. */
  called(): void;
  /** The queue was closed, and you are out of it. */
  refused(error: unknown): void;
}

/** The place of one {@link PacedWaiter}. */
export type PacedNode = Link<PacedWaiter>;

/**
 * A wait queue whose first goes when a moment has come, which the queue's owner names: first in, first out, O(1) leaving, one timer for all who
 * wait.
 *
 * The first keeps its place until it has really started, so that nobody overtakes it meanwhile, and a queue that wakes late wakes one after the
 * other, each by the time it then is. Whoever leaves, for what reason ever, and whatever changes the moment calls for {@link pace}.
 */
export class PacedQueue {
  readonly #waiting = new LinkedList<PacedWaiter>();
  readonly #dueMs: (nowMs: number) => number;
  #timer: ScheduledTimer | null = null;
  #timerAtMs = 0;

  /** `dueMs` says when whoever is first may go; it is asked again whenever that moment has come. */
  constructor(dueMs: (nowMs: number) => number) {
    this.#dueMs = dueMs;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(waiter: PacedWaiter): PacedNode {
    const node = new Link(waiter);
    this.#waiting.append(node);
    if (this.#waiting.size === 1) this.pace();
    return node;
  }

  /** Calls the first if it is due, else sets the timer for it. */
  pace(): void {
    const first = this.#waiting.first?.item;
    if (first === undefined) {
      this.#stopTimer();
      return;
    }
    const nowMs = first.clock.nowMs();
    const atMs = this.#dueMs(nowMs);
    if (this.#timer !== null && this.#timerAtMs === atMs) return;
    this.#stopTimer();
    if (atMs <= nowMs) {
      first.called();
      return;
    }
    this.#timerAtMs = atMs;
    this.#timer = first.clock.schedule(atMs - nowMs, () => {
      this.#timer = null;
      this.pace();
    });
  }

  /** Settles everybody who waits now (law P5), each with an error of its own. */
  refuseAll(error: () => unknown): void {
    this.refuseSome(error);
  }

  /** Settles whoever is first, if anybody waits: out of the queue at once. */
  refuseFirst(error: unknown): void {
    const { first } = this.#waiting;
    if (first === undefined) return;
    first.unlink();
    first.item.refused(error);
    this.pace();
  }

  /** Asks for everybody who waits, the first first, and settles whoever gets an error: out of the queue at once. */
  refuseSome(errorOf: (place: number) => unknown): void {
    let node = this.#waiting.first;
    for (let place = 0, count = this.size; node !== undefined && place < count; place++) {
      const { next, item } = node;
      const error = errorOf(place);
      if (error !== undefined) {
        node.unlink();
        item.refused(error);
      }
      node = next;
    }
    this.pace();
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
