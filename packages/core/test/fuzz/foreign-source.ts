/** A foreign signal that counts its listeners. */
export class ForeignSource {
  readonly reason: unknown;
  readonly #controller = new AbortController();
  #listeners = 0;

  constructor(reason: unknown) {
    this.reason = reason;
    const { signal } = this.#controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      this.#listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      this.#listeners--;
      remove(...args);
    };
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Listeners added and not removed; an aborted signal calls nobody any more. */
  get listeners(): number {
    return this.signal.aborted ? 0 : this.#listeners;
  }

  abort(): void {
    this.#controller.abort(this.reason);
  }
}
