import { expect, test } from 'vitest';
import { fingerprint, toHex } from '../runtime/fingerprint.ts';
import { formatEntry, scanEntry } from '../runtime/journal-entry.ts';
import { journalEntry } from './journal-result.ts';

const FACTS = { id: 'a', job: toHex(fingerprint('a')), attempts: 2, durationMs: 12.6 };

test('a success has no error', () => {
  expect(JSON.stringify(journalEntry(FACTS, { status: 200, body: { bytes: 1, body: 'x' } }, undefined))).toBe(
    `{"v":1,"id":"a","job":"${FACTS.job}","ok":true,"status":200,"attempts":2,"durationMs":13,"bytes":1,"body":"x"}`,
  );
});

test('a failure without a reply has nothing but the error', () => {
  const failure = { code: 'ERR_TIMEOUT', message: 'too slow' };
  expect(JSON.stringify(journalEntry(FACTS, {}, failure))).toBe(
    `{"v":1,"id":"a","job":"${FACTS.job}","ok":false,"attempts":2,"durationMs":13,"error":{"code":"ERR_TIMEOUT","message":"too slow"}}`,
  );
});

test('its keys stand where a resumed run looks for them', () => {
  const failed = formatEntry(journalEntry(FACTS, {}, { code: 'ERR_A', message: 'no' })).trimEnd();
  expect(failed).toMatch(/,"error":\{"code":"ERR_A","message":"no"\}\}$/);
  const line = formatEntry(journalEntry(FACTS, {}, undefined)).trimEnd();
  expect(scanEntry(Buffer.from(line))).toEqual({ id: 'a', job: fingerprint('a'), failure: undefined });
});
