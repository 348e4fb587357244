import type { CancelLink } from '../cancel/cancel-token.ts';
import { Lifetime } from './lifetime.ts';
import type { SpawnOptions } from './scope.ts';
import type { Task, TaskContext, TaskStatus } from './task.ts';

/** The context of one task: what it inherits from its scope, under a token of its own. */
export class TaskNode extends Lifetime implements TaskContext {
  readonly attempt = 1;
  status: TaskStatus = 'running';
  readonly #scope: Lifetime;
  readonly #link: CancelLink;
  readonly #leaveScope: () => void;
  /** Its function is the first thing that was started in it. */
  readonly #functionEnded: () => void;

  constructor(scope: Lifetime, name: string) {
    super(name, { parent: scope, clock: scope.clock, random: scope.random, deadlineMs: scope.deadlineMs });
    this.#scope = scope;
    this.#link = scope.token.link(this.token);
    this.#leaveScope = scope.keepOpen(name);
    this.#functionEnded = this.keepOpen(name);
  }

  /** Its function has settled. What it left running, a scope or a policy's work, stays its own, and can be cancelled through it. */
  settled(status: TaskStatus): void {
    this.status = status;
    this.close();
    this.#functionEnded();
  }

  protected override emptied(): void {
    this.#link.unlink();
    this.#leaveScope();
  }

  cancel(reason: unknown): void {
    this.token.cancel(reason);
  }

  /** A task's child is its scope's. */
  override spawn<T>(fn: (task: TaskContext) => T | PromiseLike<T>, options?: SpawnOptions): Task<T> {
    this.throwIfClosed('spawn');
    return this.#scope.spawn(fn, options);
  }

  hold(done: PromiseLike<unknown>): void {
    const release = this.keepOpen(`what ${this.name} holds`);
    Promise.resolve(done).then(release, release);
  }

  /** A task is not repeated, so that there is nothing to keep from it. */
  commit(): void {}

  /** A task stands under no limiter. */
  charge(): void {}
}
