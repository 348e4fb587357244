import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryTree } from '../lib/temporary-tree.test-support.ts';
import { libraryPath, packagesToInstall, privateState } from './debian-packages.ts';

test('reads what apt would install, leaving the C library to the system', () => {
  const simulation = [
    'NOTE: This is only a simulation!',
    'The following NEW packages will be installed:',
    '  nginx nginx-common',
    'Inst libc6 [2.36-9] (2.36-10 Debian:12.11/stable [amd64]) []',
    'Inst nginx-common (1.22.1-9 Debian:12.11/stable [all])',
    'Inst nginx (1.22.1-9 Debian:12.11/stable [amd64])',
    'Conf nginx-common (1.22.1-9 Debian:12.11/stable [all])',
    'Conf nginx (1.22.1-9 Debian:12.11/stable [amd64])',
  ].join('\n');
  expect(packagesToInstall(simulation)).toEqual(['nginx-common', 'nginx']);
});

test('lists and caches of our own', () => {
  const root = temporaryTree({});
  expect(privateState(join(root, 'apt'))).toEqual(['-o', `Dir::State::lists=${root}/apt/lists`, '-o', `Dir::Cache=${root}/apt/cache`]);
  expect(existsSync(join(root, 'apt/lists/partial'))).toBe(true);
  expect(existsSync(join(root, 'apt/cache/archives/partial'))).toBe(true);
});

test('libraries are looked for where packages put them, before where they were looked for anyway', () => {
  const root = temporaryTree({ 'usr/lib/x86_64-linux-gnu/liba.so': '', 'lib/libb.so': '' });
  expect(libraryPath(root, '/mine').split(':')).toEqual([`${root}/usr/lib/x86_64-linux-gnu`, `${root}/usr/lib`, `${root}/lib`, '/mine']);
  expect(libraryPath(root, undefined)).not.toContain('undefined');
});
