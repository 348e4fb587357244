import fc from 'fast-check';
import { type CalleeQuota, useClock } from 'keelson';
import { VirtualClock } from 'keelson/testing';
import { expect, test } from 'vitest';
import { quotasIn } from './rate-limit-headers.ts';

const SEED = 20_261_128;
const YEAR_MS = 366 * 24 * 3600 * 1000;

const NAMES = [
  ...['ratelimit', 'ratelimit-policy', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
  ...['x-ratelimit-remaining', 'x-ratelimit-reset', 'x-ratelimit-remaining-tokens', 'x-ratelimit-reset-tokens', 'date'],
];
/** Close enough to what is right to come far into the parser. */
const pieces = fc.constantFrom(
  ...[
    '"a"',
    '"',
    '\\',
    ';',
    ',',
    '=',
    ' ',
    'r=1',
    't=5',
    'q=3',
    'w=9',
    'qu="requests"',
    'pk=:aA==:',
    '?1',
    'limit=1',
    'remaining=0',
    'reset=2',
  ],
  ...['1', '60', '-1', '1.5', '1800000000', '1800000000000', '6m0s', '5ms', '2026-11-28T12:00:00Z', 'Sun, 06 Nov 1994 08:49:37 GMT', '('],
);
const text = fc.oneof(
  fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string(),
);

test('whatever the headers are, what they say makes sense or is nothing', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...NAMES), fc.oneof(text, fc.array(text, { maxLength: 3 }))), (headers) => {
      for (const { remaining, resetMs, limit, periodMs, name, cost } of quotasIn(headers)) {
        expect(remaining).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(remaining)).toBe(true);
        expect(resetMs).toBeGreaterThanOrEqual(0);
        expect(resetMs).toBeLessThanOrEqual(YEAR_MS);
        expect([limit === undefined || limit > 0, periodMs === undefined || periodMs > 0]).toEqual([true, true]);
        expect([name, cost]).not.toContain('');
      }
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

const names = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)),
  minLength: 1,
  maxLength: 10,
});
const quotas = fc.uniqueArray(
  fc.record({
    name: names,
    remaining: fc.nat(),
    resetS: fc.integer({ min: 0, max: 86_400 }),
    limit: fc.integer({ min: 1 }),
    periodS: fc.integer({ min: 1, max: 86_400 }),
  }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 5 },
);
const quoted = (name: string): string => `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`;

test('what the fields of the draft say is read back as it was written', () => {
  fc.assert(
    fc.property(quotas, (all) => {
      const headers = {
        ratelimit: all.map(({ name, remaining, resetS }) => `${quoted(name)};r=${remaining};t=${resetS}`).join(', '),
        'ratelimit-policy': all.map(({ name, limit, periodS }) => `${quoted(name)};q=${limit};w=${periodS}`).join(', '),
      };
      const expected: CalleeQuota[] = all.map(({ name, remaining, resetS, limit, periodS }) => ({
        ...{ name, remaining, resetMs: resetS * 1000 },
        ...{ limit, periodMs: periodS * 1000 },
      }));
      expect(quotasIn(headers)).toEqual(expected);
    }),
    { seed: SEED },
  );
});

test('a reset is the same moment, however it is written', () => {
  using clock = useClock(new VirtualClock());
  const nowMs = clock.epochMs();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30 * 86_400 }), (inS) => {
      const atS = Math.floor(nowMs / 1000) + inS;
      const resets = [String(atS), String(atS * 1000), new Date(atS * 1000).toISOString(), new Date(atS * 1000).toUTCString()];
      const read = resets.map((reset) => quotasIn({ 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': reset })[0]?.resetMs);
      expect(new Set(read)).toEqual(new Set([Math.max(0, atS * 1000 - nowMs)]));
      const [quota] = quotasIn({ 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': String(inS) });
      expect(quota?.resetMs).toBe(inS * 1000);
    }),
    { seed: SEED },
  );
});
