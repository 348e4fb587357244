import { isUtf8 } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import { type Columns, LineFault, readColumns } from './columns.ts';
import { idOf, type Job, type MakeJob } from './job.ts';
import { LineTooLongError, readLines } from './line-reader.ts';
import { systemReason } from './system-reason.ts';
import { UsageError } from './usage-error.ts';

/** One line of the input that is not blank: its job, or what is wrong with it. */
export type InputLine =
  | { readonly line: number; readonly job: Job; readonly fault?: undefined }
  | { readonly line: number; readonly job?: undefined; readonly fault: LineFault };

const MAX_LINE_BYTES = 64 * 1024 * 1024;
const BYTE_ORDER_MARK = '\uFEFF';

/** The file of jobs, open for as many readings as are needed; one that is replaced meanwhile stays what it was. */
export class InputFile implements AsyncDisposable {
  readonly path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /** Throws a {@link UsageError} for what cannot be read twice. */
  static async open(path: string): Promise<InputFile> {
    try {
      const file = await open(path, 'r');
      if ((await file.stat()).isFile()) return new InputFile(path, file);
      await file.close();
    } catch (error) {
      throw new UsageError(`cannot be read: ${systemReason(error)}`, { file: path });
    }
    throw new UsageError('not a regular file, so it cannot be read twice', { file: path });
  }

  /** The jobs from the beginning, one at a time. */
  async *jobs(makeJob: MakeJob): AsyncGenerator<InputLine, void, undefined> {
    try {
      for await (const { number, bytes } of readLines(this.#file, MAX_LINE_BYTES)) {
        const text = decoded(bytes, number);
        if (text === undefined) yield { line: number, fault: new LineFault('not UTF-8 text') };
        else if (text.trim() !== '') yield lineOf(text, number, makeJob);
      }
    } catch (error) {
      throw error instanceof LineTooLongError ? new UsageError(error.message, { file: this.path, line: error.line }) : error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

function decoded(bytes: Buffer, line: number): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString();
  return line === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

function lineOf(text: string, line: number, makeJob: MakeJob): InputLine {
  try {
    const columns = readColumns(text);
    const id = idOf(columns, line);
    return { line, job: makeJob(id, withId(columns, id)) };
  } catch (fault) {
    if (fault instanceof LineFault) return { line, fault };
    throw fault;
  }
}

/** A template may always ask for `{id}`. */
function withId(columns: Columns, id: string): Columns {
  return Object.hasOwn(columns, 'id') ? columns : { ...columns, id };
}
