import { describe, expect, test } from 'vitest';
import { abortSignal, any, type Check, checkOptions, fraction, func, oneOf, positiveNumber, text, wholeNumber } from './check-options.ts';
import { isKeelsonError } from './keelson-error.ts';
import { optionError } from './option-error.ts';

interface RetryLike {
  readonly maxAttempts?: number | undefined;
  readonly jitter?: 'full' | 'none' | undefined;
}

const checks = { maxAttempts: wholeNumber({ min: 1 }), jitter: oneOf('full', 'none') };
const check = (options: unknown): void => checkOptions<RetryLike>('retry', options as RetryLike, checks);

describe('checkOptions', () => {
  test('takes right options, options left out and options forwarded as undefined', () => {
    for (const options of [undefined, {}, { maxAttempts: 3, jitter: 'full' }, { maxAttempts: undefined }]) {
      expect(() => check(options)).not.toThrow();
    }
  });

  test('F2: names the option and the value', () => {
    expect(() => check({ maxAttempts: 0 })).toThrow(
      expect.objectContaining({
        code: 'ERR_OPTION',
        policy: 'retry',
        message: 'retry: maxAttempts must be a whole number of at least 1, got 0',
      }),
    );
    expect(() => check({ jitter: 'none ' })).toThrow(`retry: jitter must be one of 'full', 'none', got "none "`);
  });

  test('F2: refuses an unknown option and names those there are', () => {
    expect(() => check({ retries: 3 })).toThrow(
      expect.objectContaining({
        code: 'ERR_OPTION',
        policy: 'retry',
        message: 'retry: unknown option "retries"; there are maxAttempts, jitter',
      }),
    );
    expect(() => check({ toString: undefined })).toThrow('retry: unknown option "toString"');
    expect(() => check(JSON.parse('{"__proto__": 1}'))).toThrow('retry: unknown option "__proto__"');
  });

  test.each([
    [null, 'null'],
    [5, '5'],
    ['x', '"x"'],
    [[], 'an array'],
    [() => {}, 'a function'],
  ])('F2: options must be an object, not %s', (options, shown) => {
    expect(() => check(options)).toThrow(`retry: options must be an object, got ${shown}`);
  });
});

describe('what an error shows of a value', () => {
  const shown = (value: unknown): string => optionError('o', 'x', value, 'y').message.replace('o: x must be y, got ', '');

  test.each([
    [5, '5'],
    [Number.NaN, 'NaN'],
    [-0, '0'],
    [5n, '5n'],
    [undefined, 'undefined'],
    [null, 'null'],
    [true, 'true'],
    [Symbol('s'), 'Symbol(s)'],
    [{ token: 'secret' }, 'an object'],
    [['secret'], 'an array'],
    [() => 'secret', 'a function'],
    ['text', '"text"'],
    ['x'.repeat(60), `"${'x'.repeat(60)}"`],
    ['x'.repeat(100), `"${'x'.repeat(60)}…"`],
  ])('%s', (value, text) => {
    expect(shown(value)).toBe(text);
  });

  test('F3: terminal escapes and line ends are inert', () => {
    expect(shown('\u001b[2J\n\u009b2J\u007f\u2028')).toBe('"\\u001b[2J\\n\\u009b2J\\u007f\\u2028"');
  });

  test('it is a KeelsonError', () => {
    expect(isKeelsonError(optionError('o', 'x', 1, 'y'), 'ERR_OPTION')).toBe(true);
  });
});

describe('the checks', () => {
  const NUMBERS = [-1, 0, 0.5, 1, 2, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', undefined];
  test.each<[string, Check, readonly unknown[]]>([
    ['wholeNumber from 0', wholeNumber({ min: 0 }), [0, 1, 2]],
    ['wholeNumber from 1', wholeNumber({ min: 1 }), [1, 2]],
    ['wholeNumber with Infinity', wholeNumber({ min: 2, allowInfinity: true }), [2, Number.POSITIVE_INFINITY]],
    ['positiveNumber', positiveNumber, [0.5, 1, 2, 2 ** 53]],
    ['fraction', fraction, [0, 0.5, 1]],
    ['any', any, NUMBERS],
  ])('%s', (_, { accepts }, right) => {
    expect(NUMBERS.filter(accepts)).toEqual(right);
  });

  test('func', () => {
    expect([() => {}, class {}, {}, null].map(func.accepts)).toEqual([true, true, false, false]);
  });

  test('text', () => {
    expect(['a', '', 5].map(text.accepts)).toEqual([true, false, false]);
  });

  test('abortSignal goes by what a signal can do', () => {
    const foreign = { aborted: false, addEventListener: () => {}, removeEventListener: () => {} };
    const values = [new AbortController().signal, foreign, new AbortController(), new EventTarget(), null, 'signal'];
    expect(values.map(abortSignal.accepts)).toEqual([true, true, false, false, false, false]);
  });

  test('say what they expect', () => {
    expect(
      [wholeNumber({ min: 2, allowInfinity: true }), positiveNumber, fraction, func, text, abortSignal, any].map((c) => c.expected),
    ).toEqual([
      'a whole number of at least 2 or Infinity',
      'a number above 0',
      'a number from 0 to 1',
      'a function',
      'a text that is not empty',
      'an AbortSignal',
      'anything',
    ]);
  });
});
