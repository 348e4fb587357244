import { describe, expect, test } from 'vitest';
import { checkCaps } from './check-caps.ts';
import { temporaryTree } from './lib/temporary-tree.test-support.ts';

/** Each broken cap of a tree as `file:line rule`. */
function brokenCaps(files: Readonly<Record<string, string>>): string[] {
  return checkCaps(temporaryTree(files)).map(({ file, line, rule }) => `${file.replace('packages/core/src/', '')}:${line} ${rule}`);
}

/** The same for one source file. */
function brokenBy(text: string, path: string = 'a.ts'): string[] {
  return brokenCaps({ [`packages/core/src/${path}`]: text });
}

function lines(count: number, line: string = 'step();'): string {
  return `${line}\n`.repeat(count);
}

describe('sizes', () => {
  test('a file of 400 lines, not of 401', () => {
    expect(brokenBy(lines(400))).toEqual([]);
    expect(brokenBy(lines(401))).toEqual(['a.ts:1 size']);
  });

  test('a function of 50 code lines, not of 51', () => {
    expect(brokenBy(`function f() {\n${lines(48)}}\n`)).toEqual([]);
    expect(brokenBy(`function f() {\n${lines(49)}}\n`)).toEqual(['a.ts:1 size']);
  });

  test('blank lines and comments are no code', () => {
    expect(brokenBy(`function f() {\n${lines(40)}${lines(20, '')}${lines(20, '// why')}/*\n${lines(20, ' * why')} */\n}\n`)).toEqual([]);
  });

  test('every kind of function counts, with its inner ones', () => {
    expect(brokenBy(`const f = () => {\n${lines(49)}};\n`)).toEqual(['a.ts:1 size']);
    expect(brokenBy(`class A {\n  m() {\n${lines(49)}}\n}\n`)).toEqual(['a.ts:2 size']);
    expect(brokenBy(`class A {\n  constructor() {\n${lines(49)}}\n}\n`)).toEqual(['a.ts:2 size']);
    expect(brokenBy(`function f() {\n  const g = () => {\n${lines(46)}  };\n  return g;\n}\n`)).toEqual(['a.ts:1 size']);
    expect(brokenBy(`const text = () => \`\n${lines(50)}\`;\n`)).toEqual(['a.ts:1 size']);
  });

  test("a test's describe is a list, its tests are functions", () => {
    const suite = (body: string): string => `describe('x', () => {\n${body}});\n`;
    expect(brokenBy(suite(lines(60)), 'a.test.ts')).toEqual([]);
    expect(brokenBy(suite(lines(60)), 'a.ts')).toEqual(['a.ts:1 size']);
    expect(brokenBy(suite(`test('y', () => {\n${lines(60)}});\n`), 'a.test.ts')).toEqual(['a.test.ts:2 size']);
  });
});

describe('exceptions', () => {
  const tooLong = { 'packages/core/src/a.ts': `function f() {\n${lines(60)}}\n`, 'docs/decisions/1.md': 'why' };
  const exception = (entry: object): Record<string, string> => ({ ...tooLong, 'scripts/caps-exceptions.json': JSON.stringify([entry]) });
  const file = 'packages/core/src/a.ts';
  const decision = 'docs/decisions/1.md';

  test('allow what a decision allows, up to its number', () => {
    expect(brokenCaps(exception({ file, function: 'f', maxLines: 62, decision }))).toEqual([]);
    expect(brokenCaps(exception({ file, function: 'f', maxLines: 61, decision }))).toEqual(['a.ts:1 size']);
  });

  test('need their decision, and a cap that is exceeded', () => {
    const at = 'scripts/caps-exceptions.json:1 exception';
    expect(brokenCaps(exception({ file, function: 'f', maxLines: 62, decision: 'docs/decisions/2.md' }))).toEqual([at]);
    expect(brokenCaps(exception({ file, maxLines: 500, decision }))).toEqual(['a.ts:1 size', at]);
  });
});

describe('any and suppressions', () => {
  test('any is a type, not a word', () => {
    expect(brokenBy('let x: any;')).toEqual(['a.ts:1 no any']);
    expect(brokenBy('const x = y as unknown as Map<string, any>;')).toEqual(['a.ts:1 no any']);
    expect(brokenBy("// any\nconst any = 'any';\nany.any;")).toEqual([]);
  });

  test.each([
    '// @ts-ignore',
    '// @ts-expect-error',
    '// @ts-expect-error: no',
    '// @ts-nocheck',
    '// biome-ignore lint/style/noVar: <explanation>',
    '// oxlint-disable-next-line no-console',
    '/* eslint-disable no-console */',
    '// v8 ignore next',
    '// Stryker disable next-line all',
  ])('without a reason: %s', (comment) => {
    expect(brokenBy(`step();\n${comment}\nstep();`)).toEqual(['a.ts:2 suppression']);
  });

  test.each([
    '// @ts-expect-error: the types of x lag behind',
    '// biome-ignore lint/style/noVar: hoisting is the point here',
    '// oxlint-disable-next-line no-console -- the report goes there',
    '/* v8 ignore next -- cannot happen on Linux */',
  ])('with its reason: %s', (comment) => {
    expect(brokenBy(`${comment}\nstep();`)).toEqual([]);
  });

  test('a directive in a string is none; a type test expects errors by trade', () => {
    expect(brokenBy("const text = '// @ts-ignore';")).toEqual([]);
    expect(brokenBy('// @ts-expect-error\nstep();', 'a.test-d.ts')).toEqual([]);
    expect(brokenBy('// @ts-expect-error\nstep();', 'a.test.ts')).toEqual(['a.test.ts:1 suppression']);
  });
});

describe('documentation of what the entries export', () => {
  const manifest = '{ "exports": { ".": { "@keelson/source": "./src/index.ts" }, "./package.json": "./package.json" } }';
  const documented = (text: string): string[] =>
    brokenCaps({
      'packages/core/package.json': manifest,
      'packages/core/src/index.ts': "export { x } from './x.ts';\nexport type { X } from './x.ts';",
      'packages/core/src/x.ts': text,
    });
  const type = '/** A thing. */\nexport interface X {}\n';

  test('a value needs a docstring and an example', () => {
    expect(documented(`${type}export const x = 1;`)).toEqual(['x.ts:3 documented', 'x.ts:3 documented']);
    expect(documented(`${type}/** One. */\nexport function x() {}`)).toEqual(['x.ts:4 documented']);
    expect(documented(`${type}/**\n * One.\n * @example\n * x();\n */\nexport function x() {}`)).toEqual([]);
    expect(documented(`${type}/**\n * One.\n * @example\n * x;\n */\nexport const x: number = 1;`)).toEqual([]);
  });

  test('a type needs a docstring', () => {
    const value = '/**\n * One.\n * @example\n * x();\n */\nexport class x {}\n';
    expect(documented(`${value}export interface X {}`)).toEqual(['x.ts:7 documented']);
    expect(documented(`${value}/** A thing. */\nexport type X = string;`)).toEqual([]);
  });

  test('a value that exists only in types is a type', () => {
    expect(documented(`${type}/** A slot. */\nexport declare const x: unique symbol;`)).toEqual([]);
  });

  test('a class exported as a type is a type', () => {
    const value = '/**\n * One.\n * @example\n * x();\n */\nexport const x = 1;\n';
    expect(documented(`${value}/** A thing. */\nexport class X {}`)).toEqual([]);
  });

  test('what no entry exports is free', () => {
    expect(documented(`${type}/**\n * One.\n * @example\n * x();\n */\nexport class x {}\nexport const inner = 1;`)).toEqual([]);
  });
});
