import { type CancelLink, type Cancellable, CancelToken } from './cancel-token.ts';

let listening = 0;

/** How many foreign signals of this process have a listener of ours. */
export function foreignListeners(): number {
  return listening;
}

/**
 * Our token for somebody else's `AbortSignal`: one listener however many calls hang below (law C5). Node scans all listeners of a signal
 * on each add and remove, so that a listener a call is quadratic.
 */
class ForeignSignal extends CancelToken {
  readonly #source: AbortSignal;
  #listening = false;
  #dropPlanned = false;
  readonly #onAbort = (): void => {
    this.#stopped();
    this.cancel(this.#source.reason);
  };

  constructor(source: AbortSignal) {
    super();
    this.#source = source;
  }

  override link(target: Cancellable): CancelLink {
    if (!this.#listening && !this.isCancelled) {
      this.#listening = true;
      listening++;
      this.#source.addEventListener('abort', this.#onAbort);
    }
    return super.link(target);
  }

  /** The listener goes at the end of the drain in which the last call left, so that a busy signal keeps its one. */
  override emptied(): void {
    if (this.#dropPlanned || !this.#listening) return;
    this.#dropPlanned = true;
    process.nextTick(() => {
      this.#dropPlanned = false;
      if (!this.#listening || this.hasLinks) return;
      this.#stopped();
      this.#source.removeEventListener('abort', this.#onAbort);
    });
  }

  #stopped(): void {
    this.#listening = false;
    listening--;
  }

  /** Nobody listened while nobody hung below, so that the source may have been aborted unseen. */
  lookAgain(): void {
    if (this.#source.aborted) this.cancel(this.#source.reason);
  }

  override get signal(): AbortSignal {
    return this.#source;
  }
}

/** A class can put a private field on an object that another made, if its base gives it that object. */
class Given {
  constructor(given: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is how a private field comes onto a foreign object
    return given;
  }
}

/**
 * Keeps a token with its signal, where nobody else can see it. A WeakMap would do, but all that hangs on an entry of one outlives the small
 * collections: where each call has a signal of its own, a call takes two and a half times as long.
 */
class TokenOnSignal extends Given {
  readonly #token: ForeignSignal;

  constructor(signal: AbortSignal, token: ForeignSignal) {
    super(signal);
    this.#token = token;
  }

  static of(signal: AbortSignal): ForeignSignal | undefined {
    return #token in signal ? signal.#token : undefined;
  }
}

/** The token of a foreign signal: the same for the same signal. */
export function tokenOf(signal: AbortSignal): CancelToken {
  let token = TokenOnSignal.of(signal);
  if (token === undefined) {
    token = new ForeignSignal(signal);
    new TokenOnSignal(signal, token);
  }
  token.lookAgain();
  return token;
}
