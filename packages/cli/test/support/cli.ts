import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** The words that start the command from its sources. */
export const KEELSON: readonly string[] = [process.execPath, '--conditions=@keelson/source', MAIN];

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts any program and collects what it says. */
export function start([program = '', ...args]: readonly string[], options: SpawnOptions = {}): Running {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

/** One line of a journal. */
export interface Result {
  readonly id: string;
  readonly job: string;
  readonly ok: boolean;
  readonly status?: number;
  readonly attempts: number;
  readonly body?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A folder to work in, and the command run in it. */
export class Workplace implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'keelson-cli-'));

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: string | readonly unknown[]): string {
    const lines =
      typeof content === 'string' ? content : content.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
    writeFileSync(this.path(name), lines);
    return name;
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Starts `keelson` with these words. */
  start(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Running {
    return start([...KEELSON, ...words], { cwd: this.folder, env: { ...process.env, ...environment } });
  }

  /** Runs `keelson` to its end. */
  run(words: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Ended> {
    return this.start(words, environment).ended;
  }

  /** The whole lines of a journal; one that a kill has torn is left out. */
  results(name = 'results.jsonl'): Result[] {
    return this.read(name)
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Result);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
