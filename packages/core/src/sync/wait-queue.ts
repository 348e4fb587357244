import { Link, LinkedList } from '../collections/linked-list.ts';

/** Somebody who waits for a permit. Whoever made it decides what a grant and a refusal mean. */
export interface Waiter {
  /** Name of the operation that waits, for messages. */
  readonly operation?: string | undefined;
  /** The permit is yours from this moment on. Must not run user code: a releaser's stack is no place for it (law P3). */
  granted(): void;
  /** The queue was closed, or its owner's mode dropped you. */
  refused(error: unknown): void;
}

/** The place of one {@link Waiter}. */
export interface WaitNode {
  /** Leaves the queue in O(1). Idempotent. */
  unlink(): void;
}

/** Where somebody can wait: a queue, or a place in one. */
export interface Parking {
  /** How many wait there. */
  readonly size: number;
  add(waiter: Waiter, nowMs: number): WaitNode;
}

/**
 * The one wait queue under every primitive that hands out permits: first in, first out, direct hand-off (law P2), O(1) leaving.
 * It counts no permits; that is its owner's part.
 */
export class WaitQueue implements Parking {
  readonly #waiting = new LinkedList<Waiter>();

  get size(): number {
    return this.#waiting.size;
  }

  add(waiter: Waiter): WaitNode {
    const node = new Link(waiter);
    this.#waiting.append(node);
    return node;
  }

  /** Hands a permit to whoever has waited longest; false where nobody waits, and the permit stays with the caller. */
  grant(): boolean {
    const node = this.#waiting.first;
    if (node === undefined) return false;
    node.unlink();
    node.item.granted();
    return true;
  }

  /** Settles everybody who waits now (law P5), each with an error of its own. */
  refuseAll(error: () => unknown): void {
    for (let left = this.size; left > 0; left--) {
      const node = this.#waiting.first;
      if (node === undefined) return;
      node.unlink();
      node.item.refused(error());
    }
  }
}
