import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StagedPackage } from '../stage.ts';
import { runProgram } from './processes.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** A staged package and the tarball that npm made of it. */
export interface PackedPackage extends StagedPackage {
  readonly tarball: string;
}

/** Packs the staged packages the way `npm publish` does. */
export async function pack(packages: readonly StagedPackage[], destination: string): Promise<PackedPackage[]> {
  rmSync(destination, { recursive: true, force: true });
  mkdirSync(destination, { recursive: true });
  const packed: PackedPackage[] = [];
  for (const staged of packages) {
    const output = await mustRun('npm', [
      'pack',
      staged.folder,
      '--json',
      '--silent',
      '--ignore-scripts',
      '--pack-destination',
      destination,
    ]);
    const [{ filename }] = JSON.parse(output) as [{ filename: string }];
    packed.push({ ...staged, tarball: join(destination, filename) });
  }
  return packed;
}

/**
 * Makes a project outside the repository in which the packed packages are installed. Their third-party dependencies, and
 * `extra` ones, are links to what the repository has installed, so that no network is needed.
 */
export async function installConsumer(packages: readonly PackedPackage[], extra: readonly string[] = []): Promise<string> {
  const project = mkdtempSync(join(tmpdir(), 'keelson-consumer-'));
  writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }');
  const modules = join(project, 'node_modules');
  for (const { name, tarball } of packages) {
    mkdirSync(join(modules, name), { recursive: true });
    await mustRun('tar', ['-xzf', tarball, '-C', join(modules, name), '--strip-components=1']);
  }
  for (const { home, manifest } of packages) {
    const foreign = Object.keys(manifest.dependencies ?? {}).filter((name) => !packages.some((each) => each.name === name));
    for (const name of foreign) {
      link(join(modules, name), [home, REPOSITORY], name);
    }
  }
  for (const name of extra) {
    link(join(modules, name), [REPOSITORY], name);
  }
  return project;
}

function link(at: string, holders: readonly string[], name: string): void {
  const target = holders.map((holder) => resolve(holder, 'node_modules', name)).find((path) => existsSync(path));
  if (target === undefined) {
    throw new Error(`${name} is not installed`);
  }
  if (!existsSync(at)) {
    mkdirSync(dirname(at), { recursive: true });
    symlinkSync(target, at);
  }
}

async function mustRun(command: string, args: readonly string[]): Promise<string> {
  const { ok, output } = await runProgram(command, args);
  if (!ok) {
    throw new Error(`${command} ${args.join(' ')} failed\n${output}`);
  }
  return output;
}
