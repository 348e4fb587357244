import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, readFileSync, realpathSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { systemReason } from './system-reason.ts';
import { UsageError } from './usage-error.ts';

/** Who holds a lock: a process, told apart from a later one with the same id by when it started. */
interface Holder {
  readonly pid: number;
  readonly started: string;
  readonly host: string;
}

/** No such file, or no such process any more while its file is read. */
const GONE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ESRCH']);

/**
 * The right to write to a journal: a file `<journal>.lock` that names the process which has it. A process that is gone, by `kill -9` or a
 * reboot, holds nothing, whoever has its id now.
 */
export class JournalLock implements Disposable {
  readonly #path: string;
  readonly #text: string;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /** Throws a {@link UsageError} if a living process holds it, or the file cannot be made. */
  static acquire(journal: string): JournalLock {
    const path = `${ownName(journal)}.lock`;
    const self: Holder = { pid: process.pid, started: startOf(process.pid) ?? '', host: hostname() };
    const text = `${JSON.stringify(self)}\n`;
    const own = `${path}.${process.pid}`;
    try {
      writeFileSync(own, text);
      try {
        while (!linked(own, path)) removeIfDead(path, own, journal);
      } finally {
        unlinkSync(own);
      }
    } catch (error) {
      throw error instanceof UsageError ? error : new UsageError(`cannot be locked: ${systemReason(error)}`, { file: journal });
    }
    return new JournalLock(path, text);
  }

  [Symbol.dispose](): void {
    if (contentOf(this.#path) === this.#text) unlinkSync(this.#path);
  }
}

/** One file has one lock, whatever links lead to it. */
function ownName(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return existsSync(dirname(file)) ? join(realpathSync(dirname(file)), basename(file)) : file; // it is still to be made
  }
}

/** Gives the file, with all its content at once, a second name; false if the name is taken. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock whose holder is gone; throws if it lives. */
function removeIfDead(path: string, own: string, journal: string): void {
  const text = contentOf(path);
  if (text === undefined) return;
  const holder = holderIn(text);
  if (holder === undefined || isAlive(holder)) throw inUse(journal, path, holder);
  // Two processes may find the same dead holder. Whoever moves the file away must see that it is still that one, else put it back.
  const moved = `${own}.stale`;
  try {
    renameSync(path, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (contentOf(moved) !== text) linked(moved, path);
  unlinkSync(moved);
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (GONE.has((error as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
}

function holderIn(text: string): Holder | undefined {
  try {
    const { pid, started, host } = JSON.parse(text) as Partial<Holder>;
    return Number.isSafeInteger(pid) && typeof started === 'string' && typeof host === 'string'
      ? ({ pid, started, host } as Holder)
      : undefined;
  } catch {
    return undefined; // not a lock of ours: nobody but the user may remove it
  }
}

/** A process of another host cannot be looked at, so it counts as alive. */
function isAlive(holder: Holder): boolean {
  return holder.host !== hostname() || startOf(holder.pid) === holder.started;
}

/** When a process started, in a form of the system's own; undefined if there is none with this id, or it only waits to be reaped. */
function startOf(pid: number): string | undefined {
  return process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid);
}

/** The kernel counts from its own boot, so the boot is part of it. proc(5): the fields after the command, which may hold anything. */
function startOnLinux(pid: number): string | undefined {
  const STATE = 0;
  const START_TIME = 19;
  const stat = contentOf(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined || fields[STATE] === 'Z' || fields[STATE] === 'X') return undefined;
  return `${contentOf('/proc/sys/kernel/random/boot_id')?.trim()} ${fields[START_TIME]}`;
}

function startByPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined; // ps fails where there is no such process
  }
}

function inUse(journal: string, path: string, holder: Holder | undefined): UsageError {
  if (holder === undefined) return new UsageError(`not a lock of keelson run; remove it if nothing else uses ${journal}`, { file: path });
  const elsewhere = holder.host === hostname() ? '' : ` on ${holder.host}; remove ${path} if it is not running any more`;
  return new UsageError(`in use by another run, process ${holder.pid}${elsewhere}`, { file: journal });
}
