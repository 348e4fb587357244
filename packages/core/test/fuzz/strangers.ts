import { AttemptCall } from '../../src/policy/attempt-call.ts';
import type { Call, ExecuteOptions, Operation, Policy } from '../../src/policy/policy.ts';
import { policyFrom } from '../../src/policy/policy-from.ts';
import type { FuzzClock } from './fuzz-clock.ts';
import { type Ledger, runningOf } from './ledger.ts';
import type { StrangerSpec } from './stack-plan.ts';
import { LayerError, Replacement } from './test-layers.ts';

type Execute = (operation: Operation<unknown>, call: Call, sleep: (ms: number) => Promise<void>) => Promise<unknown>;

/** A call of the stranger's own, with a signal that only follows ours. */
function ownCall(call: Call): Call {
  const controller = new AbortController();
  if (call.signal.aborted) controller.abort(call.signal.reason);
  else call.signal.addEventListener('abort', () => controller.abort(call.signal.reason), { once: true });
  return {
    name: 'own',
    path: '1',
    attempt: 1,
    signal: controller.signal,
    remainingMs: () => Number.POSITIVE_INFINITY,
    throwIfCancelled: () => controller.signal.throwIfAborted(),
    commit: () => call.commit(),
    hold: (done) => call.hold(done),
    charge: (costs) => call.charge(costs),
  };
}

const quiet = (promise: PromiseLike<unknown>): void => void promise.then(undefined, () => {});

/** How strangers treat the operation; none of them is to be relied upon. */
const manners: Readonly<Record<StrangerSpec['manner'], (spec: StrangerSpec, name: string) => Execute>> = {
  obedient: () => async (operation, call) => await operation(call),
  'own-call': () => async (operation, call) => await operation(ownCall(call)),
  double: () => (operation, call) => Promise.race([call, call].map(async (each) => await operation(each))),
  retrying: (spec) => async (operation, call, sleep) => {
    try {
      return await operation(call);
    } catch {
      await sleep(spec.waitMs);
      return await operation(call);
    }
  },
  late: (spec) => async (operation, call, sleep) => {
    await sleep(spec.waitMs);
    return await operation(call);
  },
  never: (spec, name) => async (_operation, _call, sleep) => {
    await sleep(spec.waitMs);
    return new Replacement(name);
  },
  early: (spec, name) => async (operation, call, sleep) => {
    quiet((async () => await operation(call))()); // its value and its error are of no interest
    void operation(call); // nor is it told that this one is cancelled
    await sleep(spec.waitMs);
    return new Replacement(name);
  },
  afterwards: (spec, name) => async (operation, call, sleep) => {
    quiet(
      (async () => {
        await sleep(spec.waitMs);
        return await operation(call);
      })(),
    );
    return new Replacement(name);
  },
  throwing: (_spec, name) => (operation, call) => {
    void operation(call);
    throw new LayerError(`${name} threw`);
  },
};

/** Waits on the fuzz's clock; ends early only if the stranger obeys. */
function sleeper(clock: FuzzClock, spec: StrangerSpec, signal: AbortSignal): (ms: number) => Promise<void> {
  return (ms) =>
    new Promise((resolve, reject) => {
      const timer = clock.own(ms, resolve);
      if (!spec.obeys) return;
      const stop = (): void => {
        timer.cancel();
        reject(signal.reason);
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
}

/** Somebody else's policy, which the ledger counts as work: what is outside must wait for it. */
export function makeStranger(spec: StrangerSpec, name: string, clock: FuzzClock, ledger: Ledger): Policy<unknown, unknown> {
  const execute = manners[spec.manner](spec, name);
  return policyFrom<unknown>(name, <T>(operation: Operation<T>, options: ExecuteOptions): Promise<T> => {
    const call = options.parent;
    if (!(call instanceof AttemptCall)) throw new Error('a foreign policy was not given its call');
    const work = ledger.begin(runningOf(call));
    const run = async (): Promise<unknown> => await execute(operation, call, sleeper(clock, spec, call.signal));
    if (spec.manner !== 'throwing') return run().finally(() => work.end()) as Promise<T>;
    work.end();
    return execute(operation, call, sleeper(clock, spec, call.signal)) as Promise<T>;
  });
}
