import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fingerprint, toHex } from './fingerprint.ts';
import { Journal } from './journal.ts';
import { formatEntry, type RecordedJob } from './journal-entry.ts';
import { UsageError } from './usage-error.ts';

let path = '';
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'keelson-journal-')), 'results.jsonl');
});
afterEach(() => rm(join(path, '..'), { recursive: true }));

const content = (): Promise<string> => readFile(path, 'utf8');
const line = (id: string, ok = true): string => formatEntry({ v: 1, id, job: toHex(fingerprint(id)), ok, attempts: 1, durationMs: 5 });

async function resumed(): Promise<{ journal: Journal; entries: RecordedJob[] }> {
  const journal = await Journal.open(path);
  const entries: RecordedJob[] = [];
  await journal.read((entry) => entries.push(entry));
  return { journal, entries };
}

describe('a new journal', () => {
  test('makes its file only when it begins', async () => {
    await using journal = await Journal.open(path);
    expect(journal.exists).toBe(false);
    await expect(content()).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await journal.begin()).toBe(0);
    expect([journal.exists, await content()]).toEqual([true, '']);
  });

  test('holds a line when append resolves, in the order of appending', async () => {
    await using journal = await Journal.open(path);
    await journal.begin();
    await journal.append(line('a'));
    expect(await content()).toBe(line('a'));
    const ids = Array.from({ length: 500 }, (_, n) => `job-${n}`);
    await Promise.all(ids.map((id) => journal.append(line(id))));
    expect(await content()).toBe([line('a'), ...ids.map((id) => line(id))].join(''));
  });

  test('is durable when it is closed', async () => {
    const journal = await Journal.open(path);
    await journal.begin();
    const appended = journal.append(line('a'));
    await journal[Symbol.asyncDispose]();
    expect(await content()).toBe(line('a'));
    await appended;
  });

  test('never replaces a file that came in between', async () => {
    await using journal = await Journal.open(path);
    await writeFile(path, 'precious');
    await expect(journal.begin()).rejects.toThrow(UsageError);
    expect(await content()).toBe('precious');
  });
});

describe('an earlier journal', () => {
  test('is read in order and continued', async () => {
    await writeFile(path, line('a') + line('b', false) + line('a', false));
    const { journal, entries } = await resumed();
    expect(entries.map(({ id, failure }) => [id, failure === undefined])).toEqual([
      ['a', true],
      ['b', false],
      ['a', false],
    ]);
    expect(await journal.begin()).toBe(0);
    await journal.append(line('c'));
    await journal[Symbol.asyncDispose]();
    expect(await content()).toBe(line('a') + line('b', false) + line('a', false) + line('c'));
  });

  test('is mended at every place where a kill could have torn its last line', async () => {
    const torn = line('tørn');
    for (let length = 1; length < Buffer.byteLength(torn) - 1; length++) {
      await writeFile(path, Buffer.concat([Buffer.from(line('a')), Buffer.from(torn).subarray(0, length)]));
      const { journal, entries } = await resumed();
      expect(entries.map(({ id }) => id)).toEqual(['a']);
      expect(await journal.begin()).toBe(length);
      await journal.append(line('b'));
      await journal[Symbol.asyncDispose]();
      expect(await content()).toBe(line('a') + line('b'));
    }
  });

  test('keeps a whole last line that an editor left without its end', async () => {
    await writeFile(path, line('a') + line('b').trimEnd());
    const { journal, entries } = await resumed();
    expect(entries.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(await journal.begin()).toBe(0);
    await journal.append(line('c'));
    await journal[Symbol.asyncDispose]();
    expect(await content()).toBe(line('a') + line('b') + line('c'));
  });

  test('loses the zeros that a power cut left', async () => {
    await writeFile(path, line('a') + '\0'.repeat(100));
    const { journal } = await resumed();
    expect(await journal.begin()).toBe(100);
    await journal[Symbol.asyncDispose]();
    expect(await content()).toBe(line('a'));
  });

  test.each([
    ['a text', 'my notes', 1],
    ['a text of lines', 'my notes\nmore\n', 1],
    ['a journal with a foreign line', `${line('a')}oops\n${line('b')}`, 2],
    ['a journal with a foreign end', `${line('a')}oops`, 2],
    ['JSON of something else', '{"url":"http://a.example"}', 1],
  ])('that is %s is refused and not touched', async (_, text, at) => {
    await writeFile(path, text);
    await using journal = await Journal.open(path);
    const message = `${path}:${at}: not a result of keelson run, so nothing is appended to this file`;
    await expect(journal.read(() => {})).rejects.toThrow(expect.objectContaining({ name: 'UsageError', message }));
    expect(await content()).toBe(text);
  });

  test('that is a folder is refused', async () => {
    await expect(Journal.open(join(path, '..'))).rejects.toThrow(/: cannot be written: illegal operation on a directory$/);
  });
});
