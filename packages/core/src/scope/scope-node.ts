import type { CancelToken } from '../cancel/cancel-token.ts';
import { tokenOf } from '../cancel/foreign-signal.ts';
import { isCausedBy } from '../cancel/is-caused-by.ts';
import { runIn } from '../context/ambient.ts';
import type { ContextNode } from '../context/context-node.ts';
import { CancelledError } from '../errors/cancelled-error.ts';
import { checkOptions, text } from '../errors/check-options.ts';
import { suppress } from '../errors/history.ts';
import { KeelsonError } from '../errors/keelson-error.ts';
import { optionError } from '../errors/option-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { eventChannel } from '../observe/events.ts';
import { enlist } from '../observe/live.ts';
import { defaultRandom } from '../random/current-random.ts';
import type { Clock } from '../time/clock.ts';
import { defaultClock } from '../time/current-clock.ts';
import { formatMs } from '../time/duration.ts';
import { LimitNode, type LimitTarget, limitList } from '../time/limit-list.ts';
import { Lifetime, type Surroundings } from './lifetime.ts';
import type { Scope, ScopeBody, ScopeOptions, ScopeStatistics, SpawnOptions } from './scope.ts';
import { type OwnLimit, ownLimit, readScopeArguments, type ScopeArguments } from './scope-options.ts';
import { Task, type TaskContext } from './task.ts';
import { TaskNode } from './task-node.ts';

const channel = eventChannel('scope');

/** A {@link Scope} from the inside. */
class ScopeNode extends Lifetime implements Scope, LimitTarget {
  readonly #limit: OwnLimit;
  readonly #dropLimit: (() => void) | undefined;
  /** What the scope rejects with: the first event decides, what comes later is attached to it (law S1). */
  #decision: { readonly error: unknown } | null = null;
  #whenEmpty: (() => void) | undefined;

  /** A limit that is no shorter than those around it needs no timer (law T4). */
  constructor(name: string, surroundings: Surroundings, limit: OwnLimit) {
    const { clock, deadlineMs } = surroundings;
    const ownDeadlineMs = clock.nowMs() + limit.ms;
    super(name, { ...surroundings, deadlineMs: Math.min(deadlineMs, ownDeadlineMs) });
    this.#limit = limit;
    if (ownDeadlineMs < deadlineMs) this.#dropLimit = setLimit(this, clock, limit);
    enlist(this);
  }

  scope<T>(name: string, ...args: ScopeArguments<T>): Promise<T> {
    return openScope(this, name, args);
  }

  cancel(reason: unknown = new CancelledError('explicit', `scope ${this.path} was cancelled`)): void {
    this.#end('cancelled', reason);
  }

  /** The scope's own limit has passed. */
  limitReached(): void {
    const { ms, isDeadline } = this.#limit;
    const how = isDeadline ? `did not end by its deadline, ${formatMs(ms)} after it began` : `timed out after ${formatMs(ms)}`;
    this.#end('timed-out', new TimeoutError(`scope ${this.path} ${how}`, { operation: this.path, timeoutMs: ms }));
  }

  spawn<T>(fn: (task: TaskContext) => T | PromiseLike<T>, options?: SpawnOptions): Task<T> {
    if (typeof fn !== 'function') throw optionError('spawn', 'fn', fn, 'a function');
    checkOptions<SpawnOptions>('spawn', options, { name: text });
    this.throwIfClosed('spawn');
    const name = options?.name ?? (fn.name || 'task');
    if (this.token.isCancelled) return this.#notStarted(name);
    const node = new TaskNode(this, name);
    const promise = runIn(node, async () => fn(node));
    promise.then(
      () => {
        if (node.token.isCancelled) this.#publish('cancel-swallowed', { by: node.path });
        node.settled('done');
      },
      (error: unknown) => node.settled(this.#rejected(error, node.token, 'sibling-failed', node.path)),
    );
    return new Task(node, promise);
  }

  /** The function is never called, and that it was to be counts as cut short. */
  #notStarted(name: string): Task<never> {
    const { reason } = this.token;
    this.#decision ??= { error: reason };
    const promise = Promise.reject(reason);
    promise.catch(() => {}); // surfaces through the scope (law S6)
    return new Task({ name, status: 'cancelled', cancel: () => {} }, promise);
  }

  /** Runs the body and ends the scope after it: body, then children, then whatever is around (law S2). */
  async live<T>(body: ScopeBody<T>): Promise<T> {
    let value: T | undefined;
    try {
      value = await runIn(this, () => body(this));
      if (this.token.isCancelled) this.#publish('cancel-swallowed', { by: this.path });
    } catch (error) {
      this.#rejected(error, this.token, 'body-failed', this.path);
    }
    while (this.open > 0) await this.#emptiedOnce();
    this.close(); // in the turn of the last look: nothing can be started in between
    if (this.#decision !== null) throw this.#decision.error;
    return value as T;
  }

  #emptiedOnce(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  protected override emptied(): void {
    this.#whenEmpty?.();
  }

  protected override close(): void {
    super.close();
    this.#dropLimit?.();
    this.#publish('closed');
  }

  /**
   * What the body or a child has rejected with. Around the reason of its own cancellation it is that cancellation (law C4), and an API's wrapper
   * goes to the reason's history (law C1); anything else is a failure.
   */
  #rejected(error: unknown, token: CancelToken, kind: 'sibling-failed' | 'body-failed', by: string): 'cancelled' | 'failed' {
    if (token.isCancelled && isCausedBy(error, token.reason)) {
      suppress(token.reason, error);
      if (token.reason === this.token.reason) this.#decision ??= { error: token.reason };
      return 'cancelled';
    }
    this.#failed(error, kind, by);
    return 'failed';
  }

  /** The first failure decides, unless a cancellation came before it; later ones are attached. Who passes the first one on has not failed. */
  #failed(error: unknown, kind: 'sibling-failed' | 'body-failed', by: string): void {
    this.#decision ??= { error: this.token.isCancelled ? this.token.reason : error };
    const first = this.#decision.error;
    suppress(first, error);
    if (!this.token.isCancelled) this.#end('failed', new CancelledError(kind, `${by} failed`, { cause: error }), { by, error });
    else if (!isCausedBy(error, first)) this.#publish('failed', { by, error });
  }

  /** The first reason wins. Our own books first, listeners, who are strangers, last. */
  #end(type: string, reason: unknown, fields: Readonly<Record<string, unknown>> = { reason }): void {
    if (this.token.isCancelled) return;
    this.token.cancel(reason);
    this.#publish(type, fields);
  }

  #publish(type: string, fields?: Readonly<Record<string, unknown>>): void {
    if (channel.hasSubscribers) channel.publish({ type, policy: this.name, scope: this.path, ...fields });
  }

  statistics(): ScopeStatistics {
    const { name, path, isClosed } = this;
    return Object.freeze({ name, path, isClosed, isCancelled: this.token.isCancelled, inFlight: this.open });
  }
}

/** Returns what takes the limit away. A list serves limits of one length; what is left until a deadline is of any length. */
function setLimit(target: ScopeNode, clock: Clock, { ms, isDeadline }: OwnLimit): () => void {
  if (isDeadline) {
    const timer = clock.schedule(ms, () => target.limitReached());
    return () => timer.cancel();
  }
  const node = new LimitNode(target, 0, null);
  limitList(clock, ms).add(node);
  return () => node.list?.remove(node);
}

/** A scope on a clock of its own keeps the time that is left outside. */
function surroundingsOf(parent: ContextNode | undefined, options: ScopeOptions): Surroundings {
  const random = options.random ?? parent?.random ?? defaultRandom();
  if (parent === undefined) return { parent, clock: options.clock ?? defaultClock(), random, deadlineMs: Number.POSITIVE_INFINITY };
  const { clock = parent.clock } = options;
  const { deadlineMs } = parent;
  return { parent, clock, random, deadlineMs: clock === parent.clock ? deadlineMs : clock.nowMs() + deadlineMs - parent.clock.nowMs() };
}

/** Runs a body in a new scope below `parent`. */
export async function openScope<T>(parent: ContextNode | undefined, name: string, args: ScopeArguments<T>): Promise<T> {
  const { options, body } = readScopeArguments(name, args);
  if (parent?.isClosed === true) {
    const { path } = parent;
    throw new KeelsonError('ERR_SCOPE_CLOSED', `scope ${name} was not started: ${path} is over`, { operation: path });
  }
  parent?.token.throwIfCancelled();
  options.signal?.throwIfAborted();
  const limit = ownLimit(options);
  if (limit.ms <= 0) throw new TimeoutError(`scope ${name} was not started: its deadline has passed`, { operation: name, timeoutMs: 0 });
  const scope = new ScopeNode(name, surroundingsOf(parent, options), limit);
  const links = [parent?.token.link(scope.token), options.signal === undefined ? undefined : tokenOf(options.signal).link(scope.token)];
  const leaveParent = parent?.keepOpen(name);
  try {
    return await scope.live(body);
  } finally {
    for (const link of links) link?.unlink();
    leaveParent?.();
  }
}
