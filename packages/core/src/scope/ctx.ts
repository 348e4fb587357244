import { CancelToken } from '../cancel/cancel-token.ts';
import { ambient } from '../context/ambient.ts';
import { KeelsonError } from '../errors/keelson-error.ts';
import { defaultClock } from '../time/current-clock.ts';
import { type Duration, toMs } from '../time/duration.ts';
import type { Lifetime } from './lifetime.ts';
import type { Context, SpawnOptions } from './scope.ts';
import { openScope } from './scope-node.ts';
import type { ScopeArguments } from './scope-options.ts';
import { sleepUnder } from './sleep.ts';
import type { Task, TaskContext } from './task.ts';

/** Never cancelled: the token of code that runs outside of any scope. */
const outside = new CancelToken();

/** The scope or task that the calling code runs in. Nobody but this room, in this or another copy of the package, puts anything there. */
const here = (): Lifetime | undefined => ambient() as Lifetime | undefined;

async function sleepOutside(duration: Duration): Promise<void> {
  await sleepUnder(defaultClock(), outside, toMs(duration, 'sleep'));
}

/**
 * The scope or task that the calling code runs in: deadline, cancellation and ownership that flow through plain `await`.
 *
 * Its members need no `this`: `const { sleep } = ctx` is fine.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { ctx } from 'keelson';
 *
 * const done: string[] = [];
 * const value = await ctx.scope('report', { timeout: '5s' }, async (scope) => {
 *   scope.spawn(async () => {
 *     await ctx.sleep('5ms');
 *     done.push('child');
 *   });
 *   assert(ctx.remainingMs() <= 5000);
 *   return 42;
 * });
 * assert.equal(value, 42);
 * assert.deepEqual(done, ['child']);
 */
export const ctx: Context = Object.freeze({
  scope<T>(name: string, ...args: ScopeArguments<T>): Promise<T> {
    return openScope(here(), name, args);
  },
  get signal(): AbortSignal {
    return (here()?.token ?? outside).signal;
  },
  remainingMs(): number {
    return here()?.remainingMs() ?? Number.POSITIVE_INFINITY;
  },
  throwIfCancelled(): void {
    here()?.throwIfCancelled();
  },
  sleep(duration: Duration): Promise<void> {
    return here()?.sleep(duration) ?? sleepOutside(duration);
  },
  spawn<T>(fn: (task: TaskContext) => T | PromiseLike<T>, options?: SpawnOptions): Task<T> {
    const node = here();
    if (node === undefined) throw new KeelsonError('ERR_NO_SCOPE', 'spawn needs an owner: call it inside ctx.scope');
    return node.spawn(fn, options);
  },
});
