import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RecordedJob } from './journal-entry.ts';
import { OutputError } from './output-error.ts';
import { type JournalExtent, readJournal } from './read-journal.ts';
import { syncFolder } from './sync-folder.ts';
import { systemReason } from './system-reason.ts';
import { UsageError } from './usage-error.ts';

const LINE_FEED = 10;
const NOTHING: JournalExtent = { wholeBytes: 0, tornBytes: 0, lacksLineFeed: false };

/** Lines that become durable together. */
class Group {
  readonly lines: string[] = [];
  resolve: () => void = nothing;
  reject: (error: unknown) => void = nothing;
  readonly written: Promise<void> = new Promise((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

function nothing(): void {}

/**
 * A file of lines that only grows. A line is durable when `append` resolves: written and synchronised to the disk, together with all lines
 * that came while the disk was busy with those before (group commit). Whatever fails, the file ends with a whole line. What somebody else has written to it,
 * against the lock, is never overwritten.
 */
export class Journal implements AsyncDisposable {
  readonly #path: string;
  /** Undefined until there is such a file. */
  #file: FileHandle | undefined;
  #found: JournalExtent = NOTHING;
  #endBytes = 0;
  #gathering: Group | undefined;
  #writing: Promise<void> | undefined;
  #failure: OutputError | undefined;

  private constructor(path: string, file: FileHandle | undefined) {
    this.#path = path;
    this.#file = file;
  }

  /** Changes nothing yet. Throws a {@link UsageError} for a file that cannot be written to. */
  static async open(path: string): Promise<Journal> {
    return new Journal(path, await openExisting(path));
  }

  /** Whether there is such a file, from an earlier run. */
  get exists(): boolean {
    return this.#file !== undefined;
  }

  /** Visits the entries of earlier runs in order. Throws a {@link UsageError} if the file is no journal. */
  async read(visit: (entry: RecordedJob) => void): Promise<void> {
    if (this.#file === undefined) return;
    this.#found = await readJournal(this.#file, this.#path, visit);
    this.#endBytes = this.#found.wholeBytes;
  }

  /**
   * Makes the file that was read ready for more: cuts off an entry that a killed run had begun to write, and says how long it was. Makes a new
   * file if there is none; throws a {@link UsageError} if it cannot be made.
   */
  async begin(): Promise<number> {
    if (this.#file === undefined) {
      this.#file = await create(this.#path);
      return 0;
    }
    const { tornBytes, lacksLineFeed } = this.#found;
    if (tornBytes > 0) await this.#cutTo(this.#file, this.#endBytes);
    if (lacksLineFeed) await this.append('\n');
    return tornBytes;
  }

  /** Takes whole lines. Rejects with an {@link OutputError}, which every later call gets too. */
  append(lines: string): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#gathering ??= new Group();
    const { written } = this.#gathering;
    this.#gathering.lines.push(lines);
    this.#writing ??= this.#writeGroups();
    return written;
  }

  /** Resolves when what was appended is durable, or has failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#file?.close();
  }

  async #writeGroups(): Promise<void> {
    for (let group = this.#gathering; group !== undefined; group = this.#gathering) {
      this.#gathering = undefined;
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#commit(Buffer.from(group.lines.join('')));
        group.resolve();
      } catch (error) {
        this.#failure ??= error instanceof OutputError ? error : new OutputError(this.#path, error);
        group.reject(this.#failure);
      }
    }
    this.#writing = undefined;
  }

  async #commit(bytes: Buffer): Promise<void> {
    const file = this.#file;
    if (file === undefined) throw new Error('nothing can be appended before begin()');
    let written = 0;
    try {
      while (written < bytes.length) {
        const { bytesWritten } = await file.write(bytes, written, bytes.length - written, this.#endBytes + written);
        written += bytesWritten;
      }
    } catch (error) {
      await this.#cutTo(file, this.#endBytes + bytes.subarray(0, written).lastIndexOf(LINE_FEED) + 1);
      throw error;
    }
    await file.datasync();
    this.#endBytes += bytes.length;
  }

  async #cutTo(file: FileHandle, endBytes: number): Promise<void> {
    try {
      await file.truncate(endBytes);
      await file.datasync();
    } catch (error) {
      throw new OutputError(this.#path, error);
    }
  }
}

async function create(path: string): Promise<FileHandle> {
  try {
    const file = await open(path, 'ax');
    await syncFolder(dirname(path));
    return file;
  } catch (error) {
    throw new UsageError(`cannot be made: ${systemReason(error)}`, { file: path });
  }
}

async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    const file = await open(path, constants.O_RDWR | constants.O_APPEND);
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsageError(`cannot be written: ${systemReason(error)}`, { file: path });
  }
  throw new UsageError('not a regular file', { file: path });
}
