const FIRST_CAPACITY = 16;

/** A queue with two ends in a ring buffer: O(1) at both, where `Array.shift` and `unshift` are O(n). */
export class Deque<T> {
  /** Its length is a power of two, so that a mask wraps an index. */
  #slots: (T | undefined)[] = new Array(FIRST_CAPACITY);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The item `index` places behind the first; undefined beyond the last. */
  at(index: number): T | undefined {
    return index >= 0 && index < this.#size ? this.#slots[(this.#head + index) & (this.#slots.length - 1)] : undefined;
  }

  pushBack(item: T): void {
    if (this.#size === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#size) & (this.#slots.length - 1)] = item;
    this.#size++;
  }

  pushFront(item: T): void {
    if (this.#size === this.#slots.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#slots.length - 1);
    this.#slots[this.#head] = item;
    this.#size++;
  }

  popFront(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#size--;
    return item;
  }

  popBack(): T | undefined {
    if (this.#size === 0) return undefined;
    this.#size--;
    const index = (this.#head + this.#size) & (this.#slots.length - 1);
    const item = this.#slots[index];
    this.#slots[index] = undefined;
    return item;
  }

  /** Drops every item and the room they took. */
  clear(): void {
    this.#slots = new Array(FIRST_CAPACITY);
    this.#head = 0;
    this.#size = 0;
  }

  /** From the first to the last. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#size; i++) yield this.at(i) as T;
  }

  #grow(): void {
    const items = [...this.#slots.slice(this.#head), ...this.#slots.slice(0, this.#head)];
    items.length = this.#slots.length * 2;
    this.#slots = items;
    this.#head = 0;
  }
}
