import { isUtf8 } from 'node:buffer';
import { finished } from 'node:stream/promises';
import { type CsvError, type Parser, parse } from 'csv-parse';
import { type Columns, LineFault } from './columns.ts';
import { inertText } from './inert-text.ts';
import { LineCounter } from './line-counter.ts';
import { UsageError } from './usage-error.ts';

/** One record of a CSV file: what it says by column, or what is wrong with it. */
export interface CsvRow {
  /** On which it begins. */
  readonly line: number;
  readonly content: Columns | LineFault;
}

/** An empty field in one of these columns says nothing, as a CSV cannot leave it out. */
const MAY_BE_ABSENT: ReadonlySet<string> = new Set(['id', 'method', 'headers', 'body']);

/** What the user has to mend, by the parser's code. Where such a record ends nobody knows, so that no later one can be read. */
const BROKEN: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened here and never closed',
  CSV_INVALID_CLOSING_QUOTE: 'a quoted field goes on after its closing quote; a quote within it has to be doubled',
  INVALID_OPENING_QUOTE: 'a quote within a field that does not begin with one; the field has to be quoted, and the quote doubled',
  CSV_MAX_RECORD_SIZE: 'the record is too long',
};

/**
 * The records of a CSV file with a header, by RFC 4180: fields may be quoted, and quoted ones hold commas, quotes and line breaks. Lines may end
 * with LF or CRLF, empty ones are no records. Some records a chunk. Throws a {@link UsageError} that names the line where there is no going on.
 */
export async function* csvRows(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  maxRecordBytes: number,
): AsyncGenerator<CsvRow[], void, undefined> {
  const reader = new CsvReader(file, maxRecordBytes);
  for await (const chunk of withoutMark(chunks)) {
    yield await reader.write(chunk);
  }
  yield await reader.end();
}

class CsvReader {
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #parser: Parser;
  #rows: CsvRow[] = [];
  #header: readonly string[] | undefined;
  #fault: UsageError | undefined;

  constructor(file: string, maxRecordBytes: number) {
    this.#file = file;
    this.#parser = parse({
      // One character a byte: all that the parser looks for is ASCII, and what is no UTF-8 must not be replaced unseen.
      encoding: 'latin1',
      record_delimiter: ['\r\n', '\n'],
      skip_empty_lines: true,
      relax_column_count: true, // told by us, with the line
      max_record_size: maxRecordBytes,
      on_record: (fields: readonly string[], { bytes }) => {
        this.#take(fields, bytes);
        return null; // nothing goes into the stream's own buffer, which an error would drop
      },
    });
    this.#parser.on('error', () => {}).resume(); // each write reports it
  }

  /** The records that this chunk has completed. */
  async write(chunk: Uint8Array): Promise<CsvRow[]> {
    this.#lines.add(chunk);
    await this.#step(
      new Promise<void>((resolve, reject) => {
        this.#parser.write(chunk, (error) => (error == null ? resolve() : reject(error)));
      }),
    );
    return this.#rows.splice(0);
  }

  async end(): Promise<CsvRow[]> {
    await this.#step(finished(this.#parser.end(), { readable: false }));
    return this.#rows.splice(0);
  }

  /** The fault of the file that the parser has run into, or the fault of the header that we have found. */
  async #step(parsed: Promise<void>): Promise<void> {
    try {
      await parsed;
    } catch (error) {
      const { code } = error as CsvError;
      this.#fault ??= this.#faultHere(BROKEN[code] ?? 'not CSV');
    }
    if (this.#fault !== undefined) throw this.#fault;
  }

  #take(fields: readonly string[], endBytes: number): void {
    if (this.#fault !== undefined) return;
    this.#lines.skipBreaks();
    const { line } = this.#lines;
    const texts = fields.map(decoded);
    if (this.#header === undefined) this.#fault = this.#takeHeader(texts);
    else this.#rows.push({ line, content: contentOf(texts, this.#header) });
    this.#lines.moveTo(endBytes);
  }

  #takeHeader(texts: readonly (string | undefined)[]): UsageError | undefined {
    const names = texts.filter((name) => name !== undefined);
    const nameless = names.findIndex((name) => name.trim() === '');
    const repeated = names.find((name, n) => names.indexOf(name) < n);
    this.#header = names;
    if (names.length < texts.length) return this.#faultHere('not UTF-8 text');
    if (nameless !== -1) return this.#faultHere(`column ${nameless + 1} of the header has no name`);
    return repeated === undefined ? undefined : this.#faultHere(`the header has two columns "${inertText(repeated)}"`);
  }

  #faultHere(message: string): UsageError {
    this.#lines.skipBreaks();
    return new UsageError(message, { file: this.#file, line: this.#lines.line });
  }
}

function contentOf(texts: readonly (string | undefined)[], header: readonly string[]): Columns | LineFault {
  if (texts.length !== header.length) return new LineFault(`has ${texts.length} fields, but the header has ${header.length}`);
  if (texts.includes(undefined)) return new LineFault('not UTF-8 text');
  const entries = header.map((name, n) => [name, texts[n]] as const);
  return Object.fromEntries(entries.filter(([name, text]) => text !== '' || !MAY_BE_ABSENT.has(name)));
}

/** A field read as one character a byte, as the text that it is; undefined if it is no UTF-8. */
function decoded(field: string): string | undefined {
  if (/^[\0-\x7f]*$/.test(field)) return field;
  const bytes = Buffer.from(field, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

async function* withoutMark(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let start: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (start === undefined) {
      yield chunk;
      continue;
    }
    start = Buffer.concat([start, chunk]);
    if (start.length < BYTE_ORDER_MARK.length) continue;
    yield start.subarray(start.indexOf(BYTE_ORDER_MARK) === 0 ? BYTE_ORDER_MARK.length : 0);
    start = undefined;
  }
  if (start !== undefined && start.length > 0) yield start;
}
