/** A default of the whole process that a test may swap for a while. */
export class Swappable<T extends object> {
  readonly #stack: T[];
  #current: T;

  constructor(initial: T) {
    this.#stack = [initial];
    this.#current = initial;
  }

  get current(): T {
    return this.#current;
  }

  /**
   * Puts `value` on top and gives it a `[Symbol.dispose]` that takes it away again. Whatever was put there last and is still there counts,
   * so that disposing out of order never brings back one that is gone.
   */
  use<S extends T>(value: S): S & Disposable {
    const disposable = Object.defineProperty(value, Symbol.dispose, { value: () => this.#remove(value), configurable: true });
    this.#stack.push(value);
    this.#current = value;
    return disposable as S & Disposable;
  }

  #remove(value: T): void {
    const index = this.#stack.lastIndexOf(value);
    if (index <= 0) return;
    this.#stack.splice(index, 1);
    this.#current = this.#stack.at(-1) as T;
  }
}
