import { FINGERPRINT_HEX, fromHex } from './fingerprint.ts';

/** Version of the journal's format. */
export const JOURNAL_VERSION = 1;

/** The result of one job: one line of the journal. */
export interface JournalEntry {
  readonly v: typeof JOURNAL_VERSION;
  readonly id: string;
  /** Fingerprint of the job after templates, in hexadecimal. */
  readonly job: string;
  readonly ok: boolean;
  /** Of the last response, or the exit code of the last command. */
  readonly status?: number | undefined;
  /** Calls made. */
  readonly attempts: number;
  /** From the start of the job to its end, waits included. */
  readonly durationMs: number;
  /** Size of the last body as it came. */
  readonly bytes?: number | undefined;
  /** SHA-256 of the last body as it came, in hexadecimal. */
  readonly hash?: string | undefined;
  readonly body?: string | undefined;
  /** Absent for text. */
  readonly bodyEncoding?: 'base64' | undefined;
  /** Present where not the whole body was kept. */
  readonly truncated?: true | undefined;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
}

// JSON.stringify escapes the controls below U+0020 only; these act on some terminals, too.
const ACTIVE = /[\u007f-\u009f\u2028\u2029]/g;

/** The entry as a line, which does nothing to a terminal that shows it (law F3). */
export function formatEntry(entry: JournalEntry): string {
  const line = JSON.stringify(entry).replace(ACTIVE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `${line}\n`;
}

/** What a resumed run needs of an entry. */
export interface RecordedJob {
  readonly id: string;
  readonly job: Uint32Array;
  /** Of a failure; undefined for a success. */
  readonly failure: string | undefined;
}

/** How every line of {@link formatEntry} begins. */
export const ENTRY_START: string = `{"v":${JOURNAL_VERSION},"id":"`;
/** So much of an entry can be read without its body. */
const HEAD = new RegExp(
  `^\\{"v":${JOURNAL_VERSION},"id":"((?:[^"\\\\]|\\\\.)*)","job":"([0-9a-f]{${FINGERPRINT_HEX}})","ok":(true|false),`,
);
const HEAD_BYTES = 512;
/** How the error of an entry begins. No text within an entry holds this: its quotes would be escaped. */
const ERROR_START = ',"error":{"code":"';
const ERROR_CODE = /^[^"\\]*(?=")/;
/** What a failure is called that says no code. */
const UNKNOWN_FAILURE = 'ERR_UNKNOWN';
const CLOSING_BRACE = 0x7d;

/**
 * What a line of a journal records; undefined for a line that is none. The line is known to be whole, so that of one in our own order of keys
 * only the head is read, and of a failure its code.
 */
export function scanEntry(line: Buffer): RecordedJob | undefined {
  if (line.at(-1) !== CLOSING_BRACE) return undefined;
  const head = HEAD.exec(line.toString('utf8', 0, HEAD_BYTES));
  const job = head === null ? undefined : fromHex(head[2] ?? '');
  if (head === null || job === undefined) return parseEntry(line);
  const id = head[1] ?? '';
  const failure = head[3] === 'true' ? undefined : scanCode(line);
  return id.includes('\\') || failure === '' ? parseEntry(line) : { id, job, failure };
}

/** The code of a failure; empty if it does not stand where we write it. */
function scanCode(line: Buffer): string {
  const start = line.lastIndexOf(ERROR_START);
  if (start === -1) return '';
  const from = start + ERROR_START.length;
  return ERROR_CODE.exec(line.toString('utf8', from, from + HEAD_BYTES))?.[0] ?? '';
}

/** What a line of a journal records; undefined for a line that is none, or not whole. */
export function parseEntry(line: Buffer): RecordedJob | undefined {
  try {
    const { v, id, job, ok, error } = JSON.parse(line.toString()) as { readonly [K in keyof JournalEntry]?: unknown };
    const words = typeof job === 'string' ? fromHex(job) : undefined;
    if (v !== JOURNAL_VERSION || typeof id !== 'string' || typeof ok !== 'boolean' || words === undefined) return undefined;
    return { id, job: words, failure: ok ? undefined : codeIn(error) };
  } catch {
    return undefined; // whoever reads the journal names the line
  }
}

function codeIn(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && code !== '' ? code : UNKNOWN_FAILURE;
}
