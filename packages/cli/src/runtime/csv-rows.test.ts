import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineFault } from './columns.ts';
import { type CsvRow, csvRows } from './csv-rows.ts';
import { UsageError } from './usage-error.ts';

async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(content: string | Buffer, chunkBytes = 7): Promise<CsvRow[]> {
  const rows: CsvRow[] = [];
  for await (const some of csvRows(chunked(Buffer.from(content), chunkBytes), 'a.csv', 10_000)) rows.push(...some);
  return rows;
}

const quote = (field: string): string => `"${field.replaceAll('"', '""')}"`;
/** A field as it may be written: quoted where it has to be, and sometimes where not. */
const written = (field: string, isQuoted: boolean): string => (isQuoted || /[",\r\n]/.test(field) ? quote(field) : field);

test('reads what was written, in whatever chunks it comes, and says on which line each record begins', async () => {
  const pieces = fc.constantFrom('a', 'ü', '😀', ' ', ',', '"', '\n', '\r\n', "'", '\\', '\t');
  const field = fc.array(pieces, { maxLength: 6 }).map((list) => list.join(''));
  const row = fc.tuple(field, field, fc.boolean(), fc.nat({ max: 2 }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(row),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      async (rows, end, hasMark, size) => {
        let text = `${hasMark ? '\uFEFF' : ''}a,b${end}`;
        const expected: CsvRow[] = [];
        for (const [a, b, isQuoted, blanks] of rows) {
          text += end.repeat(blanks);
          expected.push({ line: text.split('\n').length, content: { a, b } });
          text += `${written(a, isQuoted)},${written(b, isQuoted)}${end}`;
        }
        expect(await read(text, size)).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});

test('a last line need not end', async () => {
  expect(await read('a,b\n1,2\n3,4')).toEqual([
    { line: 2, content: { a: '1', b: '2' } },
    { line: 3, content: { a: '3', b: '4' } },
  ]);
});

test.each(['', '\n\r\n', 'a,b', '\uFEFF', '\uFEFFa,b\r\n'])('%j has no records', async (text) => {
  expect(await read(text)).toEqual([]);
});

test('an empty field is a text, except where it says nothing', async () => {
  expect(await read('id,method,headers,body,url,x\n,,,,,\n')).toEqual([{ line: 2, content: { url: '', x: '' } }]);
});

test('K4: a column may have the name of an object member', async () => {
  const [row] = await read('__proto__,constructor\n1,2\n');
  expect(Object.entries(row?.content ?? {})).toEqual([
    ['__proto__', '1'],
    ['constructor', '2'],
  ]);
});

test('a record with another number of fields, or with bytes that are no text, is a fault of its line, and the next is read', async () => {
  const bytes = Buffer.concat([Buffer.from('a,b\n"1\r\n",2\n3\n4,5,6\n7,'), Buffer.of(0xc3), Buffer.from('\n8,9\n')]);
  for (const size of [1, 5, 100]) {
    expect(await read(bytes, size)).toEqual([
      { line: 2, content: { a: '1\r\n', b: '2' } },
      { line: 4, content: new LineFault('has 1 fields, but the header has 2') },
      { line: 5, content: new LineFault('has 3 fields, but the header has 2') },
      { line: 6, content: new LineFault('not UTF-8 text') },
      { line: 7, content: { a: '8', b: '9' } },
    ]);
  }
});

describe('is refused in place', () => {
  test.each([
    ['a,b,a\n', 'a.csv:1: the header has two columns "a"'],
    ['\n\na,\u001b[31m,\u001b[31m\n1,2,3\n', 'a.csv:3: the header has two columns "\\x1b[31m"'],
    ['a, ,b\n', 'a.csv:1: column 2 of the header has no name'],
    ['a,b\n1,2\n\n3,"4\n5,6\n', 'a.csv:4: a quote is opened here and never closed'],
    ['a,b\n1,2\n"3" ,4\n', 'a.csv:3: a quoted field goes on after its closing quote; a quote within it has to be doubled'],
    ['a,b\n1,2"\n', 'a.csv:2: a quote within a field that does not begin with one; the field has to be quoted, and the quote doubled'],
    [`a,b\n1,2\n3,${'x'.repeat(20_000)}\n`, 'a.csv:3: the record is too long'],
  ])('%j', async (text, message) => {
    for (const size of [1, 9, 100_000]) await expect(read(text, size)).rejects.toThrow(new UsageError(message));
  });

  test('a header that is no text', async () => {
    await expect(read(Buffer.of(0x61, 0x2c, 0xff, 0x0a))).rejects.toThrow(new UsageError('a.csv:1: not UTF-8 text'));
  });
});

test('a source that fails is its own failure', async () => {
  const failure = new Error('broken off');
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a,b\n1,2\n');
    throw failure;
  }
  const rows = csvRows(source(), 'a.csv', 1000);
  await expect(rows.next()).resolves.toMatchObject({ done: false });
  await expect(rows.next()).rejects.toBe(failure);
});
