import ts from 'typescript';
import { tokensOf } from './code-lines.ts';

/** A comment that silences a tool without saying why. */
export interface Suppression {
  readonly directive: string;
  readonly line: number;
}

const DIRECTIVE =
  /(?:@ts-(?:ignore|expect-error|nocheck)|biome-ignore(?:-\w+)?|(?:oxlint|eslint)-disable(?:-[\w-]+)?|v8 ignore(?: \w+)?|Stryker disable(?: [\w-]+)?)/;

/** Finds the comments of a file that suppress a rule and give no reason behind it (a few words after `:` or `--`). */
export function unreasonedSuppressions(source: ts.SourceFile): Suppression[] {
  const typeTest = source.fileName.endsWith('.test-d.ts');
  return commentsOf(source).flatMap(({ text, line }) => {
    const found = DIRECTIVE.exec(text);
    if (found === null || (typeTest && found[0] === '@ts-expect-error')) {
      return [];
    }
    const behind = text.slice(found.index + found[0].length).replace(/\*\/\s*$/, '');
    const reason = /(?::|--)\s+(\S.*)$/s.exec(behind)?.[1] ?? '';
    return reason.trim().split(/\s+/).length >= 3 ? [] : [{ directive: found[0], line }];
  });
}

function commentsOf(source: ts.SourceFile): { text: string; line: number }[] {
  const starts = new Map<number, { text: string; line: number }>();
  const positions = tokensOf(source).flatMap((token) => [token.getFullStart(), token.end]);
  for (const position of [...positions, source.endOfFileToken.getFullStart()]) {
    const ranges = [
      ...(ts.getLeadingCommentRanges(source.text, position) ?? []),
      ...(ts.getTrailingCommentRanges(source.text, position) ?? []),
    ];
    for (const { pos, end } of ranges) {
      starts.set(pos, { text: source.text.slice(pos, end), line: source.getLineAndCharacterOfPosition(pos).line + 1 });
    }
  }
  return [...starts.values()];
}
