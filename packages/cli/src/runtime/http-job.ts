import { type Columns, LineFault } from './columns.ts';
import { inertText, quoted } from './inert-text.ts';
import { isJson } from './is-json.ts';
import type { HttpJob, MakeJob } from './job.ts';
import { asText, inJson, inUrl, Template } from './template.ts';
import { UsageError } from './usage-error.ts';

/** How the command line completes the jobs of the input. */
export interface HttpJobSettings {
  /** Template of every job's URL; without it, each line says its own. */
  readonly url?: string | undefined;
  /** Of jobs that name none. */
  readonly method?: string | undefined;
  /** Names and templates of headers, for jobs that have no such header of their own. */
  readonly headers: readonly (readonly [name: string, template: string])[];
  /** Template of every job's body. */
  readonly body?: string | undefined;
}

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110, section 5.5: no line break, so that a value cannot become a header or a request of its own. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Headers that say how the message is carried, which is decided when it is sent. */
const OF_TRANSPORT: ReadonlySet<string> = new Set(['connection', 'content-length', 'expect', 'keep-alive', 'transfer-encoding', 'upgrade']);

/** Makes HTTP jobs: what a line says, completed by templates, and found in order before anything is called. */
export function httpJobs(settings: HttpJobSettings): MakeJob {
  const url = settings.url === undefined ? undefined : urlTemplate(settings.url);
  const body = settings.body === undefined ? undefined : bodyTemplate(settings.body);
  const method = settings.method === undefined ? undefined : ofCommandLine('--method', () => checkedMethod(settings.method));
  const headers = settings.headers.map(([name, value]) => {
    const template = new Template(value, asText);
    ofCommandLine('--header', () => checkHeader(name, template.isFixed ? template.fill({}) : ''));
    return { name: name.toLowerCase(), template };
  });

  return (id, columns): HttpJob => {
    const target = checkedUrl(url === undefined ? columns['url'] : url.fill(columns));
    const content = body === undefined ? contentOf(columns['body']) : { body: body(columns), type: JSON_TYPE };
    const all = new Map(content === undefined ? [] : [['content-type', content.type]]);
    for (const { name, template } of headers) all.set(name, checkHeader(name, template.fill(columns)));
    for (const [name, value] of headersOf(columns['headers'])) all.set(name, checkHeader(name, value));
    return {
      kind: 'http',
      id,
      method: columns['method'] === undefined ? (method ?? (content === undefined ? 'GET' : 'POST')) : checkedMethod(columns['method']),
      url: target.href,
      origin: target.origin,
      headers: Object.fromEntries(all),
      body: content?.body,
    };
  };
}

/** What is wrong with the template itself is found here; what may be in it depends on the line. */
function urlTemplate(source: string): Template {
  const template = new Template(source, inUrl);
  ofCommandLine('--url', () => (template.isFixed ? checkedUrl(template.start) : checkScheme(template.start)));
  return template;
}

/** A template of JSON must give JSON for every line; one that is none (`a={a}`) may give anything. */
function bodyTemplate(source: string): (columns: Columns) => string {
  const template = new Template(source, inJson);
  // A digit is JSON by itself and may stand in a text, so it fits wherever a column does.
  if (template.isFixed || !isJson(template.filledWith('0'))) return (columns) => template.fill(columns);
  return (columns) => {
    const filled = template.fill(columns);
    if (!isJson(filled)) throw new LineFault('makes a --body that is not JSON: a text needs quotes around its place');
    return filled;
  };
}

function checkedUrl(value: unknown): URL {
  if (value === undefined) throw new LineFault('has no url');
  if (typeof value !== 'string') throw new LineFault('url must be a text');
  checkScheme(value);
  const url = URL.parse(value);
  if (url === null) throw new LineFault(`not a URL: ${quoted(withoutSecrets(value))}`);
  if (url.href.includes('#')) url.hash = ''; // assigned, it costs as much as the parse
  return url;
}

/** A text without a scheme is no URL, which is told elsewhere. */
function checkScheme(url: string): void {
  const scheme = /^\s*([a-z][a-z\d+.-]*:)/i.exec(url)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'http:' && scheme !== 'https:')
    throw new LineFault(`url must be http: or https:, got ${inertText(scheme)}`);
}

/** A URL that cannot be parsed may hold credentials or a token all the same (law F3). */
function withoutSecrets(url: string): string {
  return url.replace(/\?.*$/s, '?***').replace(/[^/]*@/, '***@');
}

function checkedMethod(value: unknown): string {
  if (typeof value !== 'string' || !TOKEN.test(value)) throw new LineFault('method must be a name like GET');
  const method = value.toUpperCase();
  if (method === 'CONNECT') throw new LineFault('method CONNECT opens a tunnel and has no response');
  return method;
}

function headersOf(value: unknown): [string, string][] {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new LineFault('headers must be an object of names and texts');
  return Object.entries(value).map(([name, content]) => {
    if (typeof content !== 'string' && typeof content !== 'number') throw new LineFault(`header ${quoted(name)} must be a text`);
    return [name.toLowerCase(), String(content)];
  });
}

/** The value, or a {@link LineFault} that names the header and never its value (law F3). */
export function checkHeader(name: string, value: string): string {
  if (!TOKEN.test(name)) throw new LineFault(`header ${quoted(name)} is not a name that HTTP allows`);
  if (OF_TRANSPORT.has(name.toLowerCase())) throw new LineFault(`header ${name} is set by the connection itself`);
  if (!FIELD_VALUE.test(value)) throw new LineFault(`header ${name} has a value with a line break or another character that HTTP forbids`);
  return value;
}

const JSON_TYPE = 'application/json';

/** Text is sent as it is, anything else as JSON. */
function contentOf(value: unknown): { readonly body: string; readonly type: string } | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? { body: value, type: 'text/plain;charset=utf-8' } : { body: JSON.stringify(value), type: JSON_TYPE };
}

/** What is wrong on the command line is wrong before any line is read. */
function ofCommandLine<T>(flag: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof LineFault ? new UsageError(`${flag}: ${error.message}`) : error;
  }
}

/** RFC 9110, section 9.2.2. */
const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Whether making the request twice comes to the same as making it once. */
export function isRepeatable({ method, headers }: HttpJob): boolean {
  return REPEATABLE.has(method) || Object.hasOwn(headers, 'idempotency-key');
}
