import { mkdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { docCommentSnippets, markdownSnippets } from './examples/snippet.ts';
import { temporaryTree } from './lib/temporary-tree.test-support.ts';
import { checkExamples } from './run-examples.ts';

/** Inside the repository, so that the modules find its installed packages. */
function tree(files: Readonly<Record<string, string>>): string {
  mkdirSync('.cache', { recursive: true });
  return temporaryTree(files, '.cache');
}

describe('what is an example', () => {
  test('the fenced or bare body of an @example, up to the next tag', () => {
    const text = [
      '/**',
      ' * Adds.',
      ' * @example',
      ' * ```ts',
      " * import { add } from '@scope/add';",
      ' * @decorated',
      ' * ```',
      ' * @returns the sum',
      ' * @example',
      ' * if (add(1, 2)) {',
      ' *   stop();',
      ' * }',
      ' */',
      'export function add() {}',
      '/** @example add(2, 3) */',
    ].join('\n');
    expect(docCommentSnippets('add.ts', text)).toEqual([
      { file: 'add.ts', line: 5, code: "import { add } from '@scope/add';\n@decorated" },
      { file: 'add.ts', line: 9, code: '\nif (add(1, 2)) {\n  stop();\n}' },
      { file: 'add.ts', line: 15, code: 'add(2, 3)' },
    ]);
  });

  test('the ts blocks of a document, unless they say no-run', () => {
    const text =
      'Text\n```ts\nconst a = 1;\n```\n```ts no-run\nb\n```\n```sh\nc\n```\n- item\n  ```ts\n  const d = 1;\n  ```\n````md\n```ts\n```\n````\n';
    expect(markdownSnippets('a.md', text)).toEqual([
      { file: 'a.md', line: 3, code: 'const a = 1;' },
      { file: 'a.md', line: 13, code: 'const d = 1;' },
    ]);
  });
});

describe('checking', () => {
  const example = (...lines: string[]): string =>
    `/**\n * Does it.\n * @example\n${lines.map((line) => ` * ${line}\n`).join('')} */\nexport const x = 1;\n`;

  test('good examples and programs pass', async () => {
    const root = tree({
      'packages/core/src/x.ts': example(
        "import assert from 'node:assert/strict';",
        'const value: number = await Promise.resolve(1);',
        'assert.equal(value, 1);',
      ),
      'docs/guide.md': "```ts\nsetTimeout(() => {}, 5);\nconsole.log('a');\nconsole.error('b');\n```\n",
      'README.md': '# Nothing to run',
      'examples/hello.ts': "console.log('hello');",
    });
    expect(await checkExamples(root)).toEqual({ snippets: 2, programs: 1, problems: [] });
  });

  test('a type error names its file and line, and nothing runs', async () => {
    const root = tree({
      'packages/core/src/x.ts': example('const a = 1;', 'const b: string = a;'),
      'docs/guide.md': "```ts\nthrow new Error('ran');\n```\n",
    });
    const { problems } = await checkExamples(root);
    expect(problems).toEqual([expect.stringMatching(/^packages\/core\/src\/x\.ts:5: error TS2322/)]);
  });

  test('every way to fail at run time is told, with its place, and the others still run', async () => {
    const root = tree({
      'docs/a.md': "```ts\nconst cause = 1;\nthrow new Error('boom', { cause });\n```\n",
      'docs/b.md': '```ts\nprocess.exit(0);\n```\n',
      'docs/c.md': '```ts\nsetInterval(() => {}, 1000);\n```\n',
      'docs/d.md': "```ts\nsetTimeout(() => { throw new Error('late'); });\nawait new Promise(() => {});\n```\n",
      'docs/e.md': '```ts\nconst fine = true;\n```\n',
      'examples/fails.ts': 'process.exit(3);',
    });
    const { problems } = await checkExamples(root);
    const found = problems.toSorted().map((text) => text.replaceAll('\n', ' '));
    expect(found).toEqual([
      expect.stringMatching(/^docs\/a\.md:2: Error: boom .*docs\/a\.md:3/),
      expect.stringMatching(/^docs\/b\.md:2: .*exit code 0/),
      expect.stringMatching(/^docs\/c\.md:2: leaves open: Timeout/),
      expect.stringMatching(/^docs\/d\.md:2: .*late/),
      expect.stringMatching(/^examples\/fails\.ts: /),
    ]);
  });
});
