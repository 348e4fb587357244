import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, normalize } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OutputError } from './output-error.ts';
import { fileNameOf, SavedBody } from './saved-body.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-save-'));
});
afterEach(() => rm(folder, { recursive: true }));

test.each([
  ['42', '42'],
  ['a.html', 'a.html'],
  ['../x', '%2E.%2Fx'],
  ['..', '%2E%2E'],
  ['.', '%2E'],
  ['.hidden', '%2Ehidden'],
  ['a/b\\c', 'a%2Fb%5Cc'],
  ["*?'\0\n", '%2A%3F%27%00%0A'],
  ['ünï', '%C3%BCn%C3%AF'],
])('the file of %j is %s', (id, name) => {
  expect(fileNameOf(id)).toBe(name);
});

test('a long name is shortened as the documentation says', () => {
  const page = readFileSync(new URL('../../../../docs/run.md', import.meta.url), 'utf8');
  const [, digits] = /name of more than (\d+) characters is cut to its first \1/.exec(page) ?? [];
  const longest = Number(digits);
  expect(fileNameOf('x'.repeat(longest))).toBe('x'.repeat(longest));
  expect(fileNameOf('x'.repeat(longest + 1))).toMatch(new RegExp(`^x{${longest}}-[0-9a-f]{32}$`));
});

test('every id has a file of its own within the folder', () => {
  const ids = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }).filter((id) => !/\p{Surrogate}/u.test(id));
  fc.assert(
    fc.property(ids, ids, (a, b) => {
      const name = fileNameOf(a);
      expect(name).toMatch(/^[A-Za-z0-9_%-][A-Za-z0-9_.%-]*$/);
      expect(name.length).toBeLessThan(255);
      expect(normalize(join('/dir', name))).toBe(`/dir/${basename(name)}`);
      if (a !== b) expect(fileNameOf(b)).not.toBe(name);
    }),
  );
});

const LIMITS = { maxBytes: Number.POSITIVE_INFINITY, hash: true };

test('a body has its name only when it is whole', async () => {
  const sink = new SavedBody(folder, 'a', 1, LIMITS);
  await sink.write(Buffer.from('hel'));
  expect(await readdir(folder)).toEqual(['.a.1.part']);
  await sink.write(Buffer.from('lo'));
  expect(await sink.keep()).toMatchObject({ bytes: 5, hash: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' });
  expect(await readdir(folder)).toEqual(['a']);
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('hello');
});

test('an empty body is an empty file', async () => {
  expect(await new SavedBody(folder, 'a', 1, LIMITS).keep()).toMatchObject({ bytes: 0 });
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('');
});

test('a body that breaks off leaves nothing', async () => {
  const sink = new SavedBody(folder, 'a', 1, LIMITS);
  await sink.write(Buffer.from('hel'));
  await sink.drop();
  await new SavedBody(folder, 'b', 1, LIMITS).drop();
  expect(await readdir(folder)).toEqual([]);
});

test('two attempts at one body do not meet', async () => {
  const first = new SavedBody(folder, 'a', 1, LIMITS);
  const second = new SavedBody(folder, 'a', 2, LIMITS);
  await first.write(Buffer.from('first'));
  await second.write(Buffer.from('second'));
  await first.drop();
  await second.keep();
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('second');
});

test('what cannot be written is no fault of the job', async () => {
  const sink = new SavedBody(join(folder, 'missing'), 'a', 1, LIMITS);
  await expect(sink.write(Buffer.from('x'))).rejects.toThrow(OutputError);
});
