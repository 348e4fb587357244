import fc from 'fast-check';
import { expect, test } from 'vitest';
import { duration, formatMs } from './duration.ts';

const SEED = 20_251_121;

test('what a message shows can be put into a configuration, and is right to three digits or to the smaller of two units', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (ms) => {
      const unitMs = ms < 60_000 ? ms / 100 : ms < 3_600_000 ? 1000 : 60_000;
      expect(Math.abs(duration(formatMs(ms)) - ms)).toBeLessThanOrEqual(unitMs);
    }),
    { seed: SEED },
  );
});

test('a sum is the sum of its parts', () => {
  const amount = fc.nat(10_000);
  fc.assert(
    fc.property(amount, amount, amount, amount, (h, m, s, ms) => {
      expect(duration(`${h}h${m}m${s}s${ms}ms`)).toBe(h * 3_600_000 + m * 60_000 + s * 1000 + ms);
    }),
    { seed: SEED },
  );
});

test('no text makes it hang, or return what is no length of time', () => {
  const piece = fc.constantFrom('1', '.5', '1e', 'h', 'm', 's', 'ms', ' ', '-', '1h', 'x');
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join('')),
      (text) => {
        try {
          expect(duration(text)).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_OPTION' });
        }
      },
    ),
    { seed: SEED },
  );
});
