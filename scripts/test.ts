// Runs the checks, then the unit tests, then the integration tests, and stops at the first that fails: npm test
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { check } from './check.ts';
import { toolPath } from './lib/processes.ts';

interface Counts {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

/** Runs the tests of one project of vitest.config.ts, with its output on ours. */
async function runTests(project: string): Promise<{ ok: boolean; passed: number; failed: number }> {
  const report = `.cache/${project}.json`;
  rmSync(report, { force: true });
  const args = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await new Promise<number | null>((resolve, reject) => {
    spawn(process.execPath, [toolPath('vitest'), ...args], { stdio: 'inherit' })
      .on('error', reject)
      .on('close', resolve);
  });
  const counts = JSON.parse(readFileSync(report, 'utf8')) as Counts;
  const skipped = counts.numPendingTests + counts.numTodoTests;
  if (skipped > 0) {
    console.error(`${skipped} tests of ${project} are skipped; a test runs or does not exist`);
  }
  return { ok: code === 0 && skipped === 0, passed: counts.numPassedTests, failed: counts.numFailedTests };
}

let ok = await check();
let passed = 0;
let failed = 0;
for (const project of ['unit', 'integration']) {
  if (ok) {
    const result = await runTests(project);
    passed += result.passed;
    failed += result.failed;
    ok = result.ok;
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = ok ? 0 : 1;
