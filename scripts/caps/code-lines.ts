import ts from 'typescript';
import { isTest } from '../lib/files.ts';
import { walk } from '../lib/syntax.ts';

/** One function and its length in code lines: lines that hold neither only blanks nor only comments. */
export interface FunctionSize {
  readonly name: string;
  readonly line: number;
  readonly codeLines: number;
}

/** Measures every function of a file, inner ones as part of their outer ones too. The body of a test's `describe` is a list, not a function. */
export function functionSizes(source: ts.SourceFile): FunctionSize[] {
  const codeLines = linesWithCode(source);
  const sizes: FunctionSize[] = [];
  walk(source, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined || isSuite(source, node)) {
      return;
    }
    const first = lineAt(source, node.getStart(source));
    const last = lineAt(source, node.end);
    const count = codeLines.filter((line) => line >= first && line <= last).length;
    sizes.push({ name: nameOf(node), line: first + 1, codeLines: count });
  });
  return sizes;
}

function linesWithCode(source: ts.SourceFile): number[] {
  const lines = new Set<number>();
  for (const token of tokensOf(source)) {
    const last = lineAt(source, token.end);
    for (let line = lineAt(source, token.getStart(source)); line <= last; line += 1) {
      lines.add(line);
    }
  }
  return [...lines];
}

/** The tokens of a file in order, without its end mark. */
export function tokensOf(source: ts.SourceFile): ts.Node[] {
  const tokens: ts.Node[] = [];
  function collect(node: ts.Node): void {
    if (ts.isJSDoc(node) || node.end === node.getStart(source)) {
      return;
    }
    const children = node.getChildren(source);
    if (children.length === 0) {
      tokens.push(node);
    }
    children.forEach(collect);
  }
  collect(source);
  return tokens;
}

function lineAt(source: ts.SourceFile, position: number): number {
  return source.getLineAndCharacterOfPosition(position).line;
}

function isSuite(source: ts.SourceFile, node: ts.Node): boolean {
  return isTest(source.fileName) && ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.expression.getText(source));
}

function nameOf(node: ts.Node): string {
  if (ts.isConstructorDeclaration(node)) {
    return 'constructor';
  }
  const named = (node as { name?: ts.Node }).name ?? (node.parent as { name?: ts.Node }).name;
  return named?.getText() ?? '(anonymous)';
}
