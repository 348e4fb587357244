const ARITY = 4;

/** An item's place in a {@link Heap}, by which it can be taken out early. */
export class HeapEntry<T> {
  readonly item: T;
  /** -1 once it is out. */
  index: number;

  constructor(item: T, index: number) {
    this.item = item;
    this.index = index;
  }
}

/**
 * A priority queue: add, take the first and take out any in O(log n). Items that compare equal come out in no order of their own; put what
 * breaks ties into the comparison.
 *
 * A 4-ary heap: half as deep as a binary one, and the children of an entry lie side by side.
 * Source: D. B. Johnson, "Priority queues with update and finding minimum spanning trees", 1975.
 */
export class Heap<T> {
  readonly #isBefore: (a: T, b: T) => boolean;
  readonly #entries: HeapEntry<T>[] = [];

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The first item, which stays. */
  peek(): T | undefined {
    return this.#entries[0]?.item;
  }

  add(item: T): HeapEntry<T> {
    const entry = new HeapEntry(item, this.#entries.length);
    this.#rise(entry); // which puts it in
    return entry;
  }

  /** Takes the first item out. */
  take(): T | undefined {
    const first = this.#entries[0];
    if (first === undefined) return undefined;
    this.remove(first);
    return first.item;
  }

  /** Takes an entry of this heap out; false if it was out already. */
  remove(entry: HeapEntry<T>): boolean {
    const { index } = entry;
    if (index < 0) return false;
    entry.index = -1;
    const last = this.#entries.pop() as HeapEntry<T>;
    if (last === entry) return true;
    this.#put(last, index);
    this.#rise(last);
    this.#sink(last);
    return true;
  }

  #put(entry: HeapEntry<T>, index: number): void {
    this.#entries[index] = entry;
    entry.index = index;
  }

  #rise(entry: HeapEntry<T>): void {
    let { index } = entry;
    while (index > 0) {
      const parentIndex = Math.floor((index - 1) / ARITY);
      const parent = this.#entries[parentIndex] as HeapEntry<T>;
      if (!this.#isBefore(entry.item, parent.item)) break;
      this.#put(parent, index);
      index = parentIndex;
    }
    this.#put(entry, index);
  }

  #sink(entry: HeapEntry<T>): void {
    let { index } = entry;
    for (let child = this.#firstChild(index); child !== undefined; child = this.#firstChild(index)) {
      if (!this.#isBefore(child.item, entry.item)) break;
      const childIndex = child.index;
      this.#put(child, index);
      index = childIndex;
    }
    this.#put(entry, index);
  }

  /** The child that comes first among those below `index`. */
  #firstChild(index: number): HeapEntry<T> | undefined {
    const entries = this.#entries;
    const from = index * ARITY + 1;
    let best = entries[from];
    for (let i = from + 1; i < from + ARITY && i < entries.length; i++) {
      const entry = entries[i] as HeapEntry<T>;
      if (this.#isBefore(entry.item, (best as HeapEntry<T>).item)) best = entry;
    }
    return best;
  }
}
