import { type CalleeQuota, useClock } from 'keelson';
import { VirtualClock } from 'keelson/testing';
import { describe, expect, test } from 'vitest';
import { quotasIn } from './rate-limit-headers.ts';

const MINUTE_MS = 60_000;

describe('the fields of the current draft', () => {
  test('say for each policy what remains, and until when', () => {
    const headers = {
      'ratelimit-policy': '"burst";q=100;w=60,"daily";q=1000;w=86400;pk=:aGk=:',
      ratelimit: '"burst";r=50;t=30, "daily";r=900;t=4000;pk=:aGk=:',
    };
    expect(quotasIn(headers)).toEqual([
      { name: 'burst', remaining: 50, resetMs: 30_000, limit: 100, periodMs: MINUTE_MS },
      { name: 'daily', remaining: 900, resetMs: 4_000_000, limit: 1000, periodMs: 86_400_000 },
    ]);
  });

  test('may come more than once', () => {
    const headers = { 'ratelimit-policy': ['"a";q=1;w=1', '"b";q=2;w=2'], ratelimit: ['"a";r=0;t=1', '"b";r=1;t=2'] };
    expect(quotasIn(headers).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('without a reset are for a whole window, and without both for nothing', () => {
    expect(quotasIn({ ratelimit: '"a";r=3, "b";r=4', 'ratelimit-policy': '"a";q=9;w=10' })).toEqual([
      { name: 'a', remaining: 3, resetMs: 10_000, limit: 9, periodMs: 10_000 },
    ]);
  });

  test('count requests, or what the policy says', () => {
    const headers = {
      'ratelimit-policy': '"a";q=5;w=1;qu="requests","b";q=5;w=1;qu="content-bytes","c";q=5;qu="concurrent-requests"',
      ratelimit: '"a";r=1;t=1,"b";r=2;t=1,"c";r=3;t=1',
    };
    expect(quotasIn(headers)).toEqual([
      { name: 'a', remaining: 1, resetMs: 1000, limit: 5, periodMs: 1000 },
      { name: 'b', remaining: 2, resetMs: 1000, limit: 5, periodMs: 1000, cost: 'content-bytes' },
    ]);
  });

  test('need no policy, and know quoted names and fractions', () => {
    expect(quotasIn({ ratelimit: '"a \\"b\\" \\\\"; r=1.5;t=0' })).toEqual([{ name: 'a "b" \\', remaining: 1.5, resetMs: 0 }]);
  });
});

describe('the fields of earlier drafts', () => {
  test.each<[string, Record<string, string>, CalleeQuota]>([
    ['as a dictionary', { ratelimit: 'limit=100, remaining=40, reset=7' }, { remaining: 40, resetMs: 7000 }],
    [
      'with a policy by number',
      { ratelimit: 'limit=100, remaining=40, reset=7', 'ratelimit-policy': '10;w=1, 100;w=60' },
      { remaining: 40, resetMs: 7000, limit: 100, periodMs: MINUTE_MS },
    ],
    ['three of them', { 'ratelimit-limit': '100', 'ratelimit-remaining': '40', 'ratelimit-reset': '7' }, { remaining: 40, resetMs: 7000 }],
    [
      'with the policies behind the limit',
      { 'ratelimit-limit': '100, 100;w=60;comment="ours", 5000;w=86400', 'ratelimit-remaining': '40', 'ratelimit-reset': '7' },
      { remaining: 40, resetMs: 7000, limit: 100, periodMs: MINUTE_MS },
    ],
    [
      'with one policy, of a field of its own',
      { 'ratelimit-policy': '100;w=60', 'ratelimit-remaining': '0', 'ratelimit-reset': '7' },
      { remaining: 0, resetMs: 7000, limit: 100, periodMs: MINUTE_MS },
    ],
  ])('%s', (_what, headers, quota) => {
    expect(quotasIn(headers)).toEqual([quota]);
  });
});

describe('X-RateLimit', () => {
  const resetOf = (reset: string, more: Record<string, string> = {}): number | undefined =>
    quotasIn({ 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': reset, ...more })[0]?.resetMs;

  test('resets in so many seconds, or in a duration', () => {
    expect([resetOf('60'), resetOf('1.5'), resetOf('0')]).toEqual([MINUTE_MS, 1500, 0]);
    expect([resetOf('6m0s'), resetOf('1h2m3.5s'), resetOf('20ms'), resetOf('1s'), resetOf('1s20ms'), resetOf('5m')]).toEqual([
      6 * MINUTE_MS,
      3_723_500,
      20,
      1000,
      1020,
      5 * MINUTE_MS,
    ]);
  });

  test('resets at a time of our clock, in seconds, in milliseconds or as a date', () => {
    using clock = useClock(new VirtualClock());
    const now = clock.epochMs();
    const wholeMs = Math.ceil(now / 1000) * 1000 + 90_000;
    const forms = [String(wholeMs / 1000), String(wholeMs), new Date(wholeMs).toISOString(), new Date(wholeMs).toUTCString()];
    expect(forms.map((form) => resetOf(form))).toEqual([wholeMs - now, wholeMs - now, wholeMs - now, wholeMs - now]);
    expect([resetOf('40000000'), resetOf('100000000000')]).toEqual([0, 0]); // 1971, 1973
  });

  test('resets at a time of the server’s clock, if that shows', () => {
    const date = new Date(1_800_000_000_000).toUTCString();
    expect([resetOf('1800000030', { date }), resetOf('1799999990', { date })]).toEqual([30_000, 0]);
  });

  test('has other names, too', () => {
    expect(quotasIn({ 'x-rate-limit-remaining': '4', 'x-rate-limit-reset': '9' })).toEqual([{ remaining: 4, resetMs: 9000 }]);
    expect(resetOf('1800000000', { 'x-ratelimit-reset-after': '1.25' })).toBe(1250);
  });

  test('of language models counts requests and tokens', () => {
    const headers = {
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-remaining-tokens': '149984',
      'x-ratelimit-reset-tokens': '6m0s',
    };
    expect(quotasIn(headers)).toEqual([
      { remaining: 59, resetMs: 1000 },
      { remaining: 149_984, resetMs: 360_000, cost: 'tokens' },
    ]);
  });
});

test('what a later draft says goes before an earlier one’s, and that before the wild', () => {
  const wild = { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '1' };
  const former = { 'ratelimit-remaining': '2', 'ratelimit-reset': '2' };
  expect(quotasIn({ ...wild, ...former })).toEqual([{ remaining: 2, resetMs: 2000 }]);
  expect(quotasIn({ ...wild, ...former, ratelimit: '"a";r=3;t=3' })).toEqual([{ name: 'a', remaining: 3, resetMs: 3000 }]);
  expect(quotasIn({ ...wild, ratelimit: 'nonsense=' })).toEqual([{ remaining: 1, resetMs: 1000 }]);
});

describe('as good as none', () => {
  test.each<[Record<string, string | string[]>]>([
    [{}],
    [{ ratelimit: '' }],
    [{ ratelimit: '"a"' }],
    [{ ratelimit: '"";r=1;t=1' }],
    [{ ratelimit: '"a";r=-1;t=1' }],
    [{ ratelimit: '"a";r=1;t=-1' }],
    [{ ratelimit: '"a";r="1";t=1' }],
    [{ ratelimit: '"a";r=1;t=1,' }],
    [{ ratelimit: '"a";r=1;t=1;' }],
    [{ ratelimit: '"a;r=1;t=1' }],
    [{ ratelimit: '"a";r=1;t=1 "b";r=1;t=1' }],
    [{ ratelimit: '("a");r=1;t=1' }],
    [{ ratelimit: '"a";r=1;t=99999999' }],
    [{ ratelimit: '"a";r=1234567890123456;t=1' }],
    [{ ratelimit: `"${'a'.repeat(5000)}";r=1;t=1` }],
    [{ ratelimit: Array.from({ length: 33 }, (_, i) => `"${i}";r=1;t=1`) }],
    [{ ratelimit: 'remaining=1' }],
    [{ 'ratelimit-remaining': '1' }],
    [{ 'ratelimit-remaining': '-1', 'ratelimit-reset': '1' }],
    [{ 'ratelimit-remaining': 'one', 'ratelimit-reset': '1' }],
    [{ 'x-ratelimit-remaining': '4' }],
    [{ 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': '' }],
    [{ 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': '-1' }],
    [{ 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': '1e3' }],
    [{ 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': 'soon' }],
    [{ 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': '99999999999' }],
    [{ 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': '99999999999999' }],
    [{ 'x-ratelimit-remaining': '-4', 'x-ratelimit-reset': '1' }],
    [{ 'x-ratelimit-remaining': ' ', 'x-ratelimit-reset': '1' }],
    [{ 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': '2026-13-01T00:00:00Z' }],
  ])('%j', (headers) => {
    expect(quotasIn(headers)).toEqual([]);
  });

  test('a policy that is no rate', () => {
    for (const policy of ['"a";q=0;w=1', '"a";q=5', '"a";q=5;w=0', '"a";w=5', '"b";q=5;w=1']) {
      const [quota] = quotasIn({ ratelimit: '"a";r=1;t=1', 'ratelimit-policy': policy });
      expect(quota).toEqual({ name: 'a', remaining: 1, resetMs: 1000 });
    }
  });
});
