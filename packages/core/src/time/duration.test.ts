import { describe, expect, test } from 'vitest';
import { checkOptions } from '../errors/check-options.ts';
import { type Duration, duration, durationMs, formatMs, toMs } from './duration.ts';

describe('toMs', () => {
  test.each<[Duration, number]>([
    [0, 0],
    [250, 250],
    [0.5, 0.5],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['250ms', 250],
    ['5s', 5000],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['0s', 0],
    ['1e3ms', 1000],
    [`${1e-7}ms`, 1e-7],
    ['.25s', 250],
  ])('%s is %d ms', (value, ms) => {
    expect(toMs(value)).toBe(ms);
  });

  test.each<[unknown, string]>([
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    ['-5s', '"-5s"'],
    ['5', '"5"'],
    ['5 s', '"5 s"'],
    ['5sec', '"5sec"'],
    ['', '""'],
    ['s', '"s"'],
    ['NaNms', '"NaNms"'],
    ['Infinitys', '"Infinitys"'],
    ['1e999s', '"1e999s"'],
    [undefined, 'undefined'],
    [null, 'null'],
    [5n, '5n'],
    [{}, 'an object'],
  ])('F2: %s is no duration', (value, shown) => {
    expect(() => toMs(value as Duration, 'ctx.sleep')).toThrow(
      expect.objectContaining({
        code: 'ERR_OPTION',
        policy: 'ctx.sleep',
        message: `ctx.sleep: duration must be a duration (milliseconds, or '250ms', '5s', '2m', '1h'), got ${shown}`,
      }),
    );
  });
});

test('without an owner, the error is in the name of the duration', () => {
  expect(() => toMs(-1)).toThrow('duration: duration must be a duration (');
});

describe('duration', () => {
  test.each([
    ['1h30m', 5_400_000],
    ['2m 5s', 125_000],
    ['1h 1m 1s 1ms', 3_661_001],
    ['1.5h', 5_400_000],
    ['  5s\n', 5000],
    ['1h500ms', 3_600_500],
  ])('%j is %d ms', (text, ms) => {
    expect(duration(text)).toBe(ms);
  });

  test.each(['', ' ', '5', '30m1h', '1s1s', '1h30', '1h,30m', 'soon', '-1s', '1 s', '1S'])('F2: refuses %j and quotes it', (text) => {
    expect(() => duration(text)).toThrow(
      expect.objectContaining({
        code: 'ERR_OPTION',
        message: `duration: text must be like '250ms', '5s', '2m', '1h' or '1h30m', got ${JSON.stringify(text)}`,
      }),
    );
  });

  test('F2: refuses what a configuration gives in place of text', () => {
    expect(() => duration(5 as unknown as string)).toThrow('duration: text must be like ');
  });

  test('takes no time over a long text that is none', () => {
    expect(() => duration(`${'1'.repeat(100_000)}x`)).toThrow('got "111');
    expect(() => duration(`1h${' '.repeat(100_000)}x`)).toThrow('got "1h');
  });
});

describe('formatMs', () => {
  test.each([
    [0, '0ms'],
    [0.4, '0.4ms'],
    [250, '250ms'],
    [999.4, '999ms'],
    [999.6, '1s'],
    [1000, '1s'],
    [1234.56, '1.23s'],
    [1200, '1.2s'],
    [59_940, '59.9s'],
    [59_960, '1m'],
    [60_000, '1m'],
    [125_000, '2m 5s'],
    [3_599_600, '1h'],
    [3_600_000, '1h'],
    [5_400_000, '1h 30m'],
    [90_000_000, '25h'],
    [Number.POSITIVE_INFINITY, 'forever'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatMs(ms)).toBe(text);
  });
});

describe('the check of an option', () => {
  const check = (wait: unknown, range?: Parameters<typeof durationMs>[0]): void => {
    checkOptions<{ wait?: unknown }>('retry', { wait }, { wait: durationMs(range) });
  };

  test('takes a finite duration above 0', () => {
    check('5s');
    check(1);
    for (const wrong of [0, '0s', Number.POSITIVE_INFINITY, -1, 'x']) {
      expect(() => check(wrong)).toThrow('retry: wait must be a finite duration above 0 (milliseconds, or ');
    }
  });

  test('may take 0, or a least value, or Infinity', () => {
    check(0, { min: 0 });
    check(Number.POSITIVE_INFINITY, { allowInfinity: true });
    check('10ms', { min: 10 });
    expect(() => check(9, { min: 10 })).toThrow('wait must be a finite duration of at least 10ms (');
    expect(() => check(0, { allowInfinity: true })).toThrow('wait must be a duration above 0 (');
    expect(() => check(-1, { min: 0, allowInfinity: true })).toThrow('wait must be a duration (');
  });
});
