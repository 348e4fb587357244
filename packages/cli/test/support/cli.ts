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

/** How a command is started. */
export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** What the command finds on its standard input; by default it has none. */
  readonly input?: string | Buffer;
  /** Whether more may come on its standard input. */
  readonly leavesInputOpen?: boolean;
}

/** Starts any program and collects what it says. */
export function start(
  [program = '', ...args]: readonly string[],
  options: SpawnOptions = {},
  { input, leavesInputOpen = false }: StartOptions = {},
): Running {
  const child = spawn(program, args, { ...options, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  child.stdin?.on('error', () => {}); // the command may not want all of it
  if (leavesInputOpen) child.stdin?.write(input ?? '');
  else child.stdin?.end(input);
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
  readonly bodyEncoding?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A folder to work in, and the command run in it. */
export class Workplace implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'keelson-cli-'));

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: string | Buffer | readonly unknown[]): string {
    const lines =
      typeof content === 'string' || Buffer.isBuffer(content)
        ? content
        : content.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
    writeFileSync(this.path(name), lines);
    return name;
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Starts `keelson` with these words. */
  start(words: readonly string[], options: StartOptions = {}): Running {
    return start([...KEELSON, ...words], { cwd: this.folder, env: { ...process.env, ...options.environment } }, options);
  }

  /** Runs `keelson` to its end. */
  run(words: readonly string[], options?: StartOptions): Promise<Ended> {
    return this.start(words, options).ended;
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
