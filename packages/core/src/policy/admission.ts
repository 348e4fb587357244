import { currentClock } from '../context/ambient.ts';
import { checkOptions } from '../errors/check-options.ts';
import { ClosedError } from '../errors/closed-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { type Duration, durationMs, formatMs, toMs } from '../time/duration.ts';
import { LimitNode, type LimitTarget, limitList } from '../time/limit-list.ts';

/** How long a drain may take. */
export interface DrainOptions {
  /** Then whoever still waits is refused, and the drain rejects with {@link TimeoutError}. Default `Infinity`. */
  readonly timeout?: Duration | undefined;
}

/** Whoever lets calls in, and can stop doing so. */
export interface Admitting {
  readonly name: string;
  /** Whether nobody waits and nothing runs, abandoned work included. */
  readonly isEmpty: boolean;
  /** Ends every wait. */
  refuseAll(error: () => unknown): void;
}

/** Somebody who waits until all is over. */
class Drain implements LimitTarget {
  readonly end: () => void;
  readonly #onTimeout: () => void;
  readonly #limit: LimitNode = new LimitNode(this, 0, null);

  constructor(timeoutMs: number, onEnd: () => void, onTimeout: () => void) {
    this.#onTimeout = onTimeout;
    this.end = () => {
      this.#limit.list?.remove(this.#limit);
      onEnd();
    };
    if (timeoutMs !== Number.POSITIVE_INFINITY) limitList(currentClock(), timeoutMs).add(this.#limit);
  }

  limitReached(): void {
    this.#onTimeout();
  }
}

/** Whether a policy lets calls in. It does until it is closed or drained; then never again (law P5). */
export class Admission {
  readonly #owner: Admitting;
  readonly #drains: Set<Drain> = new Set();
  #isOpen = true;

  constructor(owner: Admitting) {
    this.#owner = owner;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** What a call is refused with; without an operation: who waited when it was closed. */
  refusal(operation?: string): ClosedError {
    const { name } = this.#owner;
    const message = operation === undefined ? `${name} was closed` : `${operation} was refused: ${name} is closed`;
    return new ClosedError(message, { policy: name, operation });
  }

  close(): void {
    this.#isOpen = false;
    this.#owner.refuseAll(() => this.refusal());
    this.workEnded();
  }

  /** Lets nobody in any more; resolves when all who are in, and all who wait, are through. */
  async drain(options?: DrainOptions): Promise<void> {
    const { name } = this.#owner;
    checkOptions<DrainOptions>(`${name}.drain`, options, { timeout: durationMs({ allowInfinity: true }) });
    const timeoutMs = toMs(options?.timeout ?? Number.POSITIVE_INFINITY);
    this.#isOpen = false;
    if (this.#owner.isEmpty) return;
    await new Promise<void>((resolve, reject) => {
      const drain = new Drain(timeoutMs, resolve, () => {
        this.#drains.delete(drain);
        reject(new TimeoutError(`${name} was not drained after ${formatMs(timeoutMs)}`, { policy: name, timeoutMs }));
        this.close();
      });
      this.#drains.add(drain);
    });
  }

  /** Its owner tells it whenever something has ended. */
  workEnded(): void {
    if (this.#drains.size === 0 || !this.#owner.isEmpty) return;
    for (const drain of this.#drains) drain.end();
    this.#drains.clear();
  }
}
