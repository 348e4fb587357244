/** What happened in a tenth of a window, and for how long it counts. */
export interface RetrySlot {
  readonly calls: number;
  readonly retries: number;
  readonly remainingMs: number;
}

const SLOTS = 10;

interface Slot {
  /** Counted from the clock's origin. */
  readonly number: number;
  calls: number;
  retries: number;
}

/** Counts the calls and retries of the last while; what is older is forgotten in steps of a tenth. */
export class RetryWindow {
  readonly #slotMs: number;
  /** Oldest first. */
  #slots: Slot[] = [];

  constructor(ms: number) {
    this.#slotMs = ms / SLOTS;
  }

  called(nowMs: number): void {
    this.#filling(nowMs).calls++;
  }

  /** Returns where it was counted. */
  retried(nowMs: number): number {
    const slot = this.#filling(nowMs);
    slot.retries++;
    return slot.number;
  }

  /** A retry that was counted there never began; what has been forgotten stays so. */
  takeBack(slotNumber: number): void {
    const slot = this.#slots.find((each) => each.number === slotNumber);
    if (slot !== undefined && slot.retries > 0) slot.retries--;
  }

  counts(nowMs: number): { readonly calls: number; readonly retries: number } {
    const first = this.#current(nowMs) - SLOTS;
    let calls = 0;
    let retries = 0;
    for (const slot of this.#slots) {
      if (slot.number <= first) continue;
      calls += slot.calls;
      retries += slot.retries;
    }
    return { calls, retries };
  }

  /** All that counts, oldest first. */
  slots(nowMs: number): RetrySlot[] {
    return this.#slots
      .map(({ number, calls, retries }) => ({ calls, retries, remainingMs: (number + SLOTS) * this.#slotMs - nowMs }))
      .filter(({ remainingMs }) => remainingMs > 0);
  }

  /** Counts `slots`, and nothing else. None counts for longer than the whole window. */
  restore(slots: readonly RetrySlot[], nowMs: number): void {
    this.#slots = [];
    const current = this.#current(nowMs);
    for (const { calls, retries, remainingMs } of slots.toSorted((a, b) => a.remainingMs - b.remainingMs)) {
      const number = Math.min(current, Math.round((nowMs + remainingMs) / this.#slotMs) - SLOTS);
      if (number <= current - SLOTS) continue;
      const slot = this.#slotAt(number);
      slot.calls += calls;
      slot.retries += retries;
    }
  }

  #current(nowMs: number): number {
    return Math.max(Math.floor(nowMs / this.#slotMs), this.#slots.at(-1)?.number ?? Number.NEGATIVE_INFINITY);
  }

  #filling(nowMs: number): Slot {
    const current = this.#current(nowMs);
    while ((this.#slots[0]?.number ?? current) <= current - SLOTS) this.#slots.shift();
    return this.#slotAt(current);
  }

  /** The newest slot, or one that is newer. */
  #slotAt(number: number): Slot {
    const last = this.#slots.at(-1);
    if (last?.number === number) return last;
    const slot = { number, calls: 0, retries: 0 };
    this.#slots.push(slot);
    return slot;
  }
}
