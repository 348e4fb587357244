import { expect, test } from 'vitest';
import { Secrets } from './secrets.ts';

test('F3: hides a value wherever it stands, and the token behind its scheme', () => {
  const secrets = new Secrets(['Bearer abc123', 'k3y']);
  expect(secrets.hideInText('sent Bearer abc123 and abc123, k3y k3y')).toBe('sent *** and ***, *** ***');
  expect(secrets.hideInBytes(Buffer.from('{"authorization":"Bearer abc123"}')).toString()).toBe('{"authorization":"***"}');
});

test('hides a value as JSON escapes it', () => {
  expect(new Secrets(['a"b\\c']).hideInText('{"echo":"a\\"b\\\\c"}')).toBe('{"echo":"***"}');
});

test('leaves bytes that are no text as they are around a secret', () => {
  const secrets = new Secrets(['k3y']);
  const bytes = Buffer.from([0xff, 0x00, 0x6b, 0x33, 0x79, 0xfe]);
  expect([...secrets.hideInBytes(bytes)]).toEqual([0xff, 0x00, 0x2a, 0x2a, 0x2a, 0xfe]);
});

test('returns the bytes themselves where there is nothing to hide', () => {
  const bytes = Buffer.from('public');
  expect(new Secrets(['k3y']).hideInBytes(bytes)).toBe(bytes);
  expect(new Secrets([]).hideInText('public')).toBe('public');
});
