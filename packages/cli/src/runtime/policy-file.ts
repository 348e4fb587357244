import { readFile } from 'node:fs/promises';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { type Alias, type Document, isNode, isScalar, LineCounter, parseDocument, visit, type YAMLParseError } from 'yaml';
import { inertText, quoted } from './inert-text.ts';
import type { PolicyDocument } from './policy-document.ts';
import { systemReason } from './system-reason.ts';
import { UsageError } from './usage-error.ts';

const SCHEMA = new URL('../../schema/policy.schema.json', import.meta.url);

/** Reads a policy file and checks it against the published schema. Throws a {@link UsageError} that names file, line and column. */
export async function readPolicyFile(path: string): Promise<PolicyDocument> {
  const lines = new LineCounter();
  const document = parseDocument(await textOf(path), { lineCounter: lines, prettyErrors: false });
  const [syntaxError] = document.errors;
  if (syntaxError !== undefined) throw fault(path, lines, syntaxError.pos[0], explain(syntaxError));
  const alias = firstAlias(document);
  if (alias !== undefined) throw fault(path, lines, alias.range?.[0] ?? 0, 'a policy has no aliases');
  const content: unknown = document.toJS() ?? {};
  const [error] = await schemaErrors(content);
  if (error !== undefined) throw fault(path, lines, offsetOf(document, error), describe(error, content));
  return content as PolicyDocument;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot be read: ${systemReason(error)}`, { file: path });
  }
}

function fault(file: string, lines: LineCounter, offset: number, message: string): UsageError {
  const { line, col } = lines.linePos(offset);
  return new UsageError(message, { file, line, column: col });
}

/** The parser tells its caller, not the author of the file, what to do about a second document. */
function explain({ code, message }: YAMLParseError): string {
  return code === 'MULTIPLE_DOCS' ? 'a second document begins here, but a policy file holds one' : inertText(message);
}

function firstAlias(document: Document): Alias | undefined {
  let first: Alias | undefined;
  visit(document, {
    Alias: (_, alias) => {
      first = alias;
      return visit.BREAK;
    },
  });
  return first;
}

async function schemaErrors(content: unknown): Promise<readonly ErrorObject[]> {
  const check = new Ajv2020().compile(JSON.parse(await readFile(SCHEMA, 'utf8')) as object);
  check(content);
  return check.errors ?? [];
}

/** Of the key for one that is unknown, else of the value. */
function offsetOf(document: Document, error: ErrorObject): number {
  const path = pathOf(error);
  const unknown = unknownKey(error);
  const node = document.getIn(path, true);
  if (unknown !== undefined && node !== null && typeof node === 'object' && 'items' in node) {
    const pair = (node.items as { key: unknown }[]).find(({ key }) => isScalar(key) && String(key.value) === unknown);
    if (isNode(pair?.key)) return pair.key.range?.[0] ?? 0;
  }
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function pathOf({ instancePath }: ErrorObject): string[] {
  return instancePath
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function unknownKey({ keyword, params }: ErrorObject): string | undefined {
  return keyword === 'additionalProperties' ? (params as { additionalProperty: string }).additionalProperty : undefined;
}

function describe(error: ErrorObject, content: unknown): string {
  const name = pathOf(error).join('.') || 'the file';
  const unknown = unknownKey(error);
  if (unknown !== undefined) return `unknown key ${quoted(unknown)}${name === 'the file' ? '' : ` in ${name}`}`;
  return `${name} must be ${expectation(error)}, got ${shown(valueAt(content, pathOf(error)))}`;
}

function expectation({ keyword, schemaPath, params }: ErrorObject): string {
  if (schemaPath.startsWith('#/$defs/duration')) return "a length of time above 0, like '250ms', '5s', '2m' or '1h30m'";
  if (schemaPath.startsWith('#/$defs/rate')) return "a number of calls in a time, like '100/s', '20/m' or '5/10s'";
  if (schemaPath.startsWith('#/$defs/count')) return 'a whole number of at least 1';
  if (keyword === 'enum') return "'off' or an object of settings";
  return `of type ${(params as { type?: string }).type ?? 'object'}`;
}

function valueAt(content: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], content);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  return Array.isArray(value) ? 'a list' : typeof value === 'object' && value !== null ? 'an object' : String(value);
}
