// npm start: the main job on the shipped example. Makes 2,000 calls to an origin that misbehaves on purpose, and proves that none was lost.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { faultReport } from './faults/fault-report.ts';
import { type ExpectedJob, jobLines, makeJobs } from './faults/jobs.ts';
import { verify } from './faults/verify.ts';
import { FROM_SOURCE } from './lib/processes.ts';
import { type FaultyOrigin, startFaultyOrigin } from './start/faulty-origin.ts';

const JOBS = 2_000;
const MOST_SHOWN = 20;
const ROOT = resolve(import.meta.dirname, '..');
const FOLDER = '.cache/start';
const JOB_FILE = `${FOLDER}/jobs.jsonl`;
const RESULTS = `${FOLDER}/results.jsonl`;
const COMMAND = ['run', JOB_FILE, '--out', RESULTS, '--hash', 'sha256', '--max-body', '0', '--timeout', '5s', '--max-attempts', '10'];

/** Runs the command line's own program with this terminal, so that its progress shows; it drains on a signal, and we wait for it. */
async function keelson(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [FROM_SOURCE, 'packages/cli/src/main.ts', ...args], { cwd: ROOT, stdio: 'inherit' });
  const ofTheTerminal = (): void => {}; // Ctrl-C reaches the child by itself
  const passOn = (): boolean => child.kill('SIGTERM');
  process.on('SIGINT', ofTheTerminal).on('SIGTERM', passOn);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('SIGINT', ofTheTerminal).off('SIGTERM', passOn);
  return code ?? 1;
}

/** Prints what was done and what fired; returns what is wrong. */
function report({ server }: FaultyOrigin, jobs: readonly ExpectedJob[]): string[] {
  const { problems, lines, attempts } = verify(readFileSync(join(ROOT, RESULTS), 'utf8'), jobs);
  const faults = faultReport(server);
  console.log(`\n${faults.lines.join('\n')}`);
  console.log(`${lines} results of ${jobs.length} jobs in ${attempts} calls.`);
  return [...problems, ...faults.problems];
}

/** The run and its proof; returns the exit code. */
async function start(origin: FaultyOrigin): Promise<number> {
  const sinceMs = performance.now();
  const jobs = makeJobs(origin.files, origin.server.url, JOBS);
  writeFileSync(join(ROOT, JOB_FILE), jobLines(jobs));
  console.log(
    `Keelson makes ${jobs.length} calls to an origin that resets, throttles, truncates, dawdles, and goes down for 5 s; none may be lost.`,
  );
  console.log(`$ keelson ${COMMAND.join(' ')}\n`);
  const code = await keelson(COMMAND);
  if (code !== 0) {
    console.error(`keelson ended with exit code ${code}`);
    return code;
  }
  const problems = report(origin, jobs);
  for (const problem of problems.slice(0, MOST_SHOWN)) console.error(`wrong: ${problem}`);
  if (problems.length > 0) return 1;
  console.log(`Every body has the SHA-256 of its file. ${((performance.now() - sinceMs) / 1000).toFixed(0)} s in all.`);
  console.log(
    '\nTry next: "npx node scripts/start/faulty-origin.ts" serves these files by itself and lists them as an input for runs of your own;',
  );
  console.log('stop such a run half-way with Ctrl-C or kill -9, then add --resume to the same command.');
  return 0;
}

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' } } });
rmSync(join(ROOT, FOLDER), { recursive: true, force: true });
mkdirSync(join(ROOT, FOLDER), { recursive: true });
const origin = await startFaultyOrigin({ root: ROOT, seed: Number(values.seed) });
try {
  process.exitCode = await start(origin);
} finally {
  await origin.server.close();
}
