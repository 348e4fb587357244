import { type Columns, LineFault } from './columns.ts';
import { inertText } from './inert-text.ts';
import { isWellFormed } from './is-well-formed.ts';

/** Writes a column's value into its surroundings. Throws a {@link LineFault} for a value that cannot stand there. */
export type Encode = (value: unknown, column: string) => string;

/** Text in turn with the names of columns, beginning and ending with text. */
type Parts = readonly string[];

/** `{{name}}` stands for `{name}` itself; braces around anything but a name are text, so that JSON can be a template. */
const PLACEHOLDER = /\{\{([\p{L}_][\p{L}\p{N}_.-]*)\}\}|\{([\p{L}_][\p{L}\p{N}_.-]*)\}/gu;

/** A text with places for the columns of a line: `https://api.example/users/{id}`. */
export class Template {
  readonly #parts: Parts;
  readonly #encode: Encode;

  constructor(source: string, encode: Encode) {
    this.#parts = split(source);
    this.#encode = encode;
  }

  /** Whether every line gives the same text. */
  get isFixed(): boolean {
    return this.#parts.length === 1;
  }

  /** The text before the first column. */
  get start(): string {
    return this.#parts[0] ?? '';
  }

  /** The text with the same in the place of every column. */
  filledWith(text: string): string {
    return this.#parts.map((part, index) => (index % 2 === 0 ? part : text)).join('');
  }

  /** Throws a {@link LineFault} if the line lacks a column or its value cannot stand there. */
  fill(columns: Columns): string {
    return this.#parts.map((part, index) => (index % 2 === 0 ? part : this.#encode(columnOf(columns, part), part))).join('');
  }
}

function split(source: string): Parts {
  const parts = [''];
  let end = 0;
  const addText = (text: string): void => {
    parts[parts.length - 1] += text;
  };
  for (const found of source.matchAll(PLACEHOLDER)) {
    addText(source.slice(end, found.index));
    if (found[2] === undefined) addText(found[0].slice(1, -1));
    else parts.push(found[2], '');
    end = found.index + found[0].length;
  }
  addText(source.slice(end));
  return parts;
}

function columnOf(columns: Columns, name: string): unknown {
  if (!Object.hasOwn(columns, name)) throw new LineFault(`has no column "${inertText(name)}", which a template asks for`);
  return columns[name];
}

/** For a URL: percent-encoded, so that a value stays within its part. */
export const inUrl: Encode = (value, column) => {
  const text = scalar(value, column);
  if (!isWellFormed(text)) throw new LineFault(`column "${inertText(column)}" holds half a character, which no URL can`);
  return encodeURIComponent(text);
};

/** For a body of JSON: text is escaped for the quotes that the template has around it, anything else is JSON. */
export const inJson: Encode = (value) => {
  const json = JSON.stringify(value);
  return typeof value === 'string' ? json.slice(1, -1) : json;
};

/** For a header or an argument of a command: text as it is, objects and lists as JSON. */
export const asText: Encode = (value, column) =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : scalar(value, column);

function scalar(value: unknown, column: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new LineFault(`column "${inertText(column)}" is ${value === null ? 'null' : 'no text or number'}, but a template asks for it`);
}
