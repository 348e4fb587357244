import { Link, LinkedList } from '../collections/linked-list.ts';

/** What hangs below a token and is told, once and synchronously, that it was cancelled. */
export interface Cancellable {
  cancelled(reason: unknown): void;
}

/** The place of one {@link Cancellable} below its token; `unlink()` gives it up in O(1). */
export type CancelLink = Link<Cancellable>;

/** All that hangs below one token. */
class Below extends LinkedList<Cancellable> {
  declare private readonly token: CancelToken;

  constructor(token: CancelToken) {
    super();
    this.token = token;
  }

  override emptied(): void {
    this.token.emptied();
  }
}

/**
 * A node of the cancellation tree (law C5). The first reason wins; everything linked below is told in the order it came; the
 * `AbortSignal` exists only once somebody asks for it.
 */
export class CancelToken implements Cancellable {
  /** Null until the first one comes. */
  declare private below: Below | null;
  declare private controller: AbortController | null;
  declare private ended: { readonly reason: unknown } | null;

  constructor() {
    this.below = null;
    this.controller = null;
    this.ended = null;
  }

  get isCancelled(): boolean {
    return this.ended !== null;
  }

  /** The reason it was cancelled with; undefined while it is not. */
  get reason(): unknown {
    return this.ended?.reason;
  }

  /** Made on first read; born aborted if the token is already cancelled. */
  get signal(): AbortSignal {
    let controller = this.controller;
    if (controller === null) {
      controller = new AbortController();
      this.controller = controller;
      if (this.ended !== null) controller.abort(this.ended.reason);
    }
    return controller.signal;
  }

  throwIfCancelled(): void {
    if (this.ended !== null) throw this.ended.reason;
  }

  /** Synchronous and idempotent: our own tree is told first, the signal's listeners, which are strangers, last. */
  cancel(reason: unknown): void {
    if (this.ended !== null) return;
    this.ended = { reason };
    const { below } = this;
    if (below !== null) {
      for (let link = below.first; link !== undefined; link = below.first) {
        link.unlink();
        link.item.cancelled(reason);
      }
    }
    this.controller?.abort(reason);
  }

  /** A token below another ends with it. */
  cancelled(reason: unknown): void {
    this.cancel(reason);
  }

  /** Puts `target` below this token. A cancelled token must be asked first: it tells nobody any more. */
  link(target: Cancellable): CancelLink {
    const link = new Link(target);
    this.below ??= new Below(this);
    this.below.append(link);
    return link;
  }

  get hasLinks(): boolean {
    return this.below !== null && this.below.size > 0;
  }

  /** Called when the last link has left; a token that costs something while it is linked lets go of it here. */
  emptied(): void {}
}
