import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { PassThrough, type Readable } from 'node:stream';
import { type Call, OUTCOME, type Outcome } from 'keelson';
import { type BodyKeeper, pour } from './body-keeper.ts';
import { after } from './host-time.ts';
import type { ExecJob } from './job.ts';
import type { BodySink } from './kept-body.ts';
import type { Caller, Reply } from './reply.ts';

const KILL_AFTER_MS = 1000;
/** So long after a command has ended its output may come. */
const LINGER_MS = 250;
const STDERR_TAIL_BYTES = 1024;
const SUCCESS: Outcome = { kind: 'ok', origin: 'remote' };
const FAILURE: Outcome = { kind: 'transient', origin: 'remote' };

/** How a process ended. */
interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Runs the commands of jobs, without a shell, each in a process group of its own: Ctrl-C at the terminal reaches only the run, which lets
 * them finish, and a command that is over time ends with everything it started.
 */
export class ExecCaller implements Caller<ExecJob> {
  readonly #bodies: BodyKeeper;
  readonly #running = new Set<ChildProcess>();

  constructor(bodies: BodyKeeper) {
    this.#bodies = bodies;
    process.on('exit', this.#killAll);
  }

  async call(job: ExecJob, attempt: number, call: Call): Promise<Reply> {
    const [file, ...args] = job.argv;
    const child = spawn(file, args, { shell: false, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running.add(child);
    const stop = (): void => terminate(child);
    call.signal.addEventListener('abort', stop, { once: true });
    try {
      const stderr = new Tail(STDERR_TAIL_BYTES);
      child.stderr.on('data', (chunk: Buffer) => stderr.write(chunk));
      const sink = this.#bodies.sinkForSuccess(job.id, attempt);
      const [end] = await Promise.all([endOf(child), pour(outputOf(child), sink)]);
      return await replyOf(end, sink, stderr.text());
    } finally {
      call.signal.removeEventListener('abort', stop);
      this.#running.delete(child);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#killAll);
    this.#killAll();
  }

  readonly #killAll = (): void => {
    for (const child of this.#running) signalGroup(child, 'SIGKILL');
  };
}

/**
 * What the command writes, to its end: when it closes its output, or a moment after it has ended, since something that it has left running may keep the
 * output open for ever.
 */
function outputOf(child: ChildProcessByStdio<null, Readable, Readable>): Readable {
  const { stdout, stderr } = child;
  const output = stdout.pipe(new PassThrough());
  child.once('exit', () => {
    const cancel = after(LINGER_MS, () => {
      stdout.unpipe(output);
      output.end();
      stdout.destroy();
      stderr.destroy();
    });
    child.once('close', cancel);
  });
  return output;
}

/** Resolves when the process has ended and closed its output; rejects if it could not be started. */
function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

async function replyOf({ code, signal }: Ended, sink: BodySink, stderr: string): Promise<Reply> {
  if (code === 0) return { [OUTCOME]: SUCCESS, status: 0, body: await sink.keep() };
  await sink.drop();
  const what = code === null ? `was ended by ${signal}` : `ended with exit code ${code}`;
  return {
    [OUTCOME]: FAILURE,
    status: code ?? undefined,
    failure: { code: 'ERR_EXIT', message: stderr === '' ? what : `${what}: ${stderr}` },
  };
}

/** Asks the whole group to end, then makes it. */
function terminate(child: ChildProcess): void {
  signalGroup(child, 'SIGTERM');
  const cancel = after(KILL_AFTER_MS, () => signalGroup(child, 'SIGKILL'));
  child.once('close', cancel);
}

/** The group has ended, or what is left of it is a stranger's by now. */
const OUT_OF_REACH: ReadonlySet<string | undefined> = new Set(['ESRCH', 'EPERM']);

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!OUT_OF_REACH.has((error as NodeJS.ErrnoException).code)) throw error;
  }
}

/** The last bytes of a stream. */
class Tail {
  readonly #maxBytes: number;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  write(chunk: Buffer): void {
    const all = Buffer.concat([this.#bytes, chunk]);
    this.#bytes = all.subarray(Math.max(0, all.length - this.#maxBytes));
  }

  text(): string {
    return this.#bytes.toString().trim();
  }
}
