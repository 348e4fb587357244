import type { Call, Operation } from './policy.ts';

const isObject = (value: unknown): value is object => (typeof value === 'object' && value !== null) || typeof value === 'function';

/**
 * Calls an operation, whatever it is: a synchronous throw, a value, a thenable and a promise all arrive the same way (law F1). A value arrives
 * in the same turn.
 */
export function runOperation(
  operation: Operation<unknown>,
  call: Call,
  ok: (value: unknown) => unknown,
  failed: (error: unknown) => unknown,
): Promise<unknown> | null {
  let result: unknown;
  try {
    result = operation(call);
    if (isObject(result) && !(result instanceof Promise)) result = adopted(result);
  } catch (error) {
    failed(error);
    return null;
  }
  if (result instanceof Promise) return result.then(ok, failed);
  ok(result);
  return null;
}

/** A thenable's `then` is read once, as `await` does. */
function adopted(result: object): unknown {
  const { then } = result as { then?: unknown };
  return typeof then === 'function' ? new Promise((resolve, reject) => then.call(result, resolve, reject)) : result;
}
