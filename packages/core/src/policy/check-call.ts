import { abortSignal, any, type Check, type Checks, oneOf, text } from '../errors/check-options.ts';
import { KeelsonError } from '../errors/keelson-error.ts';
import { optionError, showValue } from '../errors/option-error.ts';
import type { ExecuteOptions } from './policy.ts';
import { PRIORITIES } from './priority.ts';

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const withRemainingMs = (expected: string): Check => ({
  expected,
  accepts: (value) => isObject(value) && typeof (value as { remainingMs?: unknown }).remainingMs === 'function',
});

const isCost = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0;

const CHECKS: Checks<ExecuteOptions> = {
  name: text,
  parent: withRemainingMs('the call that an operation was given'),
  signal: abortSignal,
  timeout: any, // checked where it is read, which is the one place where it costs nothing to do so
  deadline: withRemainingMs('a Deadline'),
  keys: { expected: 'an object', accepts: isObject }, // a keyed policy looks at its own
  cost: {
    expected: 'a finite number of at least 0, or an object of such',
    accepts: (value) => isCost(value) || (isObject(value) && Object.values(value).every(isCost)),
  },
  priority: oneOf(...PRIORITIES),
  idempotent: { expected: 'true or false', accepts: (value) => typeof value === 'boolean' },
};

/** Throws ERR_OPTION for what a call was given and cannot be used. Asked for every call: nothing is allocated. */
export function checkCall(options: ExecuteOptions): void {
  if (!isObject(options)) throw optionError('execute', 'options', options, 'an object');
  for (const key in options) {
    const value = options[key as keyof ExecuteOptions];
    if (value === undefined) continue;
    if (!Object.hasOwn(CHECKS, key)) {
      const message = `execute: unknown option ${showValue(key)}; there are ${Object.keys(CHECKS).join(', ')}`;
      throw new KeelsonError('ERR_OPTION', message, { policy: 'execute' });
    }
    const check = CHECKS[key as keyof ExecuteOptions];
    if (!check.accepts(value)) throw optionError('execute', key, value, check.expected);
  }
}

/** Throws ERR_OPTION for what nothing can be charged by. */
export function checkCharge(costs: unknown): void {
  if (!isObject(costs) || !Object.values(costs).every(isCost))
    throw optionError('call.charge', 'costs', costs, 'finite numbers of at least 0, by name: { tokens: 1780 }');
}

/** Throws ERR_OPTION for what never settles, since it is no promise. */
export function checkHeld(done: unknown): void {
  if (typeof (done as { then?: unknown } | null | undefined)?.then !== 'function')
    throw optionError('call.hold', 'done', done, 'a promise that settles when it is no longer in use');
}
