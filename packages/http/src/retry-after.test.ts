import { useClock } from 'keelson';
import { VirtualClock } from 'keelson/testing';
import { describe, expect, test } from 'vitest';
import { parseRetryAfter } from './retry-after.ts';

describe('law R2: Retry-After', () => {
  test.each([
    ['0', 0],
    ['120', 120_000],
    [' 3 ', 3000],
    ['1.5', 1500],
  ])('seconds: %j', (text, ms) => {
    expect(parseRetryAfter(text)).toBe(ms);
  });

  test('a date is read on the current clock', () => {
    using clock = useClock(new VirtualClock());
    const inTenSeconds = Math.ceil(clock.epochMs() / 1000) * 1000 + 10_000;
    expect(parseRetryAfter(new Date(inTenSeconds).toUTCString())).toBe(inTenSeconds - clock.epochMs());
  });

  test('a date that has passed asks for no wait', () => {
    expect(parseRetryAfter('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(0);
  });

  test('the first of several counts', () => {
    expect(parseRetryAfter(['2', '9'])).toBe(2000);
  });

  test.each([[undefined], [''], ['-5'], ['+5'], ['5s'], ['soon'], ['1e3'], ['NaN'], ['Infinity'], ['9'.repeat(400)], [[]]])(
    'as good as none: %j',
    (text) => {
      expect(parseRetryAfter(text)).toBeUndefined();
    },
  );
});
