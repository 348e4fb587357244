import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { FROM_SOURCE } from '../lib/processes.ts';
import type { Report } from './child.ts';

/** A module that failed, and how. */
export interface Failure {
  readonly path: string;
  readonly error: string;
}

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));

/** Runs modules one after another in one child process, in a new one after each that took the process down; returns those that failed. */
export async function runModules(paths: readonly string[], limitMs: number): Promise<Failure[]> {
  const failures: Failure[] = [];
  let rest = paths;
  while (rest.length > 0) {
    const batch = await runBatch(rest, limitMs);
    failures.push(...batch.failures);
    rest = rest.slice(batch.done);
  }
  return failures;
}

/** Runs as many modules as one process survives; `done` counts them, with the one that ended it. */
async function runBatch(paths: readonly string[], limitMs: number): Promise<{ done: number; failures: Failure[] }> {
  const child = spawn(process.execPath, [FROM_SOURCE, CHILD, ...paths], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const output = collectOutput(child);
  const failures: Failure[] = [];
  let done = 0;
  let running: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  child.on('message', (report: Report) => {
    clearTimeout(timer);
    if ('started' in report) {
      running = report.started;
      output.length = 0;
      timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
      return;
    }
    done += 1;
    running = undefined;
    if (report.error !== undefined) {
      failures.push({ path: report.ended, error: output.join('') + report.error });
    }
  });
  const how = await ending(child);
  clearTimeout(timer);
  if (running !== undefined) {
    failures.push({ path: running, error: `${output.join('')}the process ended in the middle of it: ${how}, limit ${limitMs} ms` });
    done += 1;
  }
  return { done, failures };
}

function collectOutput(child: ChildProcess): string[] {
  const chunks: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  return chunks;
}

function ending(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
  });
}
