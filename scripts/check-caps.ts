// Checks the caps of CONTRIBUTING.md: sizes, `any`, suppressions, documented exports: node scripts/check-caps.ts [root]
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { functionSizes } from './caps/code-lines.ts';
import { checkDocumentation } from './caps/documentation.ts';
import { unreasonedSuppressions } from './caps/suppressions.ts';
import { listFiles } from './lib/files.ts';
import { lineOf, parse, walk } from './lib/syntax.ts';
import { report, type Violation } from './lib/violation.ts';

const FILES = ['packages/*/{src,test}/**/*.ts', 'scripts/**/*.ts', 'examples/**/*.ts', 'benchmarks/**/*.ts', '*.ts'];
const EXCEPTIONS = 'scripts/caps-exceptions.json';
const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 50;

/** A file, or one function of it, that may be longer, because a decision says so. */
interface Exception {
  readonly file: string;
  /** The function; absent for the file as a whole. */
  readonly function?: string;
  readonly maxLines: number;
  readonly decision: string;
}

/** The measured length of a file or of one function of it. */
interface Size {
  readonly file: string;
  readonly function?: string;
  readonly line: number;
  readonly lines: number;
  readonly maxLines: number;
}

/** Every broken cap below `root`. */
export function checkCaps(root: string): Violation[] {
  const sources = listFiles(root, FILES).map((path) => parse(root, path));
  const exceptions = existsSync(join(root, EXCEPTIONS)) ? (JSON.parse(readFileSync(join(root, EXCEPTIONS), 'utf8')) as Exception[]) : [];
  const tooLong = sources.flatMap(sizesOf).filter(({ lines, maxLines }) => lines > maxLines);
  return [
    ...tooLong
      .filter((size) => size.lines > (exceptions.find((each) => covers(each, size))?.maxLines ?? size.maxLines))
      .map(tooLongMessage),
    ...exceptions.flatMap((exception) => checkException(root, exception, tooLong)),
    ...sources.flatMap(checkAny),
    ...sources.flatMap(checkSuppressions),
    ...checkDocumentation(root),
  ];
}

function sizesOf(source: ts.SourceFile): Size[] {
  const file = source.fileName;
  const lines = source.getLineAndCharacterOfPosition(source.text.trimEnd().length).line + 1;
  const functions = functionSizes(source).map(({ name, line, codeLines }) => ({
    file,
    function: name,
    line,
    lines: codeLines,
    maxLines: MAX_FUNCTION_LINES,
  }));
  return [{ file, line: 1, lines, maxLines: MAX_FILE_LINES }, ...functions];
}

function covers(exception: Exception, size: Size): boolean {
  return exception.file === size.file && exception.function === size.function;
}

function tooLongMessage(size: Size): Violation {
  const what = size.function === undefined ? 'the file has' : `${size.function} has`;
  const unit = size.function === undefined ? 'lines' : 'code lines';
  const message = `${what} ${size.lines} ${unit}; at most ${size.maxLines}, or an entry in ${EXCEPTIONS} with its decision`;
  return { file: size.file, line: size.line, rule: 'size', message };
}

function checkException(root: string, exception: Exception, tooLong: readonly Size[]): Violation[] {
  const at = { file: EXCEPTIONS, line: 1, rule: 'exception' };
  const name = exception.function === undefined ? exception.file : `${exception.file} ${exception.function}`;
  return [
    ...(existsSync(join(root, exception.decision)) ? [] : [{ ...at, message: `${name}: no decision at ${exception.decision}` }]),
    ...(tooLong.some((size) => covers(exception, size)) ? [] : [{ ...at, message: `${name}: needs no exception any more` }]),
  ];
}

function checkAny(source: ts.SourceFile): Violation[] {
  const violations: Violation[] = [];
  walk(source, (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) {
      violations.push({ file: source.fileName, line: lineOf(node), rule: 'no any', message: 'uses any' });
    }
  });
  return violations;
}

function checkSuppressions(source: ts.SourceFile): Violation[] {
  return unreasonedSuppressions(source).map(({ directive, line }) => ({
    file: source.fileName,
    line,
    rule: 'suppression',
    message: `${directive} without a reason behind it (": why" or "-- why")`,
  }));
}

if (import.meta.main) {
  const root = process.argv[2] ?? '.';
  report('caps', `${listFiles(root, FILES).length} files`, checkCaps(root));
}
