import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fingerprint, fromHex, toHex } from './fingerprint.ts';

test('is the beginning of the SHA-256', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(toHex(fingerprint(text))).toBe(createHash('sha256').update(text).digest('hex').slice(0, 32));
    }),
  );
});

test('comes back from hexadecimal', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(fromHex(toHex(fingerprint(text)))).toEqual(fingerprint(text));
    }),
  );
});

test.each(['', 'abc', '0'.repeat(31), '0'.repeat(33), `${'0'.repeat(31)}G`, 'A'.repeat(32)])('%j is no fingerprint', (text) => {
  expect(fromHex(text)).toBeUndefined();
});
