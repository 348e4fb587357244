import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolders } from './make-folders.ts';

let place: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'keelson-folders-'));
});

afterEach(() => rmSync(place, { recursive: true }));

describe('folders', () => {
  test('are made with those above them, and may be there', async () => {
    const path = join(place, 'a/b/c');
    await makeFolders(path);
    await makeFolders(path);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  test('cannot be made where a file is', async () => {
    writeFileSync(join(place, 'file'), '');
    await expect(makeFolders(join(place, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeFolders(join(place, 'file/x'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  test('cannot be made on a file system that has no place for them, and that is said', async () => {
    await expect(makeFolders('/proc/keelson/x')).rejects.toMatchObject({ code: expect.stringMatching(/^E(NOENT|ROFS|ACCES|PERM)$/) });
  });
});
