import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Writes the given files into a new folder that lives until the test ends, and returns that folder. */
export function temporaryTree(files: Readonly<Record<string, string>>, parent: string = tmpdir()): string {
  const root = mkdtempSync(join(parent, 'keelson-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}
