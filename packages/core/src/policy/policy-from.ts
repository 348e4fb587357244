import { func, text } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import { EnginePolicy } from './engine-policy.ts';
import type { ExecuteOptions, Operation, PolicyDescription } from './policy.ts';

/** How a foreign policy runs an operation. */
export type Execute<R> = <T>(operation: Operation<T>, options: ExecuteOptions) => T | R | PromiseLike<T | R>;

class ForeignPolicy<R, E> extends EnginePolicy<R, E> {
  readonly name: string;

  constructor(name: string, execute: Execute<R>) {
    const run = async <T>(operation: Operation<T>, options: ExecuteOptions = {}): Promise<T | R> => execute(operation, options);
    super([{ foreign: { name, execute: run } }]);
    this.name = name;
  }

  describe(): PolicyDescription {
    return { name: this.name, kind: 'foreign', options: {} };
  }
}

/**
 * Makes a policy of anything that can run an operation: another library's, or a few lines of one's own.
 *
 * `execute` gets the operation and the call's options with `signal` and `parent` set, and may call the operation never, once or often, at
 * once or later; each such call runs the inner policies anew and is cancelled when `execute` settles. What happens outside and inside keeps
 * all laws; what `execute` waits for by itself is its own affair, and should end when `options.signal` aborts. An empty name, or an `execute`
 * that is no function, throws ERR_OPTION.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { compose, policyFrom, timeout } from 'keelson';
 *
 * const log: string[] = [];
 * const traced = policyFrom('traced', async (operation, options) => {
 *   log.push(`start ${options.name}`);
 *   try {
 *     return await operation(options.parent!);
 *   } finally {
 *     log.push(`end ${options.name}`);
 *   }
 * });
 * assert.equal(await compose(traced, timeout('1s')).execute(() => 42, { name: 'answer' }), 42);
 * assert.deepEqual(log, ['start answer', 'end answer']);
 */
export function policyFrom<R = never, E = never>(name: string, execute: Execute<R>): EnginePolicy<R, E> {
  if (!text.accepts(name)) throw optionError('policyFrom', 'name', name, text.expected);
  if (!func.accepts(execute)) throw optionError('policyFrom', 'execute', execute, func.expected);
  return new ForeignPolicy<R, E>(name, execute);
}
