import { type Columns, LineFault } from './columns.ts';
import { isWellFormed } from './is-well-formed.ts';

/** A request to be made. */
export interface HttpJob {
  readonly kind: 'http';
  readonly id: string;
  readonly method: string;
  readonly url: string;
  /** Scheme, host and port: what breakers and rates are kept by. */
  readonly origin: string;
  /** Without the headers whose values come from the environment. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** A command to be run. */
export interface ExecJob {
  readonly kind: 'exec';
  readonly id: string;
  /** The command and its arguments. */
  readonly argv: readonly [string, ...string[]];
}

/** A function of the user's to be called. */
export interface FunctionJob {
  readonly kind: 'function';
  readonly id: string;
  /** All that the line says, and the id. */
  readonly columns: Columns;
  /** Of the line's URL; the name of the module where there is none. */
  readonly origin: string;
}

export type Job = HttpJob | ExecJob | FunctionJob;

/** What breakers and rates are kept by; undefined for a command. */
export function originOf(job: Job): string | undefined {
  return job.kind === 'exec' ? undefined : job.origin;
}

/** Makes the job of one line from its id and columns, among which there is an `id`. Throws a {@link LineFault}. */
export type MakeJob = (id: string, columns: Columns) => Job;

/** The id of a line's job: its own, else the number of the line. */
export function idOf(columns: Columns, line: number): string {
  const { id } = columns as { readonly id?: unknown };
  if (id === undefined) return String(line);
  if (typeof id === 'number' && Number.isFinite(id)) return String(id);
  if (typeof id !== 'string' || id === '') throw new LineFault('id must be a text of at least one character, or a number');
  if (!isWellFormed(id)) throw new LineFault('id holds half a character (a lone surrogate)');
  return id;
}
