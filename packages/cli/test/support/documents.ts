import { globSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { startFaultyProxy } from '../../../../scripts/faults/faulty-proxy.ts';
import type { FaultOptions, FaultyServer } from '../../../../scripts/faults/faulty-server.ts';
import { urlPathOf } from '../../../../scripts/faults/jobs.ts';
import { startNginx } from '../../../../scripts/services/nginx.ts';

/** A tree of documents as nginx serves it, behind a proxy that misbehaves. */
export interface Documents extends AsyncDisposable {
  readonly proxy: FaultyServer;
  /** By URL path, each with the file's bytes. */
  readonly files: ReadonlyMap<string, Buffer>;
}

const ROOT = resolve(import.meta.dirname, '../../../..');
const TREE = join(ROOT, '.cache/documents');
const DOCUMENTS = '**/{*.md,*.d.ts,*.d.mts,*.d.cts,*.js,package.json,LICENSE*}';
const IGNORED = ['.git', '.cache', '.stryker-tmp', '.vite', 'dist', 'coverage', 'reports'];
const MAX_FILE_BYTES = 64 * 1024;

/** Texts of this project, then of what is installed, as many as are asked for: the same ones on every fresh clone. */
function findDocuments(count: number): string[] {
  const ours = globSync(DOCUMENTS, { cwd: ROOT, exclude: (name) => name === 'node_modules' || IGNORED.includes(name) }).sort();
  const installed = globSync(`node_modules/${DOCUMENTS}`, { cwd: ROOT }).sort();
  const fits = (path: string): boolean => {
    const stat = statSync(join(ROOT, path), { throwIfNoEntry: false });
    return stat?.isFile() === true && stat.size <= MAX_FILE_BYTES;
  };
  const found = [...ours, ...installed].filter(fits).slice(0, count);
  if (found.length < count) throw new Error(`there are only ${found.length} documents; npm ci brings more`);
  return found;
}

/** Links them into a folder of their own, where nothing changes while they are served. */
function linkDocuments(paths: readonly string[]): Map<string, Buffer> {
  rmSync(TREE, { recursive: true, force: true });
  for (const folder of new Set(paths.map((path) => dirname(path)))) mkdirSync(join(TREE, folder), { recursive: true });
  for (const path of paths) symlinkSync(join(ROOT, path), join(TREE, path));
  return new Map(paths.map((path) => [urlPathOf(path), readFileSync(join(ROOT, path))]));
}

/** Serves so many documents. */
export async function serveDocuments(count: number, faults: FaultOptions): Promise<Documents> {
  const files = linkDocuments(findDocuments(count));
  const nginx = await startNginx({ root: TREE });
  const proxy = await startFaultyProxy(nginx.url, faults);
  return {
    proxy,
    files,
    [Symbol.asyncDispose]: async () => {
      await proxy.close();
      await nginx.stop();
    },
  };
}
