import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprint, toHex } from './fingerprint.ts';
import { formatEntry, type JournalEntry, parseEntry, scanEntry } from './journal-entry.ts';

const JOB = fingerprint('job');

const entries: fc.Arbitrary<JournalEntry> = fc
  .record({
    v: fc.constant(1 as const),
    id: fc.string({ unit: 'binary', minLength: 1, maxLength: 800 }).filter((id) => !/\p{Surrogate}/u.test(id)),
    job: fc.constant(toHex(JOB)),
    status: fc.option(fc.integer({ min: 200, max: 599 }), { nil: undefined }),
    attempts: fc.nat(),
    durationMs: fc.nat(),
    body: fc.option(fc.oneof(fc.string({ unit: 'binary' }), fc.constant('{"x":1,"error":{"code":"ERR_FORGED"}}')), { nil: undefined }),
    error: fc.option(
      fc.record({ code: fc.constantFrom('ERR_TIMEOUT', 'E "quoted"', 'x'.repeat(1000)), message: fc.string({ unit: 'binary' }) }),
      {
        nil: undefined,
      },
    ),
  })
  .map(({ error, ...facts }) => ({ ...facts, ok: error === undefined, error }));

test('a line is JSON that means the entry, and is one line', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const line = formatEntry(entry);
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(entry)));
      expect(line.indexOf('\n')).toBe(line.length - 1);
    }),
  );
});

test('F3: a line does nothing to a terminal', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the test is about control characters
      expect(formatEntry(entry).slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }),
  );
});

describe.each([
  ['scanning', scanEntry],
  ['parsing', parseEntry],
])('%s', (_, read) => {
  test('finds id, job and outcome of every entry', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        expect(read(Buffer.from(formatEntry(entry).trimEnd()))).toEqual({ id: entry.id, job: JOB, failure: entry.error?.code });
      }),
    );
  });

  test('takes keys in any order and unknown ones', () => {
    const line = JSON.stringify({ note: 'by hand', ok: true, job: toHex(JOB), id: 'a', v: 1 });
    expect(read(Buffer.from(line))).toEqual({ id: 'a', job: JOB, failure: undefined });
  });

  test('a failure without a code is one all the same', () => {
    for (const rest of ['', ',"error":null', ',"error":{"code":7}', ',"error":{"code":""}']) {
      const line = Buffer.from(`{"v":1,"id":"a","job":"${toHex(JOB)}","ok":false,"attempts":1${rest}}`);
      expect(read(line)).toEqual({ id: 'a', job: JOB, failure: 'ERR_UNKNOWN' });
    }
  });

  test.each([
    '',
    '{}',
    'null',
    '[1]',
    'http://a.example',
    `{"v":2,"id":"a","job":"${toHex(JOB)}","ok":true}`,
    '{"v":1,"id":"a","job":"00","ok":true}',
  ])('%j is no entry', (line) => {
    expect(read(Buffer.from(line))).toBeUndefined();
  });
});

test('no beginning of a line is taken for an entry', () => {
  fc.assert(
    fc.property(entries, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (entry, share) => {
      const line = Buffer.from(formatEntry(entry).trimEnd());
      expect(parseEntry(line.subarray(0, Math.floor(line.length * share)))).toBeUndefined();
    }),
  );
});
