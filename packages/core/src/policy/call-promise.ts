import { CallWaits } from './call-waits.ts';
import type { Plan } from './plan.ts';
import type { ExecuteOptions, Operation } from './policy.ts';

const NEXT_TURN = Promise.resolve();

/**
 * What the caller has of a call. Where nothing can end the call before its operation does (no limit, no signal, no parent, no scope, no wait so far), that
 * is the operation's own promise with our reactions on it: it costs no second one, and keeps the caller's frames in async stack traces. Else it is a
 * promise of the call's own.
 */
export abstract class CallPromise extends CallWaits {
  /** Null while the call has no promise of its own. */
  declare private resolve: ((value: unknown) => void) | null;
  declare private rejectWith: ((error: unknown) => void) | null;
  declare private hasFailed: boolean;
  /** The operation's promise with our reactions, if that is what the caller has. */
  declare private lean: Promise<unknown> | null;

  constructor(
    plan: Plan,
    fn: Operation<unknown>,
    options: ExecuteOptions,
    attempt: number,
    resolve: ((value: unknown) => void) | null,
    rejectWith: ((error: unknown) => void) | null,
  ) {
    super(plan, fn, options, attempt);
    this.resolve = resolve;
    this.rejectWith = rejectWith;
    this.hasFailed = false;
    this.lean = null;
  }

  /** Whether it stands alone: nothing around it can end it. */
  protected get isPlain(): boolean {
    const { signal, parent, timeout, deadline } = this.options;
    return signal === undefined && parent === undefined && timeout === undefined && deadline === undefined && this.rare === null;
  }

  /** A promise of its own, for a call that can be ended by something else than its operation. */
  protected ownPromise(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.rejectWith = reject;
    });
  }

  /** The promise of the outcome: settled, if there is one already. */
  protected promise(): Promise<unknown> {
    if (this.lean !== null) return this.lean;
    if (!this.isSettled) return this.ownPromise();
    const { payload } = this;
    if (!this.hasFailed) return Promise.resolve(payload);
    // A turn later, when the caller has its reactions on it: V8 and Node keep books of a rejection that nobody awaits yet.
    return new Promise((_, reject) => void NEXT_TURN.then(() => reject(payload)));
  }

  /** What the reaction on the operation's promise comes to: of use only where that is what the caller has. */
  protected delivered(): unknown {
    if (this.lean === null) return undefined;
    if (!this.isSettled) {
      this.lean = null;
      return this.ownPromise();
    }
    if (this.hasFailed) throw this.payload;
    return this.payload;
  }

  /** The operation runs, and `reaction` is what our reactions on its promise come to. */
  protected mayServe(reaction: Promise<unknown>): void {
    if (this.resolve === null && this.limits === null && this.rare === null) this.lean = reaction;
  }

  protected deliver(value: unknown): void {
    if (this.resolve === null) {
      this.payload = value;
      this.hasFailed = false;
    } else this.resolve(value);
  }

  protected deliverFailure(error: unknown): void {
    if (this.rejectWith === null) {
      this.payload = error;
      this.hasFailed = true;
    } else this.rejectWith(error);
  }
}
