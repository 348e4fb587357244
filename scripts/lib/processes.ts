import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How a process ended, and what it wrote to both its outputs, in order. */
export interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

/** TypeScript 7. It is named by its path, because several compilers are installed and only one of them can be `tsc`. */
export const COMPILER: string = fileURLToPath(new URL('../../node_modules/ts7/bin/tsc', import.meta.url));

/** The program of an installed tool; it is run by this process's Node, which need not be the first on the path. */
export function toolPath(name: string): string {
  return fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));
}

/** The flag with which packages are read from their sources. */
export const FROM_SOURCE = '--conditions=@keelson/source';

/** Where and how long a program runs. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
}

/** Runs a program to its end, or kills it after `timeoutMs`. */
export function runProgram(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const { cwd, env, timeoutMs } = options;
    const child = spawn(command, args, { cwd, env, timeout: timeoutMs, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const killed = signal === null ? '' : `\nkilled by ${signal} (limit ${timeoutMs} ms)`;
      resolve({ ok: code === 0, output: Buffer.concat(chunks).toString() + killed });
    });
  });
}

/** Runs `fn` on every item, at most `concurrency` at a time, and returns the results in the order of the items. */
export async function mapConcurrently<T, R>(items: readonly T[], concurrency: number, fn: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      results[index] = await fn(item);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return results;
}
