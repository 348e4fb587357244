import { isJson } from './is-json.ts';

/** What one line of the input says, by name: the fields of its object, and always `url` for a plain URL. */
export type Columns = Readonly<Record<string, unknown>>;

/** What is wrong with one line; whoever reads the file adds its name and the line. */
export class LineFault extends Error {
  /** 1-based. */
  readonly column: number | undefined;

  constructor(message: string, column?: number) {
    super(message);
    this.name = 'LineFault';
    this.column = column;
  }
}

/** How a text begins that JSON may be and a URL cannot. */
const JSON_OTHER_THAN_OBJECT = /^\s*(["[\d-]|(?:true|false|null)\s*$)/;

/** Reads a line that is not blank: an object of JSON, or a URL. Throws a {@link LineFault}. */
export function readColumns(line: string): Columns {
  if (/^\s*\{/.test(line)) return parseObject(line);
  if (JSON_OTHER_THAN_OBJECT.test(line) && isJson(line)) throw new LineFault('is JSON but no object: a line is an object or a URL');
  return { url: line.trim() };
}

function parseObject(text: string): Columns {
  try {
    return JSON.parse(text) as Columns; // what begins with a brace can only be an object
  } catch (error) {
    throw describeSyntaxError(error as SyntaxError);
  }
}

/** Without the piece of the text that V8 quotes, which may hold a secret (law F3). */
function describeSyntaxError({ message }: SyntaxError): LineFault {
  const position = /at position (\d+)/.exec(message)?.[1];
  const what = message.replace(/ in JSON at position.*$/s, '').replace(/, (\.\.\.)?".*$/s, '');
  return new LineFault(`not valid JSON: ${what}`, position === undefined ? undefined : Number(position) + 1);
}
