// npm start: the main job on the shipped example. Makes 2,000 calls to an origin that misbehaves on purpose, and proves that none was lost.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FROM_SOURCE } from './lib/processes.ts';
import { type FaultCounts, type FaultyOrigin, startFaultyOrigin } from './start/faulty-origin.ts';
import { type ExpectedJob, jobLines, makeJobs } from './start/jobs.ts';
import { quantile, verify } from './start/verify.ts';

const JOBS = 2_000;
const LEAST_SPREAD = 20;
const MOST_SHOWN = 20;
const ROOT = resolve(import.meta.dirname, '..');
const FOLDER = '.cache/start';
const JOB_FILE = `${FOLDER}/jobs.jsonl`;
const RESULTS = `${FOLDER}/results.jsonl`;
const COMMAND = ['run', JOB_FILE, '--out', RESULTS, '--hash', 'sha256', '--max-body', '0', '--timeout', '5s', '--max-attempts', '10'];
const MEANING: Readonly<Record<keyof FaultCounts, string>> = {
  reset: 'connections reset before an answer',
  throttled: 'answers of 429 with Retry-After',
  unavailable: 'answers of 503 with Retry-After',
  truncated: 'bodies that broke off half-way',
  slow: 'answers that took a hundred times as long',
  outage: 'requests that fell into the outage of 5 s',
};

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
function report(origin: FaultyOrigin, jobs: readonly ExpectedJob[]): string[] {
  const { problems, lines, attempts } = verify(readFileSync(join(ROOT, RESULTS), 'utf8'), jobs);
  const counts = Object.entries(origin.counts()) as [keyof FaultCounts, number][];
  console.log('\nFaults that fired:');
  for (const [fault, count] of counts) console.log(`  ${String(count).padStart(5)}  ${MEANING[fault]}`);
  const latenciesMs = origin.latenciesMs();
  const p50 = quantile(latenciesMs, 0.5);
  const p99 = quantile(latenciesMs, 0.99);
  const spread = p99 / p50;
  console.log(`Latency as the origin dealt it: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${spread.toFixed(0)} times as much.`);
  console.log(`${lines} results of ${jobs.length} jobs in ${attempts} calls.`);
  const silent = counts.filter(([, count]) => count === 0).map(([fault]) => `no ${fault} fired`);
  return [...problems, ...silent, ...(spread < LEAST_SPREAD ? [`p99 is only ${spread.toFixed(1)} times the median`] : [])];
}

/** The run and its proof; returns the exit code. */
async function start(origin: FaultyOrigin): Promise<number> {
  const sinceMs = performance.now();
  const jobs = makeJobs(origin.files, origin.url, JOBS);
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
  await origin.close();
}
