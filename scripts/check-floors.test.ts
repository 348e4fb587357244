import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkFloors } from './check-floors.ts';
import { readHouse } from './floors/house.ts';
import { checkPictures, writePictures } from './floors/picture.ts';
import { temporaryTree } from './lib/temporary-tree.test-support.ts';

const MANIFESTS = {
  'packages/core/package.json': '{ "name": "keelson" }',
  'packages/http/package.json': '{ "name": "@keelson/http", "dependencies": { "keelson": "0.1.0", "undici": "8.0.0" } }',
  'packages/cli/package.json': '{ "name": "@keelson/cli", "dependencies": { "keelson": "0.1.0", "@keelson/http": "0.1.0" } }',
};

/** Builds a tree of the given files and returns each broken rule as `file:line rule`. */
function brokenRules(files: Readonly<Record<string, string>>): string[] {
  const root = temporaryTree({ ...MANIFESTS, ...files });
  return checkFloors(root).map(({ file, line, rule }) => `${file.replace('packages/', '').replace('/src', '')}:${line} ${rule}`);
}

/** The same for one file of the core. */
function brokenBy(path: string, text: string): string[] {
  return brokenRules({ [`packages/core/src/${path}`]: text }).map((line) => line.slice(line.indexOf(' ') + 1));
}

test('a house in order breaks nothing', () => {
  const files = {
    'packages/core/src/index.ts': "export { retry } from './retry/retry.ts';",
    'packages/core/src/testing/index.ts': "export * from './virtual-clock.ts';",
    'packages/core/src/retry/retry.ts': "import { policy } from '../policy/policy.ts'; import './backoff.ts'; export const retry = policy;",
    'packages/core/src/scope/scope.ts': "import { policy } from '../policy/policy.ts'; export const scope = policy;",
    'packages/core/src/retry/retry.test.ts': "import '../testing/virtual-clock.ts'; import { test } from 'vitest'; setImmediate(() => {});",
    'packages/core/src/time/system-clock.ts': 'export const now = () => performance.now(); setTimeout(now, 1);',
    'packages/core/src/index.test.ts': "import './index.ts';",
    'packages/http/src/client.ts': "import { retry } from 'keelson'; import { request } from 'undici'; import 'node:fs';",
    'packages/cli/src/main.ts': "import './commands/run.ts';",
    'packages/cli/src/commands/run.ts': "import { run } from '../operations/run.ts'; import { get } from '@keelson/http';",
    'packages/cli/src/operations/run.ts': "import '../runtime/files.ts'; export const run = 1;",
  };
  expect(brokenRules(files)).toEqual([]);
});

describe('rule 1: down only, or leftwards below floor 3', () => {
  test('upwards', () => {
    expect(brokenBy('errors/base.ts', "import { Semaphore } from '../sync/semaphore.ts';")).toEqual(['1: down only']);
  });
  test('to the right on its own floor', () => {
    expect(brokenBy('observe/events.ts', "import { Semaphore } from '../sync/semaphore.ts';")).toEqual(['1: down only']);
  });
  test('an entry above all floors', () => {
    expect(brokenBy('retry/retry.ts', "import { x } from '../data.ts';")).toEqual(['1: down only']);
  });
  test('a room that no floor knows', () => {
    expect(brokenBy('attic/box.ts', 'export const box = 1;')).toEqual(['1: down only']);
    expect(brokenBy('retry/retry.ts', "import '../attic/box.ts';")).toEqual(['1: down only']);
  });
  test('in tests, which may use the testing room', () => {
    expect(brokenBy('errors/base.test.ts', "import { Semaphore } from '../sync/semaphore.ts';")).toEqual(['1: down only']);
    expect(brokenBy('errors/base.test.ts', "import { VirtualClock } from '../testing/virtual-clock.ts';")).toEqual([]);
  });
});

describe('rule 2: the rooms of floor 3 never import each other', () => {
  test('in sources', () => {
    expect(brokenBy('retry/retry.ts', "import { timeout } from '../timeout/timeout.ts';")).toEqual(['2: islands']);
    expect(brokenBy('timeout/timeout.ts', "import { retry } from '../retry/retry.ts';")).toEqual(['2: islands']);
  });
  test('in tests', () => {
    expect(brokenBy('retry/retry.test.ts', "import { timeout } from '../timeout/timeout.ts';")).toEqual(['2: islands']);
  });
});

describe('rule 3: nobody inside imports an index.ts', () => {
  test('by path', () => {
    expect(brokenBy('retry/retry.ts', "import { policy } from '../policy/index.ts';")).toEqual(['3: no index']);
    expect(brokenRules({ 'packages/http/src/client.ts': "import './index.ts';" })).toEqual(['http/client.ts:1 3: no index']);
  });
  test('by its own public name', () => {
    expect(brokenBy('retry/retry.ts', "import { compose } from 'keelson';")).toEqual(['3: no index']);
    expect(brokenBy('retry/retry.test.ts', "import { scriptedOperation } from 'keelson/testing';")).toEqual(['3: no index']);
  });
});

describe('rule 4: every form of import obeys, types too', () => {
  test.each([
    ['import type', "import type { Semaphore } from '../sync/semaphore.ts';"],
    ['an inline type', "import { type Semaphore } from '../sync/semaphore.ts';"],
    ['an import type node', "export type S = import('../sync/semaphore.ts').Semaphore;"],
    ['typeof import', "export type S = typeof import('../sync/semaphore.ts');"],
    ['export from', "export { Semaphore } from '../sync/semaphore.ts';"],
    ['export type from', "export type { Semaphore } from '../sync/semaphore.ts';"],
    ['export star', "export * from '../sync/semaphore.ts';"],
    ['for its effect', "import '../sync/semaphore.ts';"],
    ['a dynamic import', "export const load = () => import('../sync/semaphore.ts');"],
    ['a template literal', 'export const load = () => import(`../sync/semaphore.ts`);'],
  ])('%s', (_form, text) => {
    expect(brokenBy('errors/base.ts', text)).toEqual(['1: down only']);
  });
});

describe('rule 5: clocks, timers, randomness, async_hooks and diagnostics_channel only in their files', () => {
  test.each([
    'setTimeout(f, 1);',
    'const later = setInterval;',
    'setImmediate(f);',
    'globalThis.setTimeout(f, 1);',
    'const { setTimeout: later } = globalThis;',
    'const clock = { setTimeout };',
    'Date.now();',
    'const read = Date.now;',
    'new Date();',
    'new Date;',
    'Date();',
    'performance.now();',
    'process.hrtime.bigint();',
    'Math.random();',
    'const { random } = Math;',
    'crypto.randomUUID();',
    'AbortSignal.any([]);',
    'AbortSignal.timeout(1);',
    "import { setTimeout } from 'node:timers/promises';",
    "import { performance } from 'node:perf_hooks';",
    "import { randomUUID } from 'node:crypto';",
    "import { randomUUID as id } from 'node:crypto';",
    "import * as everything from 'node:crypto';",
    "export type Uuid = import('node:crypto').UUID | typeof import('node:crypto').randomUUID;",
    "import { AsyncLocalStorage } from 'node:async_hooks';",
    "import { channel } from 'node:diagnostics_channel';",
  ])('%s', (text) => {
    expect(brokenBy('retry/retry.ts', text)).toEqual(['5: guarded']);
  });

  test.each([
    '// setTimeout(f, 1) and Date.now() in a comment',
    "const text = 'setTimeout(f, 1); Math.random()';",
    'const text = `Date.now()`;',
    'queueMicrotask(f);',
    'clock.setTimeout(f, 1);',
    'clock.now();',
    'new Date(1);',
    "Date.parse('2020-01-01');",
    'x instanceof Date;',
    'function at(date: Date): Date { return date; }',
    'let timer: ReturnType<typeof setTimeout>;',
    'class VirtualClock { setTimeout() {} }',
    'const clock = { setTimeout: f };',
    'Math.max(1, 2);',
    "import { createHash } from 'node:crypto';",
    "import { createHistogram } from 'node:perf_hooks';",
    "export type Made = import('node:crypto').Hash;",
    'clearTimeout(timer);',
  ])('no use: %s', (text) => {
    expect(brokenBy('retry/retry.ts', text)).toEqual([]);
  });

  test('the owners may, and the test beside one', () => {
    expect(brokenBy('time/system-clock.ts', 'setTimeout(f, Date.now());')).toEqual([]);
    expect(brokenBy('time/system-clock.test.ts', 'performance.now();')).toEqual([]);
    expect(brokenBy('random/system-random.ts', 'Math.random();')).toEqual([]);
    expect(brokenBy('context/ambient.ts', "import { AsyncLocalStorage } from 'node:async_hooks';")).toEqual([]);
    expect(brokenBy('observe/channels.ts', "import { channel } from 'node:diagnostics_channel';")).toEqual([]);
  });

  test('a type test is never run', () => {
    expect(brokenBy('retry/retry.test-d.ts', 'new Date();')).toEqual([]);
  });

  test('tests too, but for setImmediate and what only plays the outside world', () => {
    expect(brokenBy('retry/retry.test.ts', 'setTimeout(f, 1);')).toEqual(['5: guarded']);
    expect(brokenBy('retry/retry.test.ts', 'Date.now();')).toEqual(['5: guarded']);
    expect(brokenBy('retry/retry.test.ts', 'setImmediate(f);')).toEqual([]);
    expect(brokenBy('retry/retry.test.ts', "import { AsyncLocalStorage } from 'node:async_hooks';")).toEqual([]);
  });
});

describe('rule 6: a package imports the core and its own engine', () => {
  test('never another adapter', () => {
    expect(brokenRules({ 'packages/http/src/client.ts': "import { main } from '@keelson/cli';" })).toEqual([
      'http/client.ts:1 6: own engine',
    ]);
    expect(brokenBy('retry/retry.ts', "import { get } from '@keelson/http';")).toEqual(['6: own engine']);
  });
  test('never an engine that its manifest does not name', () => {
    expect(brokenBy('retry/retry.ts', "import { request } from 'undici';")).toEqual(['6: own engine']);
    expect(brokenRules({ 'packages/cli/src/main.ts': "import { request } from 'undici';" })).toEqual(['cli/main.ts:1 6: own engine']);
  });
  test('never the core by path', () => {
    const files = { 'packages/http/src/client.ts': "import { retry } from '../../core/src/retry/retry.ts';" };
    expect(brokenRules(files)).toEqual(['http/client.ts:1 6: own engine']);
  });
});

describe('rule 7: commands, operations, runtime, never back', () => {
  test.each([
    ['operations/run.ts', '../commands/run.ts'],
    ['runtime/files.ts', '../operations/run.ts'],
    ['runtime/files.ts', '../commands/run.ts'],
    ['operations/run.ts', '../main.ts'],
  ])('%s imports %s', (from, to) => {
    expect(brokenRules({ [`packages/cli/src/${from}`]: `import type { X } from '${to}';` })).toEqual([`cli/${from}:1 7: cli layers`]);
  });
  test('a room that is no layer', () => {
    expect(brokenRules({ 'packages/cli/src/helpers/x.ts': 'export const x = 1;' })).toEqual(['cli/helpers/x.ts:1 7: cli layers']);
  });
});

test('no cycles, also of types', () => {
  const files = {
    'packages/core/src/retry/a.ts': "\nimport type { B } from './b.ts';",
    'packages/core/src/retry/b.ts': "import type { C } from './c.ts';",
    'packages/core/src/retry/c.ts': "import type { A } from './a.ts';",
  };
  expect(brokenRules(files)).toEqual(['core/retry/a.ts:1 no cycles']);
});

test('a violation names its line', () => {
  const files = { 'packages/core/src/errors/base.ts': "// why\n\nimport { Semaphore } from '../sync/semaphore.ts';" };
  expect(brokenRules(files)).toEqual(['core/errors/base.ts:3 1: down only']);
});

test('a document that draws the floors draws those of floors.json', () => {
  const house = readHouse();
  const begin = '<!-- floors: written by scripts/check-floors.ts --write -->';
  const root = temporaryTree({
    'README.md': 'no picture',
    'ARCHITECTURE.md': `before\n${begin}\nfloor 9\n<!-- /floors -->\nafter\n`,
    'packages/core/src/retry/retry.ts': '',
    'packages/core/src/time/clock.ts': '',
  });
  expect(checkPictures(root, house).map(({ file, rule }) => `${file} ${rule}`)).toEqual(['ARCHITECTURE.md picture']);
  writePictures(root, house);
  expect(checkPictures(root, house)).toEqual([]);
  const drawn = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  expect(drawn).toMatch(/^before\n<!--[^\n]*-->\n```text\nfloor 4/);
  expect(drawn).toMatch(/```\n<!-- \/floors -->\nafter\n$/);
  expect(drawn).toContain('\nfloor 3   retry/\n');
  expect(drawn).toContain('\nfloor 0   time/\n');
});
