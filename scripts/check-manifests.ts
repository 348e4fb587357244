// Checks the manifests and the lock file against each other: node scripts/check-manifests.ts [root]
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listPackages } from './lib/files.ts';
import { report, type Violation } from './lib/violation.ts';

const NODE_FLOOR = '>=22.19';
const CORE = 'keelson';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly type?: string;
  readonly sideEffects?: boolean;
  readonly engines?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Every way in which the manifests below `root` disagree with the house. */
export function checkManifests(root: string): Violation[] {
  const files = ['package.json', ...listPackages(root).map((folder) => `packages/${folder}/package.json`)];
  const manifests = files.map((file) => ({ file, manifest: JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest }));
  const packages = manifests.slice(1);
  return [
    ...manifests.flatMap(({ file, manifest }) => checkPins(file, manifest)),
    ...packages.flatMap(({ file, manifest }) => checkPackage(file, manifest, packages[0]?.manifest.version ?? '')),
    ...checkLock(root),
  ];
}

/** One tree everywhere: each version is exact. */
function checkPins(file: string, manifest: Manifest): Violation[] {
  const wanted = { ...manifest.devDependencies, ...manifest.optionalDependencies, ...manifest.dependencies };
  return Object.entries(wanted)
    .filter(([, version]) => !/^(npm:[^@]+@)?\d+\.\d+\.\d+[\w.-]*$/.test(version))
    .map(([name, version]) => broken(file, `${name} is ${version}, not one exact version`));
}

function checkPackage(file: string, manifest: Manifest, version: string): Violation[] {
  const { dependencies = {}, peerDependencies = {}, optionalDependencies = {} } = manifest;
  const ours = Object.entries(dependencies).filter(([name]) => name === CORE || name.startsWith(`@${CORE}/`));
  const foreign = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies });
  const facts: [boolean, string][] = [
    [manifest.version === version, `version ${manifest.version}; every package has one version, ${version}`],
    [ours.every(([, wanted]) => wanted === version), `the packages of this repository are depended on as ${version}`],
    [manifest.name !== CORE || foreign.length === 0, `the core depends on nothing, but on ${foreign.join(', ')}`],
    [manifest.type === 'module', 'type is not module'],
    [manifest.sideEffects === false, 'sideEffects is not false'],
    [manifest.license === 'MIT', 'license is not MIT'],
    [manifest.engines?.['node'] === NODE_FLOOR, `engines.node is not ${NODE_FLOOR}`],
  ];
  return facts.filter(([holds]) => !holds).map(([, message]) => broken(file, message));
}

/** The lock names no host, so that it installs from whatever registry the machine is set to, and vouches for every download. */
function checkLock(root: string): Violation[] {
  const file = 'package-lock.json';
  const text = readFileSync(join(root, file), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Record<string, { link?: boolean; integrity?: string; resolved?: string }> };
  const hosts = text.split('\n').flatMap((line, index) => (/https?:\/\//.test(line) && /"resolved"/.test(line) ? [index + 1] : []));
  const unvouched = Object.entries(packages).filter(
    ([path, { link, integrity }]) => path.includes('node_modules/') && link !== true && integrity === undefined,
  );
  return [
    ...hosts.map((line) => ({ ...broken(file, 'names a registry host; .npmrc has omit-lockfile-registry-resolved'), line })),
    ...unvouched.map(([path]) => broken(file, `${path} has no integrity hash`)),
  ];
}

function broken(file: string, message: string): Violation {
  return { file, line: 1, rule: 'manifest', message };
}

if (import.meta.main) {
  const root = process.argv[2] ?? '.';
  report('manifests', `${listPackages(root).length + 1} manifests and the lock`, checkManifests(root));
}
