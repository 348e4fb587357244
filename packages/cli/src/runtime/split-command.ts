import { UsageError } from './usage-error.ts';

/** A quoted run, an escaped character, or a run of plain ones; what none of these takes is an open quote or a lone backslash. */
const PIECE = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/suy;
const BLANK = /\s+/y;

/**
 * The words of a command line, by the quoting rules that shells share: blanks separate, `'…'` takes all as it is, `"…"` and the backslash
 * escape. Nothing is expanded: no variables, globs, pipes or redirections.
 */
export function splitCommand(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < text.length) {
    BLANK.lastIndex = at;
    PIECE.lastIndex = at;
    const blank = BLANK.exec(text);
    const piece = blank === null ? PIECE.exec(text) : null;
    if (blank !== null && word !== undefined) words.push(word);
    if (blank === null && piece === null) throw new UsageError('--exec: a quote is not closed, or a backslash ends the command');
    word = piece === null ? undefined : (word ?? '') + contentOf(piece);
    at += (blank ?? piece)?.[0].length ?? 0;
  }
  return word === undefined ? words : [...words, word];
}

function contentOf([, single, double, escaped, plain]: RegExpExecArray): string {
  return single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? '';
}
