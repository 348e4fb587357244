import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { COMPILER, runProgram } from '../../scripts/lib/processes.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = join(ROOT, '.cache/bench-run');
const SERVER = fileURLToPath(new URL('./small-server.ts', import.meta.url));

/** Programs that run beside the command. Like that they run as JavaScript, since it takes Node a while to make it of TypeScript. */
const PROGRAMS = ['report-usage', 'undici-loop', 'bare-loop', 'journaled-loop'] as const;

/** What users run: the command as it is built. */
export const KEELSON: string = join(ROOT, 'packages/cli/dist/main.js');

/** A folder with a file of URLs, and the server that they name. */
export interface BenchPlace extends Disposable {
  readonly folder: string;
  /** Path of the file of URLs, one a line. */
  readonly urls: string;
  /** Path of a program. */
  readonly program: (name: (typeof PROGRAMS)[number]) => string;
}

/** Builds the command, starts the server and writes so many URLs. */
export async function openPlace(jobs: number): Promise<BenchPlace> {
  const build = await runProgram(process.execPath, [COMPILER, '-b'], { cwd: ROOT });
  if (!build.ok) throw new Error(build.output);
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const name of PROGRAMS) writeFileSync(join(FOLDER, `${name}.js`), withoutTypes(join(import.meta.dirname, `${name}.ts`)));
  const server = fork(SERVER);
  const [port] = (await once(server, 'message')) as [number];
  const urls = join(FOLDER, 'urls.txt');
  await pipeline(urlLines(port, jobs), createWriteStream(urls));
  return {
    folder: FOLDER,
    urls,
    program: (name) => join(FOLDER, `${name}.js`),
    [Symbol.dispose]: () => {
      server.disconnect();
      rmSync(FOLDER, { recursive: true, force: true });
    },
  };
}

function withoutTypes(path: string): string {
  return stripTypeScriptTypes(readFileSync(path, 'utf8')).replace(/(?<= from '\.\/.*)\.ts(?=';)/g, '.js');
}

const LINES_AT_ONCE = 10_000;

function* urlLines(port: number, jobs: number): Generator<string> {
  for (let first = 1; first <= jobs; first += LINES_AT_ONCE) {
    const count = Math.min(LINES_AT_ONCE, jobs - first + 1);
    yield Array.from({ length: count }, (_, i) => `http://127.0.0.1:${port}/items/${first + i}\n`).join('');
  }
}
