import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SERVICES, type Service, type ServiceName } from './catalog.ts';
import { libraryPath, unpackDebian } from './debian-packages.ts';
import { findProgram, searchFolders } from './find-program.ts';

/** A server's program, ready to be started. */
export interface Provided {
  readonly command: string;
  /** What it needs in its environment beside what is there. */
  readonly env: Readonly<Record<string, string>>;
  readonly from: 'PATH' | 'the cache' | 'a download';
}

/** Where to look, and where to put what is downloaded. */
export interface ProvideOptions {
  /** Folder for downloaded packages; `.cache/services` of this repository by default. */
  readonly cache?: string | undefined;
  /** The PATH to search; that of the process by default. */
  readonly path?: string | undefined;
}

const SERVICES_CACHE: string = resolve(import.meta.dirname, '../../.cache/services');

/**
 * Finds the program of a server: on the PATH, else unpacked from Debian's packages into the cache. Where neither works, an Error that names
 * the package for apt, brew and docker: a test that needs a server fails without one, it is never skipped.
 */
export async function provide(name: ServiceName, options: ProvideOptions = {}): Promise<Provided> {
  const service = SERVICES[name];
  const installed = findProgram(service.program, searchFolders(options.path ?? process.env['PATH']));
  if (installed !== undefined) return { command: installed, env: {}, from: 'PATH' };
  const root = join(options.cache ?? SERVICES_CACHE, `${name}-${systemId()}`);
  const cached = unpacked(service, root);
  if (cached !== undefined) return { ...cached, from: 'the cache' };
  try {
    await unpackDebian(service.apt, root);
  } catch (cause) {
    throw notProvided(service, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const fresh = unpacked(service, root);
  if (fresh === undefined) throw notProvided(service, `the package ${service.apt} holds no ${service.program}`);
  return { ...fresh, from: 'a download' };
}

function unpacked(service: Service, root: string): Omit<Provided, 'from'> | undefined {
  const folders = ['usr/sbin', 'usr/bin', 'usr/games'].map((folder) => join(root, folder));
  const command = findProgram(service.program, folders);
  return command === undefined ? undefined : { command, env: { LD_LIBRARY_PATH: libraryPath(root, process.env['LD_LIBRARY_PATH']) } };
}

/** Packages of one release of a system do not fit another that shares the cache. */
function systemId(): string {
  return `${releaseOf(readOrEmpty('/etc/os-release'))}-${process.arch}`;
}

/** `debian-12` of the text of an os-release file. */
export function releaseOf(osRelease: string): string {
  const field = (key: string): string => new RegExp(`^${key}="?([\\w.-]*)"?$`, 'm').exec(osRelease)?.[1] ?? '';
  return [field('ID'), field('VERSION_ID')].filter((part) => part !== '').join('-') || process.platform;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // not a Linux system
  }
}

export function notProvided({ program, apt, brew, docker }: Service, why: string, cause?: unknown): Error {
  const message =
    `${program} is needed and could not be had (${why}). Install it with "apt-get install ${apt}" or "brew install ${brew}", ` +
    `or put a ${program} on the PATH that starts the docker image ${docker}.`;
  return new Error(message, { cause });
}
