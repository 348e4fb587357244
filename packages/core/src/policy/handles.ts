import type { Check } from '../errors/check-options.ts';

/** A class of errors. */
export type ErrorClass = abstract new (...args: never[]) => unknown;

/** Which errors a policy is for: those of some classes, or those that a function says. */
export type Handles = readonly ErrorClass[] | ((error: unknown) => boolean);

/** Classes of errors, or a function. */
export const handlesCheck: Check = {
  expected: 'a function, or an array of error classes',
  accepts: (value) => {
    if (Array.isArray(value)) return value.length > 0 && value.every((each) => typeof each === 'function');
    return typeof value === 'function';
  },
};

/** Whether `handles` names `error`. */
export function isHandledBy(handles: Handles, error: unknown): boolean {
  return typeof handles === 'function' ? handles(error) : handles.some((each) => error instanceof each);
}

/** `handles` as plain data. */
export function describeHandles(handles: Handles | undefined): unknown {
  if (handles === undefined) return 'by kind';
  return typeof handles === 'function' ? 'function' : handles.map((each) => each.name);
}
