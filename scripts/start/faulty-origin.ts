// An HTTP origin that serves the files of this repository and misbehaves on purpose, the same way for the same seed. On its own:
//   node scripts/start/faulty-origin.ts [seed]
import { globSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Answer, type FaultOptions, FaultyServer } from '../faults/faulty-server.ts';
import { urlPathOf } from '../faults/jobs.ts';

export interface FaultyOriginOptions extends FaultOptions {
  /** The folder whose files are served. */
  readonly root: string;
}

/** An origin that is up. */
export interface FaultyOrigin {
  readonly server: FaultyServer;
  /** The paths it serves, each with the file's bytes as they were at the start. */
  readonly files: ReadonlyMap<string, Buffer>;
}

const MAX_FILE_BYTES = 1024 * 1024;
const IGNORED = ['node_modules', '.git', '.cache', '.stryker-tmp', 'dist', 'coverage', 'reports'];

/** The files below `root` that belong to the project, by URL path; found by walking, so that it works without git. */
export function projectFiles(root: string): Map<string, Buffer> {
  const paths = globSync('**/*', { cwd: root, exclude: (name) => IGNORED.includes(name) }).sort();
  const files = paths
    .map((path) => [path, statSync(join(root, path))] as const)
    .filter(([, stat]) => stat.isFile() && stat.size <= MAX_FILE_BYTES);
  return new Map(files.map(([path]) => [urlPathOf(path), readFileSync(join(root, path))]));
}

/** Starts the origin. Its root lists the files, a URL a line: an input for `keelson run`. */
export async function startFaultyOrigin({ root, ...faults }: FaultyOriginOptions): Promise<FaultyOrigin> {
  const files = projectFiles(root);
  const answer = (target: string): Answer => {
    const body = files.get(target.replace(/\?.*$/, ''));
    if (body !== undefined) return { status: 200, body };
    if (target !== '/') return { status: 404, body: Buffer.alloc(0), isSpared: true };
    return { status: 200, body: Buffer.from([...files.keys()].map((path) => `${server.url}${path}\n`).join('')), isSpared: true };
  };
  const server = await FaultyServer.start(answer, faults);
  return { server, files };
}

if (import.meta.main) {
  const { server, files } = await startFaultyOrigin({ root: resolve(import.meta.dirname, '../..'), seed: Number(process.argv[2] ?? 1) });
  console.log(`${server.url}/ lists ${files.size} files, a URL a line; stop with Ctrl-C`);
  process.once('SIGINT', () => void server.close().then(() => console.log(server.counts())));
}
