import { expect, test } from 'vitest';
import { temporaryTree } from '../lib/temporary-tree.test-support.ts';
import { projectFiles } from './faulty-origin.ts';

test('what belongs to the project is served, under names that a URL can hold', () => {
  const root = temporaryTree({
    'a b/ü?.txt': 'x',
    'node_modules/m/i.js': '',
    '.git/HEAD': '',
    'packages/p/dist/i.js': '',
    'large.bin': 'x'.repeat(1 << 21),
  });
  const files = projectFiles(root);
  expect([...files.keys()]).toEqual(['/a%20b/%C3%BC%3F.txt']);
  expect(files.get('/a%20b/%C3%BC%3F.txt')?.toString()).toBe('x');
});
