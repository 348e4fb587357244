// Runs every check that is no test, and stops at the first that fails: npm run check
import { COMPILER, FROM_SOURCE } from './lib/processes.ts';
import { runSteps, type Step, script, tool } from './lib/steps.ts';

const NODE_MAJOR = 24;

const STEPS: readonly Step[] = [
  script('compile', COMPILER, '-b'),
  tool('style', 'biome', 'ci', '--colors=off', '--error-on-warnings'),
  tool('lint', 'oxlint', '--type-aware', '--deny-warnings'),
  script('floors', 'scripts/check-floors.ts'),
  script('caps', 'scripts/check-caps.ts'),
  script('manifests', 'scripts/check-manifests.ts'),
  tool('unused', 'knip', '--no-progress'),
  script('examples', 'scripts/run-examples.ts'),
  script('docs', FROM_SOURCE, 'scripts/docs.ts', '--check'),
  script('packages', 'scripts/check-packages.ts'),
  script('types', 'scripts/check-dts.ts'),
];

/** Runs all checks; true if all hold. */
export async function check(): Promise<boolean> {
  if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR) {
    console.error(
      `the scripts need Node ${NODE_MAJOR}, this is ${process.version}; on Linux npm ci installs it, elsewhere install it first`,
    );
    return false;
  }
  console.log(`ok  node       ${process.version}`);
  return await runSteps(STEPS);
}

if (import.meta.main) {
  process.exitCode = (await check()) ? 0 : 1;
}
