import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LineWindow } from './line-window.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keelson-window-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function opened(content: string): Promise<FileHandle> {
  writeFileSync(join(folder, 'lines'), content);
  return await open(join(folder, 'lines'));
}

test.each([['\n'], ['']])('finds every line in any order, whatever its length (the file ends with %j)', async (end) => {
  const lengths = fc.array(fc.oneof(fc.nat(100), fc.nat(5000), fc.constantFrom(65_535, 65_536, 65_537, 200_000)), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(lengths, fc.infiniteStream(fc.nat()), async (sizes, order) => {
      const lines = sizes.map((size, n) => `${n}`.padEnd(size, 'x'));
      await using file = await opened(lines.join('\n') + end);
      const offsets = lines.map((_, n) => lines.slice(0, n).reduce((sum, line) => sum + line.length + 1, 0));
      const window = new LineWindow(file);
      for (const pick of [...order.take(10)]) {
        const n = pick % lines.length;
        expect((await window.lineAt(offsets[n] ?? 0)).toString()).toBe(lines[n]);
      }
    }),
    { numRuns: 30 },
  );
});

test('beyond the end there is nothing', async () => {
  await using file = await opened('a\n');
  expect((await new LineWindow(file).lineAt(2)).toString()).toBe('');
  expect((await new LineWindow(file).lineAt(100)).toString()).toBe('');
});
