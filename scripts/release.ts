// Publishes every package, from tarballs that have passed the checks: npm run release -- [options of npm publish]
import { spawnSync } from 'node:child_process';
import { check } from './check.ts';
import { type PackedPackage, pack } from './lib/consumer.ts';
import { type StagedPackage, stage } from './stage.ts';

/** The packages, each after those it depends on, so that none is ever published without what it needs. */
export function inOrder<P extends Pick<StagedPackage, 'name' | 'manifest'>>(packages: readonly P[]): P[] {
  const ordered: P[] = [];
  const waiting = new Map(packages.map((each) => [each.name, each]));
  while (waiting.size > 0) {
    const ready = [...waiting.values()].filter(
      ({ manifest }) => !Object.keys(manifest.dependencies ?? {}).some((name) => waiting.has(name)),
    );
    if (ready.length === 0) {
      throw new Error(`${[...waiting.keys()].join(', ')} depend on each other in a circle`);
    }
    for (const each of ready) {
      waiting.delete(each.name);
      ordered.push(each);
    }
  }
  return ordered;
}

/** Publishes one tarball; true if npm has taken it. */
function publish({ name, tarball }: PackedPackage, options: readonly string[]): boolean {
  const { status } = spawnSync('npm', ['publish', tarball, '--access', 'public', ...options], { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`${name} is not published; those before it are`);
  }
  return status === 0;
}

if (import.meta.main) {
  const ok =
    (await check()) && inOrder(await pack(await stage('.'), '.cache/tarballs')).every((each) => publish(each, process.argv.slice(2)));
  process.exitCode = ok ? 0 : 1;
}
