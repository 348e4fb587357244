import type { CancelLink, Cancellable } from '../cancel/cancel-token.ts';
import { tokenOf } from '../cancel/foreign-signal.ts';
import { abortSignal, checkOptions, text, wholeNumber } from '../errors/check-options.ts';
import { ClosedError } from '../errors/closed-error.ts';
import { optionError } from '../errors/option-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { eventChannel } from '../observe/events.ts';
import { enlist } from '../observe/live.ts';
import { defaultClock } from '../time/current-clock.ts';
import { type Duration, durationMs, formatMs, toMs } from '../time/duration.ts';
import { LimitNode, type LimitTarget, limitList } from '../time/limit-list.ts';
import { type Waiter, type WaitNode, WaitQueue } from './wait-queue.ts';

/** What a {@link Semaphore} is made of, besides its number of permits. */
export interface SemaphoreOptions {
  /** For errors, events and statistics. Default `'semaphore'`. */
  readonly name?: string | undefined;
}

/** How long one caller waits for a permit: for ever, if neither is given. */
export interface AcquireOptions {
  /** Ends the wait with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Ends the wait with a {@link TimeoutError}. */
  readonly timeout?: Duration | undefined;
}

/** What a {@link Semaphore} looks like at one moment; frozen, and plain enough for JSON. */
export interface SemaphoreStatistics {
  readonly name: string;
  /** How many there are in all. */
  readonly permits: number;
  /** Permits handed out and not given back. */
  readonly inFlight: number;
  /** Callers in the queue. */
  readonly waiting: number;
  readonly isClosed: boolean;
}

const DEFAULTS = Object.freeze({ name: 'semaphore' } satisfies SemaphoreOptions);
const channel = eventChannel('semaphore');
const permitCount = wholeNumber({ min: 1 });

/** One permit, taken; give it back with `release()` or `using`. */
export interface Permit extends Disposable {
  /** Hands the permit to whoever has waited longest, else back to where it came from. Idempotent. */
  release(): void;
}

class HeldPermit implements Permit {
  #giveBack: (() => void) | undefined;

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack;
  }

  release(): void {
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

type DroppedBy = 'timeout' | 'caller' | 'close';

/** One wait for a permit. Whatever ends it first takes it out of all it stands in, each in O(1) (law C2). */
class Wait implements Waiter, Cancellable, LimitTarget {
  readonly #onGranted: () => void;
  readonly #onDropped: (by: DroppedBy, reason?: unknown) => void;
  readonly #place: WaitNode;
  readonly #link: CancelLink | undefined;
  readonly #limit: LimitNode | undefined;

  constructor(
    queue: WaitQueue,
    signal: AbortSignal | undefined,
    timeoutMs: number,
    onGranted: () => void,
    onDropped: (by: DroppedBy, reason?: unknown) => void,
  ) {
    this.#onGranted = onGranted;
    this.#onDropped = onDropped;
    this.#place = queue.add(this);
    this.#link = signal === undefined ? undefined : tokenOf(signal).link(this);
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    this.#limit = new LimitNode(this, 0, null);
    limitList(defaultClock(), timeoutMs).add(this.#limit);
  }

  granted(): void {
    this.#leave();
    this.#onGranted();
  }

  refused(error: unknown): void {
    this.#leave();
    this.#onDropped('close', error);
  }

  cancelled(reason: unknown): void {
    this.#leave();
    this.#onDropped('caller', reason);
  }

  limitReached(): void {
    this.#leave();
    this.#onDropped('timeout');
  }

  #leave(): void {
    this.#place.unlink();
    this.#link?.unlink();
    this.#limit?.list?.remove(this.#limit);
  }
}

/**
 * Lets at most `permits` pieces of work run at once; the others wait in the order they came (law P2).
 *
 * `permits` is a whole number from 1 up; anything else throws ERR_OPTION. A permit that is given back goes straight to whoever has waited
 * longest: a newcomer never overtakes. Each waiter that was dropped by its timeout, its caller or `close` is an event `dropped` on the channel
 * `keelson:semaphore`.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { Semaphore } from 'keelson';
 *
 * const connections = new Semaphore(2, { name: 'connections' });
 * let now = 0;
 * let most = 0;
 * const work = async (): Promise<void> => {
 *   most = Math.max(most, ++now);
 *   await new Promise(setImmediate);
 *   now--;
 * };
 * await Promise.all([1, 2, 3, 4, 5].map(() => connections.run(work)));
 * assert.equal(most, 2);
 */
export class Semaphore {
  readonly name: string;
  readonly #permits: number;
  readonly #queue: WaitQueue = new WaitQueue();
  /** Above 0 only while nobody waits. */
  #free: number;
  #isClosed = false;

  constructor(permits: number, options?: SemaphoreOptions) {
    if (!permitCount.accepts(permits)) throw optionError('Semaphore', 'permits', permits, permitCount.expected);
    checkOptions<SemaphoreOptions>('Semaphore', options, { name: text });
    this.name = options?.name ?? DEFAULTS.name;
    this.#permits = permits;
    this.#free = permits;
    enlist(this);
  }

  /**
   * Takes a permit, waiting for one if there is none.
   *
   * Rejects with `signal.reason`, the same object, as soon as the signal is aborted, also where a permit is free (laws C1, C2); with a
   * {@link TimeoutError} after `timeout`; with ERR_CLOSED once the semaphore is closed; with ERR_OPTION for a wrong option.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { Semaphore } from 'keelson';
   *
   * const gate = new Semaphore(1);
   * {
   *   using permit = await gate.acquire({ timeout: '1s' });
   *   assert.equal(gate.statistics().inFlight, 1);
   * }
   * assert.equal(gate.statistics().inFlight, 0);
   */
  acquire(options: AcquireOptions = {}): Promise<Permit> {
    return new Promise((resolve, reject) => {
      checkOptions<AcquireOptions>(`${this.name}.acquire`, options, { signal: abortSignal, timeout: durationMs({ allowInfinity: true }) });
      const { signal, timeout = Number.POSITIVE_INFINITY } = options;
      signal?.throwIfAborted();
      if (this.#isClosed) throw this.#closedError();
      if (this.#free > 0) {
        resolve(this.#take());
        return;
      }
      const timeoutMs = toMs(timeout);
      new Wait(
        this.#queue,
        signal,
        timeoutMs,
        () => resolve(this.#permit()),
        (by, reason) => {
          reject(by === 'timeout' ? this.#timeoutError(timeoutMs) : reason);
          if (channel.hasSubscribers) channel.publish({ type: 'dropped', policy: this.name, by });
        },
      );
    });
  }

  /**
   * Takes a permit if one is free, else returns undefined; never waits.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { Semaphore } from 'keelson';
   *
   * const gate = new Semaphore(1);
   * const permit = gate.tryAcquire();
   * assert.equal(gate.tryAcquire(), undefined);
   * permit?.release();
   */
  tryAcquire(): Permit | undefined {
    return this.#free > 0 && !this.#isClosed ? this.#take() : undefined;
  }

  /**
   * Runs `fn` under a permit, which is given back when what `fn` returns has settled (law P1). Rejects as {@link acquire} does, and with
   * `fn`'s own error.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { Semaphore } from 'keelson';
   *
   * assert.equal(await new Semaphore(1).run(async () => 'done'), 'done');
   */
  async run<T>(fn: () => T | PromiseLike<T>, options?: AcquireOptions): Promise<T> {
    const permit = await this.acquire(options);
    try {
      return await fn();
    } finally {
      permit.release();
    }
  }

  /**
   * Refuses everybody who waits and all who come later, with ERR_CLOSED (law P5). Permits in flight stay good until they are given back.
   * Idempotent.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { Semaphore } from 'keelson';
   *
   * const gate = new Semaphore(1);
   * gate.close();
   * await assert.rejects(gate.acquire(), { code: 'ERR_CLOSED' });
   */
  close(): void {
    this.#isClosed = true;
    this.#queue.refuseAll(() => this.#closedError());
  }

  /**
   * How it stands now: a frozen, JSON-safe snapshot.
   *
   * @example
   * import assert from 'node:assert/strict';
   * import { Semaphore } from 'keelson';
   *
   * const gate = new Semaphore(3, { name: 'gate' });
   * assert.deepEqual(gate.statistics(), { name: 'gate', permits: 3, inFlight: 0, waiting: 0, isClosed: false });
   */
  statistics(): SemaphoreStatistics {
    return Object.freeze({
      name: this.name,
      permits: this.#permits,
      inFlight: this.#permits - this.#free,
      waiting: this.#queue.size,
      isClosed: this.#isClosed,
    });
  }

  #take(): Permit {
    this.#free--;
    return this.#permit();
  }

  #permit(): Permit {
    return new HeldPermit(() => {
      if (!this.#queue.grant()) this.#free++;
    });
  }

  #closedError(): ClosedError {
    return new ClosedError(`${this.name} is closed`, { policy: this.name });
  }

  #timeoutError(timeoutMs: number): TimeoutError {
    const counts = `${this.#permits} of ${this.#permits} permits in flight, ${this.#queue.size} more waiting`;
    return new TimeoutError(`${this.name} timed out after ${formatMs(timeoutMs)} (${counts}); raise the permits or the timeout`, {
      policy: this.name,
      timeoutMs,
    });
  }
}
