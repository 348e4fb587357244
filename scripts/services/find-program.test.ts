import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryTree } from '../lib/temporary-tree.test-support.ts';
import { findProgram, SERVER_FOLDERS, searchFolders } from './find-program.ts';

test('the PATH comes first, each folder once, then the folders of servers', () => {
  expect(searchFolders('/b::/a:/usr/sbin:/b')).toEqual([
    '/b',
    '/a',
    '/usr/sbin',
    ...SERVER_FOLDERS.filter((folder) => folder !== '/usr/sbin'),
  ]);
  expect(searchFolders(undefined)).toEqual(SERVER_FOLDERS);
});

test('the first executable file of that name', () => {
  const root = temporaryTree({ 'one/server': '', 'two/server': '', 'three/server': '', 'four/server/folder': '' });
  for (const folder of ['two', 'three']) chmodSync(join(root, folder, 'server'), 0o755);
  const folders = ['four', 'one', 'two', 'three'].map((folder) => join(root, folder));
  expect(findProgram('server', folders)).toBe(join(root, 'two', 'server'));
  expect(findProgram('other', folders)).toBeUndefined();
});
