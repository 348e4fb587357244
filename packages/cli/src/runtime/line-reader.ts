import type { FileHandle } from 'node:fs/promises';

/** One line of a file. */
export interface Line {
  /** 1-based. */
  readonly number: number;
  /** Without the line feed. A view that holds only until the next line is asked for. */
  readonly bytes: Buffer;
  /** Where the line begins in the file. */
  readonly offset: number;
  /** Whether a line feed ends it; only the last line of a file may have none. */
  readonly isEnded: boolean;
}

/** A line that is longer than its reader allows. */
export class LineTooLongError extends Error {
  readonly line: number;

  constructor(line: number, maxBytes: number) {
    super(`the line is longer than ${maxBytes} bytes`);
    this.name = 'LineTooLongError';
    this.line = line;
  }
}

const CHUNK_BYTES = 256 * 1024;
const LINE_FEED = 10;

/**
 * The lines of a file from its beginning, wherever other readers of the same handle are. Holds one chunk, or one line if that is longer.
 * Throws {@link LineTooLongError} for a line of more than `maxBytes`.
 */
export async function* readLines(file: FileHandle, maxBytes: number): AsyncGenerator<Line, void, undefined> {
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let filled = 0;
  let offset = 0;
  let number = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, offset + filled);
    let scanFrom = filled;
    filled += bytesRead;
    let start = 0;
    for (;;) {
      const end = buffer.subarray(0, filled).indexOf(LINE_FEED, scanFrom);
      if (end === -1) break;
      yield { number: ++number, bytes: buffer.subarray(start, end), offset: offset + start, isEnded: true };
      start = end + 1;
      scanFrom = start;
    }
    if (bytesRead === 0) {
      if (filled > start) yield { number: ++number, bytes: buffer.subarray(start, filled), offset: offset + start, isEnded: false };
      return;
    }
    buffer.copyWithin(0, start, filled);
    filled -= start;
    offset += start;
    if (filled > maxBytes) throw new LineTooLongError(number + 1, maxBytes);
    if (filled === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
  }
}
