import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';

/** Lists the files below `root` that match one of `patterns`, as paths relative to `root`, sorted. Installed and built files never match. */
export function listFiles(root: string, patterns: readonly string[]): string[] {
  const exclude = ['**/node_modules/**', '**/dist/**', '**/.cache/**'];
  return globSync([...patterns], { cwd: root, exclude }).sort();
}

/** Lists the folders under `packages/` that hold a manifest. */
export function listPackages(root: string): string[] {
  return globSync('packages/*/package.json', { cwd: root })
    .map((path) => path.split('/')[1] ?? '')
    .filter((name) => existsSync(join(root, 'packages', name)))
    .sort();
}

/** True of unit, property, type and integration tests, and of what only they import. */
export function isTest(path: string): boolean {
  return /\.(test|test-d|test-support)\.ts$/.test(path) || /^packages\/[^/]+\/test\//.test(path);
}
