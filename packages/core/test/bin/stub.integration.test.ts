import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const STUB = resolve(import.meta.dirname, '../../src/bin.ts');

/** Runs the stub at `path`, and says how it ended. */
function run(path: string, ...args: readonly string[]): Promise<{ code: number | string | undefined; output: string }> {
  return new Promise((resolveRun) => {
    execFile(process.execPath, ['--conditions=@keelson/source', path, ...args], (error, stdout, stderr) => {
      resolveRun({ code: error === null ? 0 : (error.code ?? undefined), output: stdout + stderr });
    });
  });
}

test('the stub runs the command of @keelson/cli where that is installed', async () => {
  const { code, output } = await run(STUB, 'run', '--help');
  expect(output).toContain('--resume');
  expect(code).toBe(0);
});

test('the stub says which package has the command where that is not installed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-stub-'));
  const alone = join(folder, 'bin.ts');
  cpSync(STUB, alone);
  const { code, output } = await run(alone, 'run', 'urls.txt');
  rmSync(folder, { recursive: true });
  expect(output).toMatch(/@keelson\/cli, which is not installed here\. Run: npx @keelson\/cli run urls\.txt/);
  expect(code).toBe(2);
});
