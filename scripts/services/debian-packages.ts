import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** Has to fit the loader of the system it runs on: taken from there or not at all. */
const OF_THE_SYSTEM: ReadonlySet<string> = new Set(['libc6', 'libc-bin']);

/** The packages that `apt-get --simulate install` says it would install, dependencies included. */
export function packagesToInstall(simulation: string): string[] {
  const names = simulation.split('\n').flatMap((line) => /^Inst (\S+)/.exec(line)?.[1] ?? []);
  return [...new Set(names)].filter((name) => !OF_THE_SYSTEM.has(name));
}

/** Options that make apt keep its package lists and caches below `folder`, where an ordinary user may write. */
export function privateState(folder: string): string[] {
  const lists = join(folder, 'lists');
  const cache = join(folder, 'cache');
  mkdirSync(join(lists, 'partial'), { recursive: true });
  mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
  return ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${cache}`];
}

/**
 * Downloads a Debian package with those of its dependencies that the system lacks, and unpacks them all into `target`. Changes nothing on
 * the system and needs no root. Takes apt's own package lists; where these are missing or too old, fetches lists of its own.
 */
export async function unpackDebian(name: string, target: string): Promise<void> {
  mkdirSync(join(target, '..'), { recursive: true });
  const work = mkdtempSync(`${target}-`);
  try {
    const archives = await download(name, join(work, 'first')).catch(async (first: unknown) => {
      const state = privateState(join(work, 'apt'));
      try {
        await apt(work, [...state, 'update']);
        return await download(name, join(work, 'second'), state);
      } catch (second) {
        throw new AggregateError([first, second], `apt: ${messageOf(first)}; with fresh lists: ${messageOf(second)}`);
      }
    });
    const root = join(work, 'root');
    for (const archive of archives) await run('dpkg-deb', ['--extract', archive, root]);
    moveInto(root, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Whole or not at all; another process may have been quicker. */
function moveInto(from: string, target: string): void {
  try {
    renameSync(from, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
}

async function download(name: string, folder: string, state: readonly string[] = []): Promise<string[]> {
  mkdirSync(folder);
  const simulation = await apt(folder, [...state, '--simulate', '--no-install-recommends', 'install', name]);
  await apt(folder, [...state, 'download', ...packagesToInstall(simulation)]);
  return globSync('*.deb', { cwd: folder }).map((file) => join(folder, file));
}

async function apt(folder: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  const { stdout } = await run('apt-get', ['--quiet', '-o', 'APT::Sandbox::User=root', ...args], {
    cwd: folder,
    env,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return stdout;
}

/** The value of LD_LIBRARY_PATH that lets a program below `root` find what was unpacked with it. */
export function libraryPath(root: string, inherited: string | undefined): string {
  const folders = ['usr/lib/*-linux-gnu*', 'lib/*-linux-gnu*', 'usr/lib', 'lib'].flatMap((pattern) => globSync(pattern, { cwd: root }));
  return [...folders.map((folder) => join(root, folder)), ...(inherited === undefined ? [] : [inherited])].join(delimiter);
}

function messageOf(error: unknown): string {
  const { stderr, message } = error as { readonly stderr?: string; readonly message?: string };
  return (stderr?.trim() || message || String(error)).split('\n').at(-1) ?? '';
}
