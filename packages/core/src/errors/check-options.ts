import { KeelsonError } from './keelson-error.ts';
import { optionError, showValue } from './option-error.ts';

/** What one option may be. `expected` completes "must be …". Rooms further right add their own: `time/` has the one for durations. */
export interface Check {
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
}

/** One check for each option there is; a key without one does not compile. */
export type Checks<Options extends object> = { readonly [K in keyof Options]-?: Check };

/**
 * Throws ERR_OPTION for the first option that is unknown or wrong. `undefined` means "not given" and passes (so that options can be
 * forwarded), also for `options` as a whole.
 */
export function checkOptions<Options extends object>(owner: string, options: Options | undefined, checks: Checks<Options>): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) throw optionError(owner, 'options', options, 'an object');
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, key)) {
      throw new KeelsonError('ERR_OPTION', `${owner}: unknown option ${showValue(key)}; there are ${Object.keys(checks).join(', ')}`, {
        policy: owner,
      });
    }
    const check = checks[key as keyof Options];
    if (value !== undefined && !check.accepts(value)) throw optionError(owner, key, value, check.expected);
  }
}

/** A whole number from `min` up. `allowInfinity` where "no bound" has a meaning. */
export function wholeNumber(range: { readonly min: number; readonly allowInfinity?: boolean }): Check {
  const { min, allowInfinity = false } = range;
  return {
    expected: `a whole number of at least ${min}${allowInfinity ? ' or Infinity' : ''}`,
    accepts: (value) => (Number.isSafeInteger(value) && (value as number) >= min) || (allowInfinity && value === Number.POSITIVE_INFINITY),
  };
}

/** A finite number above 0. */
export const positiveNumber: Check = {
  expected: 'a number above 0',
  accepts: (value) => Number.isFinite(value) && (value as number) > 0,
};

/** A finite number of at least 0. */
export const nonNegativeNumber: Check = {
  expected: 'a finite number of at least 0',
  accepts: (value) => Number.isFinite(value) && (value as number) >= 0,
};

/** A number from 0 to 1, both included. */
export const fraction: Check = {
  expected: 'a number from 0 to 1',
  accepts: (value) => typeof value === 'number' && value >= 0 && value <= 1,
};

/** One of some texts. */
export function oneOf(...texts: readonly string[]): Check {
  return {
    expected: `one of ${texts.map((text) => `'${text}'`).join(', ')}`,
    accepts: (value) => texts.includes(value as string),
  };
}

/** A function. */
export const func: Check = { expected: 'a function', accepts: (value) => typeof value === 'function' };

/** Something that has these methods: clocks and the like may be of anybody's making. */
export const withMethods = (expected: string, ...methods: readonly string[]): Check => ({
  expected,
  accepts: (value) => methods.every((method) => typeof (value as Record<string, unknown> | null | undefined)?.[method] === 'function'),
});

/** An `AbortSignal`, by what it can do: tests and frames bring classes of their own. */
export const abortSignal: Check = {
  expected: 'an AbortSignal',
  accepts: (value) =>
    typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value && 'removeEventListener' in value,
};

/** A text that is not empty. */
export const text: Check = { expected: 'a text that is not empty', accepts: (value) => typeof value === 'string' && value !== '' };

/** Anything: only for what has no wrong value, or is checked where it is used. */
export const any: Check = { expected: 'anything', accepts: () => true };
