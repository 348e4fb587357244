import { CancelToken } from '../cancel/cancel-token.ts';
import { checkCharge, checkHeld } from './check-call.ts';
import type { OngoingWork } from './ongoing-work.ts';
import type { Call } from './policy.ts';

/** What an attempt asks of the call it belongs to. */
export interface CallOwner {
  readonly operation: string;
  readonly parentPath: string | undefined;
  timeLeftMs(): number;
  /** Output of one of its attempts has left. */
  committed(): void;
  chargeFor(attempt: AttemptCall, costs: Readonly<Record<string, number>>): void;
  holdFor(attempt: AttemptCall, done: PromiseLike<unknown>): void;
  /** Takes over work that a call made inside this attempt left running. */
  inherit(work: OngoingWork, attempt: AttemptCall): void;
}

/** What few attempts need. */
export class AttemptExtras {
  /** What the attempt holds beyond its own settlement. */
  held: OngoingWork | null = null;
  /** Set once the attempt was abandoned while it ran. */
  abandoned: OngoingWork | null = null;
}

/** The {@link Call} of one attempt, and the token that everything started under it hangs below. Never re-used for the next attempt. */
export abstract class AttemptCall extends CancelToken implements Call {
  declare readonly attempt: number;
  declare extras: AttemptExtras | null;

  constructor(attempt: number) {
    super();
    this.attempt = attempt;
    this.extras = null;
  }

  abstract get owner(): CallOwner;

  get name(): string {
    return this.owner.operation;
  }

  get path(): string {
    const above = this.owner.parentPath;
    return above === undefined ? String(this.attempt) : `${above}.${this.attempt}`;
  }

  remainingMs(): number {
    return this.isCancelled ? 0 : this.owner.timeLeftMs();
  }

  commit(): void {
    this.owner.committed();
  }

  /** What it holds goes on without its call from now on. */
  override cancel(reason: unknown): void {
    this.extras?.held?.abandon();
    super.cancel(reason);
  }

  hold(done: PromiseLike<unknown>): void {
    checkHeld(done);
    this.owner.holdFor(this, done);
  }

  charge(costs: Readonly<Record<string, number>>): void {
    checkCharge(costs);
    this.owner.chargeFor(this, costs);
  }
}

/** Every attempt after the first, which is the call's machine itself. */
export class LaterAttempt extends AttemptCall {
  readonly #owner: CallOwner;

  constructor(owner: CallOwner, attempt: number) {
    super(attempt);
    this.#owner = owner;
  }

  override get owner(): CallOwner {
    return this.#owner;
  }
}
