import { isUtf8 } from 'node:buffer';
import { fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type Columns, LineFault, readColumns } from './columns.ts';
import type { CsvRow } from './csv-rows.ts';
import { gunzipIfNeeded, isGzip } from './gunzip-if-needed.ts';
import { idOf, type Job, type MakeJob } from './job.ts';
import { LineTooLongError, readLines } from './line-reader.ts';
import { LineWindow } from './line-window.ts';
import { spool } from './spool.ts';
import { systemReason } from './system-reason.ts';
import { UsageError } from './usage-error.ts';

/** How an input says its jobs: a line each, a URL or an object of JSON; or a record each of a CSV with a header. */
export type InputFormat = 'lines' | 'csv';

/** Where an input says a job, so that it can be read again. */
export interface JobPlace {
  /** Of the file that is read, which may be a copy. */
  readonly offset: number;
  /** Of the input, from 1. */
  readonly line: number;
}

/** One job of the input, or what is wrong with it. */
export interface InputLine extends JobPlace {
  readonly job: Job | LineFault;
}

/** The name by which stdin is given. */
const STDIN = '-';
const STDIN_DESCRIPTOR = 0;
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const BYTE_ORDER_MARK = '\uFEFF';

/** The format of a file by its name. */
export function formatOf(path: string): InputFormat {
  return /\.csv(\.gz)?$/i.test(path) ? 'csv' : 'lines';
}

/**
 * The jobs, to be read as often as needed: from a file of lines as it stands, and one that is replaced meanwhile stays what it was; from a copy
 * of what comes from elsewhere, of what was compressed, and of CSV.
 */
export class Input implements AsyncDisposable {
  /** For messages. */
  readonly name: string;
  readonly #format: InputFormat;
  /** What was opened; undefined for stdin. */
  readonly #given: FileHandle | undefined;
  readonly #isReadable: boolean;
  #file: FileHandle | undefined;
  #window: LineWindow | undefined;

  private constructor(name: string, format: InputFormat, given: FileHandle | undefined, isReadable: boolean) {
    this.name = name;
    this.#format = format;
    this.#given = given;
    this.#isReadable = isReadable;
  }

  /** Reads nothing yet of what can be read only once. Throws a {@link UsageError} for what cannot be read. */
  static async open(path: string, format: InputFormat): Promise<Input> {
    if (path === STDIN) return Input.#ofStdin(format);
    try {
      const file = await open(path, 'r');
      const stat = await file.stat();
      if (!stat.isDirectory()) return new Input(path, format, file, stat.isFile() && format === 'lines' && !(await beginsAsGzip(file)));
      await file.close();
    } catch (error) {
      throw new UsageError(`cannot be read: ${systemReason(error)}`, { file: path });
    }
    throw new UsageError('cannot be read: it is a folder', { file: path });
  }

  /** Node reads from a folder as if it were empty. */
  static #ofStdin(format: InputFormat): Input {
    if (fstatSync(STDIN_DESCRIPTOR).isDirectory()) throw new UsageError('cannot be read: it is a folder', { file: 'stdin' });
    return new Input('stdin', format, undefined, false);
  }

  /** Makes ready to be read; a copy, where there has to be one, is written to `copyPath`. Rejects with the signal's reason once that aborts. */
  async prepare(copyPath: string, signal: AbortSignal): Promise<void> {
    this.#file = this.#isReadable ? this.#given : await this.#copy(copyPath, signal);
    if (this.#file !== undefined) this.#window = new LineWindow(this.#file);
  }

  /** The jobs from the beginning, one at a time. */
  async *jobs(makeJob: MakeJob): AsyncGenerator<InputLine, void, undefined> {
    if (this.#file === undefined) throw new Error('nothing can be read before prepare()');
    try {
      for await (const { number, bytes, offset } of readLines(this.#file, this.#maxLineBytes)) {
        const read = this.#read(bytes, number, makeJob);
        if (read !== undefined) yield { offset, ...read };
      }
    } catch (error) {
      throw error instanceof LineTooLongError ? new UsageError(error.message, { file: this.name, line: error.line }) : error;
    }
  }

  /** The job at a place that was read before; undefined if there is none any more. */
  async jobAt({ offset, line }: JobPlace, makeJob: MakeJob): Promise<Job | undefined> {
    const bytes = await this.#window?.lineAt(offset);
    const read = bytes && this.#read(bytes, line, makeJob);
    return read === undefined || read.job instanceof LineFault ? undefined : read.job;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#given !== undefined) await this.#given.close();
    if (this.#file !== this.#given) await this.#file?.close();
  }

  /** Of a record that was found short enough, the copy may be longer. */
  get #maxLineBytes(): number {
    return this.#format === 'csv' ? Number.POSITIVE_INFINITY : MAX_LINE_BYTES;
  }

  async #copy(path: string, signal: AbortSignal): Promise<FileHandle> {
    const source: Readable = this.#given === undefined ? process.stdin : this.#given.createReadStream({ autoClose: false });
    source.on('error', () => {}); // whoever reads learns it by reading, also where that has not begun yet
    const stop = (): void => void source.destroy(signal.reason as Error);
    signal.addEventListener('abort', stop);
    try {
      signal.throwIfAborted();
      const bytes = gunzipIfNeeded(this.#reading(source), this.name);
      return await spool(this.#format === 'csv' ? await this.#rows(bytes) : bytes, path);
    } finally {
      signal.removeEventListener('abort', stop);
      source.destroy();
    }
  }

  /** Few inputs are CSV. */
  async #rows(bytes: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
    const { csvRows } = await import('./csv-rows.ts');
    return copiedRows(csvRows(bytes, this.name, MAX_LINE_BYTES));
  }

  async *#reading(source: Readable): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* source as AsyncIterable<Uint8Array>;
    } catch (error) {
      const isOfSystem = (error as NodeJS.ErrnoException).errno !== undefined;
      throw isOfSystem ? new UsageError(`cannot be read: ${systemReason(error)}`, { file: this.name }) : error;
    }
  }

  #read(bytes: Buffer, line: number, makeJob: MakeJob): Omit<InputLine, 'offset'> | undefined {
    if (this.#format === 'csv') {
      const [rowLine, content] = JSON.parse(bytes.toString()) as CopiedRow;
      return { line: rowLine, job: jobOf(() => orFault(content), rowLine, makeJob) };
    }
    const text = decoded(bytes, line);
    if (text?.trim() === '') return undefined;
    return { line, job: jobOf(() => (text === undefined ? orFault('not UTF-8 text') : readColumns(text)), line, makeJob) };
  }
}

async function beginsAsGzip(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return isGzip(buffer.subarray(0, bytesRead)) === true;
}

function decoded(bytes: Buffer, line: number): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString();
  return line === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

function orFault(content: Columns | string): Columns {
  if (typeof content === 'string') throw new LineFault(content);
  return content;
}

function jobOf(read: () => Columns, line: number, makeJob: MakeJob): Job | LineFault {
  try {
    const columns = read();
    const id = idOf(columns, line);
    return makeJob(id, withId(columns, id));
  } catch (fault) {
    if (fault instanceof LineFault) return fault;
    throw fault;
  }
}

/** A template may always ask for `{id}`. */
function withId(columns: Columns, id: string): Columns {
  return Object.hasOwn(columns, 'id') ? columns : { ...columns, id };
}

/** A row of the copy: its line in the input, and its columns or what is wrong with it. */
type CopiedRow = readonly [line: number, content: Columns | string];

async function* copiedRows(rows: AsyncIterable<readonly CsvRow[]>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const some of rows) {
    const lines = some.map(({ line, content }) => {
      const row: CopiedRow = [line, content instanceof LineFault ? content.message : content];
      return `${JSON.stringify(row)}\n`;
    });
    yield Buffer.from(lines.join(''));
  }
}
