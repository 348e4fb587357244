import type { KeelsonError } from '../errors/keelson-error.ts';
import { optionError } from '../errors/option-error.ts';
import { NO_OPTIONS } from './call-state.ts';
import { checkCall } from './check-call.ts';
import { Machine } from './machine.ts';
import type { Part } from './part.ts';
import { PlanFamily } from './plan-family.ts';
import type { Attempt, Call, ExecuteOptions, Operation, Policy, PolicyDescription } from './policy.ts';

export interface EnginePolicy<R, E> extends Policy<R, E> {}

/** A policy that the engine runs: a single layer, or a composition. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface only adds the phantom of Policy, which has no value to initialise
export abstract class EnginePolicy<R = never, E = KeelsonError> {
  readonly #parts: readonly Part[];
  readonly #family: PlanFamily;

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.#family = new PlanFamily(parts);
  }

  /** What the engine runs for `policy`, so that `compose` can flatten. Not a member: no user of a policy needs it. */
  static partsOf(policy: EnginePolicy<unknown, unknown>): readonly Part[] {
    return policy.#parts;
  }

  abstract get name(): string;

  abstract describe(): PolicyDescription;

  execute<T>(operation: Operation<T>, options: ExecuteOptions = NO_OPTIONS): Promise<T | R> {
    let machine: Machine;
    try {
      checkOperation(operation);
      if (options !== NO_OPTIONS) checkCall(options);
      machine = new Machine(this.#family.planFor(options), operation, options, 1, null, null);
    } catch (error) {
      return Promise.reject(error);
    }
    return machine.begin() as Promise<T | R>;
  }

  attempt<T>(operation: Operation<T>, options: ExecuteOptions = NO_OPTIONS): Promise<Attempt<T | R, E>> {
    return new Promise<Attempt<T | R, E>>((resolve) => {
      let machine: Machine | undefined;
      const ok = (value: unknown): void => resolve({ ok: true, value: value as T | R });
      const failed = (error: unknown): void => resolve({ ok: false, by: machine?.endedBy(error) ?? 'caller', error } as Attempt<T | R, E>);
      try {
        checkOperation(operation);
        if (options !== NO_OPTIONS) checkCall(options);
        machine = new Machine(this.#family.planFor(options), operation, options, 1, ok, failed);
        machine.start();
      } catch (error) {
        failed(error); // no operation, or no policy could be made for the call's key
      }
    });
  }

  wrap<This, A extends unknown[], T>(
    fn: (this: This, call: Call, ...args: A) => T | PromiseLike<T>,
    options?: ExecuteOptions | ((...args: A) => ExecuteOptions),
  ): (this: This, ...args: A) => Promise<T | R> {
    if (typeof fn !== 'function') throw optionError('wrap', 'fn', fn, 'a function');
    const execute = <U>(operation: Operation<U>, own: ExecuteOptions): Promise<U | R> => this.execute(operation, own);
    const fixed = typeof options === 'function' ? undefined : withName(options, fn.name);
    const wrapped = function (this: This, ...args: A): Promise<T | R> {
      try {
        const own = fixed ?? withName((options as (...args: A) => ExecuteOptions)(...args), fn.name);
        return execute((call) => fn.call(this, call, ...args), own);
      } catch (error) {
        return Promise.reject(error);
      }
    };
    Object.defineProperty(wrapped, 'name', { value: fn.name, configurable: true });
    return wrapped;
  }
}

function withName(options: ExecuteOptions = NO_OPTIONS, name: string): ExecuteOptions {
  return name === '' || options.name !== undefined ? options : { ...options, name };
}

function checkOperation(operation: unknown): void {
  if (typeof operation !== 'function') throw optionError('execute', 'operation', operation, 'a function');
}
