import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LineTooLongError, readLines } from './line-reader.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-lines-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Seen {
  readonly number: number;
  readonly text: string;
  readonly offset: number;
  readonly isEnded: boolean;
}

async function linesOf(content: string | Buffer, maxBytes = 1e9): Promise<Seen[]> {
  const path = join(folder, 'file');
  await writeFile(path, content);
  await using file = await open(path);
  const lines: Seen[] = [];
  for await (const { number, bytes, offset, isEnded } of readLines(file, maxBytes))
    lines.push({ number, text: bytes.toString(), offset, isEnded });
  return lines;
}

test.each([
  ['', []],
  ['\n', [{ number: 1, text: '', offset: 0, isEnded: true }]],
  ['a', [{ number: 1, text: 'a', offset: 0, isEnded: false }]],
  [
    'a\nbc\n',
    [
      { number: 1, text: 'a', offset: 0, isEnded: true },
      { number: 2, text: 'bc', offset: 2, isEnded: true },
    ],
  ],
  [
    'a\r\n\nb',
    [
      { number: 1, text: 'a\r', offset: 0, isEnded: true },
      { number: 2, text: '', offset: 3, isEnded: true },
      { number: 3, text: 'b', offset: 4, isEnded: false },
    ],
  ],
])('%j', async (content, expected) => {
  expect(await linesOf(content)).toEqual(expected);
});

test('the lines of any file are those that splitting it gives, with chunks anywhere', async () => {
  const line = fc
    .tuple(fc.integer({ min: 0, max: 100_000 }), fc.constantFrom('x', 'é', '🙂'))
    .map(([length, character]) => character.repeat(length));
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
      const content = lines.join('\n');
      const seen = await linesOf(content);
      expect(seen.map(({ text, isEnded }) => (isEnded ? `${text}\n` : text)).join('')).toBe(content);
      expect(seen.map(({ number }) => number)).toEqual(seen.map((_, index) => index + 1));
      for (const { offset, text } of seen)
        expect(
          Buffer.from(content)
            .subarray(offset, offset + Buffer.byteLength(text))
            .toString(),
        ).toBe(text);
    }),
    { numRuns: 30 },
  );
});

test('a file can be read twice at once', async () => {
  const path = join(folder, 'twice');
  await writeFile(path, 'a\nb\nc\n');
  await using file = await open(path);
  const first = readLines(file, 100);
  const second = readLines(file, 100);
  expect((await first.next()).value?.bytes.toString()).toBe('a');
  expect((await second.next()).value?.bytes.toString()).toBe('a');
  expect((await first.next()).value?.bytes.toString()).toBe('b');
});

test('a line that is too long ends the reading and is named', async () => {
  const error = await linesOf(`short\n${'x'.repeat(600_000)}\n`, 500_000).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(LineTooLongError);
  expect(error).toMatchObject({ line: 2, message: 'the line is longer than 500000 bytes' });
});
