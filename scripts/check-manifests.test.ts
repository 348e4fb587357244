import { expect, test } from 'vitest';
import { checkManifests } from './check-manifests.ts';
import { temporaryTree } from './lib/temporary-tree.test-support.ts';

const common = { version: '0.1.0', license: 'MIT', type: 'module', sideEffects: false, engines: { node: '>=22.19' } };
const core = { ...common, name: 'keelson' };
const http = { ...common, name: '@keelson/http', dependencies: { keelson: '0.1.0', undici: '8.12.4' } };
const root = { name: 'workspace', devDependencies: { typescript: '6.0.3', ts7: 'npm:typescript@7.0.2' } };
const lock = {
  packages: { '': {}, 'node_modules/typescript': { version: '6.0.3', integrity: 'sha512-x' }, 'node_modules/keelson': { link: true } },
};

function messages(changes: { root?: object; core?: object; http?: object; lock?: object }): string[] {
  const tree = temporaryTree({
    'package.json': JSON.stringify({ ...root, ...changes.root }),
    'packages/core/package.json': JSON.stringify({ ...core, ...changes.core }),
    'packages/http/package.json': JSON.stringify({ ...http, ...changes.http }),
    'package-lock.json': JSON.stringify({ ...lock, ...changes.lock }, null, 2),
  });
  return checkManifests(tree).map(({ file, line, message }) => `${file}:${line} ${message}`);
}

test('manifests in order', () => {
  expect(messages({})).toEqual([]);
});

test('the core depends on nothing, not even as a peer', () => {
  const message = 'packages/core/package.json:1 the core depends on nothing, but on undici';
  expect(messages({ core: { dependencies: { undici: '8.12.4' } } })).toEqual([message]);
  expect(messages({ core: { peerDependencies: { undici: '8.12.4' } } })).toEqual([message]);
});

test('every package has one version, and depends on the others in it', () => {
  expect(messages({ http: { version: '0.2.0' } })).toEqual([
    'packages/http/package.json:1 version 0.2.0; every package has one version, 0.1.0',
  ]);
  expect(messages({ http: { dependencies: { keelson: '0.0.9' } } })).toEqual([
    'packages/http/package.json:1 the packages of this repository are depended on as 0.1.0',
  ]);
});

test.each(['^6.0.3', '~6.0.3', '6', 'latest', '*', 'npm:typescript@^7.0.2'])('%s is no exact version', (version) => {
  const expected = [`package.json:1 typescript is ${version}, not one exact version`];
  expect(messages({ root: { devDependencies: { typescript: version } } })).toEqual(expected);
});

test('what every package declares', () => {
  expect(messages({ core: { type: 'commonjs', sideEffects: true, license: 'ISC', engines: { node: '>=18' } } })).toHaveLength(4);
});

test('the lock names no host and vouches for each download', () => {
  const entry = { version: '6.0.3', resolved: 'https://registry.example/typescript.tgz', integrity: 'sha512-x' };
  expect(messages({ lock: { packages: { 'node_modules/typescript': entry } } })).toEqual([
    'package-lock.json:5 names a registry host; .npmrc has omit-lockfile-registry-resolved',
  ]);
  expect(messages({ lock: { packages: { 'node_modules/typescript': { version: '6.0.3' } } } })).toEqual([
    'package-lock.json:1 node_modules/typescript has no integrity hash',
  ]);
});
