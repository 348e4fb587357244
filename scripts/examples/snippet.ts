/** One example of the docs: a piece of TypeScript and the place it was written at. */
export interface Snippet {
  readonly file: string;
  /** The line of `file` that holds the first line of `code`. */
  readonly line: number;
  readonly code: string;
}

/** The code of each ```` ```ts ```` block of a Markdown text; a block marked `ts no-run` is only shown. */
export function markdownSnippets(file: string, text: string): Snippet[] {
  return fences(text.split('\n'))
    .filter(({ info }) => /^ts(\s|$)/.test(info) && !info.split(/\s+/).includes('no-run'))
    .map(({ start, lines }) => ({ file, line: start + 1, code: dedent(lines) }));
}

/** The code of each `@example` in the doc comments of a TypeScript text, fenced or bare. */
export function docCommentSnippets(file: string, text: string): Snippet[] {
  const comments = [...text.matchAll(/^[ \t]*\/\*\*.*?\*\//gms)];
  return comments.flatMap((comment) => {
    const firstLine = text.slice(0, comment.index).split('\n').length;
    const lines = comment[0].split('\n').map((line) => line.replace(/^\s*(?:\/\*\*|\*\/|\* ?)/, '').replace(/\s*\*\/$/, ''));
    return exampleTags(lines).flatMap(({ start, body }) => tagSnippets(file, firstLine + start, body));
  });
}

/** Each `@example` tag: from its line to the next tag that is not within a fence. */
function exampleTags(lines: readonly string[]): { start: number; body: string[] }[] {
  const tags: { start: number; name: string; body: string[] }[] = [];
  let fenced = false;
  lines.forEach((line, index) => {
    const tag = fenced ? null : /^\s*@(\w+)\s?(.*)$/.exec(line);
    if (tag === null) {
      tags.at(-1)?.body.push(line);
    } else {
      tags.push({ start: index, name: tag[1] ?? '', body: [tag[2] ?? ''] });
    }
    fenced = /^\s*```/.test(line) ? !fenced : fenced;
  });
  return tags.filter(({ name }) => name === 'example');
}

function tagSnippets(file: string, line: number, body: readonly string[]): Snippet[] {
  const blocks = fences(body);
  return blocks.length === 0
    ? [{ file, line, code: dedent(body) }]
    : blocks.map(({ start, lines }) => ({ file, line: line + start, code: dedent(lines) }));
}

/** The fenced blocks of a text; `start` is the index of a block's first inner line. */
function fences(lines: readonly string[]): { info: string; start: number; lines: string[] }[] {
  const blocks: { info: string; start: number; lines: string[] }[] = [];
  let mark: string | undefined;
  lines.forEach((line, index) => {
    const fence = /^\s*(`{3,})(.*)$/.exec(line);
    if (mark === undefined && fence !== null) {
      mark = fence[1];
      blocks.push({ info: (fence[2] ?? '').trim(), start: index + 1, lines: [] });
    } else if (mark !== undefined && line.trim() === mark) {
      mark = undefined;
    } else if (mark !== undefined) {
      blocks.at(-1)?.lines.push(line);
    }
  });
  return blocks;
}

function dedent(lines: readonly string[]): string {
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
  const margin = Math.min(...indents, Number.MAX_SAFE_INTEGER);
  return lines
    .map((line) => line.slice(Math.min(margin, line.length)))
    .join('\n')
    .trimEnd();
}
