import type { FileHandle } from 'node:fs/promises';
import { ENTRY_START, parseEntry, type RecordedJob, scanEntry } from './journal-entry.ts';
import { LineTooLongError, readLines } from './line-reader.ts';
import { UsageError } from './usage-error.ts';

/** What a journal holds, and what has to be done before more can be appended. */
export interface JournalExtent {
  /** Size up to the end of its last whole entry. */
  readonly wholeBytes: number;
  /** Of an entry that a killed run had begun to write. */
  readonly tornBytes: number;
  /** Whether the last whole entry has no line feed, as after some editors. */
  readonly lacksLineFeed: boolean;
}

const MAX_ENTRY_BYTES = 1024 ** 3;

/**
 * Visits every entry of a journal in order and finds the end of the last whole one. Only the last line may be torn; any other line that is no
 * entry means that this file is not ours to write to, and throws a {@link UsageError} which names it.
 */
export async function readJournal(file: FileHandle, path: string, visit: (entry: RecordedJob) => void): Promise<JournalExtent> {
  let wholeBytes = 0;
  try {
    for await (const line of readLines(file, MAX_ENTRY_BYTES)) {
      const entry = line.isEnded ? scanEntry(line.bytes) : parseEntry(line.bytes);
      if (entry === undefined) {
        if (line.isEnded || !isTorn(line.bytes)) throw notAnEntry(path, line.number);
        return { wholeBytes, tornBytes: line.bytes.length, lacksLineFeed: false };
      }
      visit(entry);
      wholeBytes = line.offset + line.bytes.length + (line.isEnded ? 1 : 0);
      if (!line.isEnded) return { wholeBytes, tornBytes: 0, lacksLineFeed: true };
    }
  } catch (error) {
    if (error instanceof LineTooLongError) throw notAnEntry(path, error.line);
    throw error;
  }
  return { wholeBytes, tornBytes: 0, lacksLineFeed: false };
}

/** The beginning of an entry, or the zeros that a file system may leave after a power cut. */
function isTorn(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, ENTRY_START.length);
  return bytes.includes(0) || (start.length < ENTRY_START.length ? ENTRY_START.startsWith(start) : start === ENTRY_START);
}

function notAnEntry(file: string, line: number): UsageError {
  return new UsageError('not a result of keelson run, so nothing is appended to this file', { file, line });
}
