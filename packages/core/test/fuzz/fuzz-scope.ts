import { AsyncLocalStorage } from 'node:async_hooks';
import { ctx } from '../../src/scope/ctx.ts';
import type { FuzzClock } from './fuzz-clock.ts';
import type { ScopeSpec } from './stack-plan.ts';

/** The scope in which a plan's calls are made, if it has one. */
export class FuzzScope {
  readonly #ended: () => void;
  #signal: AbortSignal | undefined;
  #enter: <R>(body: () => R) => R = (body) => body();
  isOver = true;

  /** `ended` is called when the scope has let go of everything. */
  constructor(ended: () => void) {
    this.#ended = ended;
  }

  /** Why it was cancelled, if it was. */
  get reason(): unknown {
    return this.#signal?.aborted === true ? this.#signal.reason : undefined;
  }

  /** Runs `body` as code in the scope does, also when the scope is over. */
  run<R>(body: () => R): R {
    return this.#enter(body);
  }

  /** Opens the scope; its body ends when the spec says so, cancelled or not. */
  open({ timeoutMs, cancelAtMs, endsAtMs }: ScopeSpec, clock: FuzzClock): void {
    this.isOver = false;
    const opened = ctx.scope('fuzz', { timeout: timeoutMs }, (scope) => {
      this.#signal = scope.signal;
      this.#enter = AsyncLocalStorage.snapshot();
      if (cancelAtMs !== undefined) clock.own(cancelAtMs, () => scope.cancel(new Error('the scope was cancelled')));
      return new Promise<void>((resolve) => void clock.own(endsAtMs, resolve));
    });
    const over = (): void => {
      this.isOver = true;
      this.#ended();
    };
    opened.then(over, over);
  }
}
