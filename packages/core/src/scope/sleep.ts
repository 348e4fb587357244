import type { CancelLink, Cancellable, CancelToken } from '../cancel/cancel-token.ts';
import type { Clock, ScheduledTimer } from '../time/clock.ts';

/** One wait for time to pass that ends at once, in O(1), when its token is cancelled. */
class Sleep implements Cancellable {
  readonly #reject: (reason: unknown) => void;
  readonly #link: CancelLink;
  readonly #timer: ScheduledTimer;

  constructor(clock: Clock, token: CancelToken, ms: number, resolve: () => void, reject: (reason: unknown) => void) {
    this.#reject = reject;
    this.#link = token.link(this);
    this.#timer = clock.schedule(ms, () => {
      this.#link.unlink();
      resolve();
    });
  }

  cancelled(reason: unknown): void {
    this.#timer.cancel();
    this.#reject(reason);
  }
}

/**
 * Resolves when `ms` have passed; rejects with the token's reason if that comes first, or came before (law C6). Its end while nobody waits for it
 * is nobody's failure, so that it makes no unhandled rejection.
 */
export function sleepUnder(clock: Clock, token: CancelToken, ms: number): Promise<void> {
  const sleep = new Promise<void>((resolve, reject) => {
    if (token.isCancelled) reject(token.reason);
    else new Sleep(clock, token, ms, resolve, reject);
  });
  sleep.catch(() => {});
  return sleep;
}
