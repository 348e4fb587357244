import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHttpDate } from './http-date.ts';

const THE_DAY = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('the three forms of RFC 9110', () => {
  test.each([['Sun, 06 Nov 1994 08:49:37 GMT'], ['Sunday, 06-Nov-94 08:49:37 GMT'], ['Sun Nov  6 08:49:37 1994']])('%s', (text) => {
    expect(parseHttpDate(text)).toBe(THE_DAY);
  });

  test('two digits of a year are the years from 1970 to 2069', () => {
    expect(parseHttpDate('Thursday, 01-Jan-70 00:00:00 GMT')).toBe(0);
    expect(parseHttpDate('Tuesday, 31-Dec-69 00:00:00 GMT')).toBe(Date.UTC(2069, 11, 31));
  });
});

test.each([
  [''],
  ['-5'],
  ['5'],
  ['1994-11-06T08:49:37Z'],
  ['Sun, 06 Nov 1994 08:49:37'],
  ['Sun, 06 Nov 1994 08:49:37 CET'],
  ['Sun, 99 Nov 1994 08:49:37 GMT'],
  ['Sun, 06 Nov 1994 25:49:37 GMT'],
  ['sun, 06 nov 1994 08:49:37 gmt'],
])('no date: %j', (text) => {
  expect(parseHttpDate(text)).toBeUndefined();
});

test('reads what a date prints', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 0) / 1000 }), (seconds) => {
      expect(parseHttpDate(new Date(seconds * 1000).toUTCString())).toBe(seconds * 1000);
    }),
  );
});
