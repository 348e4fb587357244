import type { FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 10;

/** Reads single lines of a file by where they begin. Holds one piece of the file, so that lines which stand near each other cost one reading. */
export class LineWindow {
  readonly #file: FileHandle;
  #buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  /** Where in the file the window begins. */
  #start = 0;
  #filled = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** The line that begins at `offset`, without its line feed: a view that holds only until the next call. */
  async lineAt(offset: number): Promise<Buffer> {
    for (;;) {
      const from = offset - this.#start;
      const window = this.#buffer.subarray(0, this.#filled);
      const end = from < 0 || from >= this.#filled ? -1 : window.indexOf(LINE_FEED, from);
      if (end !== -1) return window.subarray(from, end);
      if (from === 0 && this.#filled === this.#buffer.length) this.#buffer = Buffer.allocUnsafe(this.#buffer.length * 2);
      else if (from === 0 && this.#filled > 0) return window; // the last line of a file may have no line feed
      if (!(await this.#moveTo(offset))) return Buffer.alloc(0);
    }
  }

  /** False beyond the end of the file. */
  async #moveTo(offset: number): Promise<boolean> {
    let filled = 0;
    let bytesRead = -1;
    while (bytesRead !== 0 && filled < this.#buffer.length) {
      ({ bytesRead } = await this.#file.read(this.#buffer, filled, this.#buffer.length - filled, offset + filled));
      filled += bytesRead;
    }
    this.#start = offset;
    this.#filled = filled;
    return filled > 0;
  }
}
