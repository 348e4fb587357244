// Builds the packages and lays out what is published, one folder a package, in .cache/stage: node scripts/stage.ts
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { listFiles, listPackages } from './lib/files.ts';
import { COMPILER, runProgram } from './lib/processes.ts';

const SOURCE_CONDITION = '@keelson/source';

/** A package as it will be published. */
export interface StagedPackage {
  readonly name: string;
  /** Where it is staged. */
  readonly folder: string;
  /** Where it is written. */
  readonly home: string;
  readonly manifest: Manifest;
}

/** The parts of a published manifest that are read or changed here. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Builds and stages every package below `root`. */
export async function stage(root: string): Promise<StagedPackage[]> {
  const packages = listPackages(root);
  const built = await runProgram(process.execPath, [COMPILER, '-b', ...packages.map((folder) => `packages/${folder}`)], { cwd: root });
  if (!built.ok) {
    throw new Error(`the build failed\n${built.output}`);
  }
  return packages.map((folder) => stagePackage(root, folder));
}

function stagePackage(root: string, folder: string): StagedPackage {
  const home = resolve(root, 'packages', folder);
  const to = resolve(root, '.cache/stage', folder);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const manifest = publishedManifest(JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Manifest);
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const file of listBuilt(home)) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(home, file), join(to, file));
  }
  for (const file of manifest.files ?? []) {
    const source = [join(home, file), join(root, file)].find((path) => existsSync(path));
    if (source === undefined) {
      throw new Error(`packages/${folder}/package.json lists ${file}, which neither the package nor the root has`);
    }
    if (file !== 'dist') {
      cpSync(source, join(to, file), { recursive: true });
    }
  }
  return { name: manifest.name, folder: to, home, manifest };
}

/** The manifest without the condition that leads to the sources, which are not published. */
function publishedManifest(manifest: Manifest): Manifest {
  const entries = Object.entries(manifest.exports ?? {}).map(([subpath, target]) => {
    if (typeof target === 'string') {
      return [subpath, target] as const;
    }
    return [subpath, Object.fromEntries(Object.entries(target).filter(([condition]) => condition !== SOURCE_CONDITION))] as const;
  });
  return { ...manifest, exports: Object.fromEntries(entries) };
}

/** What the compiler wrote, without what it left of sources that are gone. */
function listBuilt(home: string): string[] {
  const sources = new Set(listFiles(home, ['src/**/*.ts']).map((file) => file.replace(/^src\/(.*)\.ts$/, '$1')));
  return ['.js', '.d.ts']
    .flatMap((extension) => [...sources].map((name) => `dist/${name}${extension}`))
    .filter((file) => existsSync(join(home, file)));
}

if (import.meta.main) {
  for (const { name, folder } of await stage('.')) {
    console.log(`${name} -> ${folder}`);
  }
}
