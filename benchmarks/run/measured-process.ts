import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { USAGE_FILE, type Usage } from './report-usage.ts';
import type { BenchPlace } from './workplace.ts';

/** What a run of a program took, its start-up included. */
export interface Measured extends Usage {
  readonly wallMs: number;
}

/** Runs a program of Node to its end, which has to be a success, with its complaints on our own standard error. */
export async function measureProcess(args: readonly string[], place: BenchPlace): Promise<Measured> {
  const file = `${place.folder}/usage.json`;
  rmSync(file, { force: true });
  const startMs = performance.now();
  const child = spawn(process.execPath, ['--import', place.program('report-usage'), ...args], {
    env: { ...process.env, [USAGE_FILE]: file },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  const wallMs = performance.now() - startMs;
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${signal ?? code}`);
  return { wallMs, ...(JSON.parse(readFileSync(file, 'utf8')) as Usage) };
}
