import { expect, test } from 'vitest';
import { checkPackages } from './check-packages.ts';
import { ONE_PACKAGE, onePackageTree } from './lib/one-package-tree.test-support.ts';

test('a good package has no problems', async () => {
  expect(await checkPackages(onePackageTree())).toEqual({ packages: ['keelson'], problems: [] });
}, 60_000);

test('a package that its users cannot load, or that ships what it should not, is refused', async () => {
  const bin = { one: './dist/one.js' };
  const root = onePackageTree({
    'packages/core/package.json': JSON.stringify({
      ...ONE_PACKAGE,
      bin,
      dependencies: { undici: '8.12.4' },
      files: [...ONE_PACKAGE.files, 'src'],
      exports: { ...ONE_PACKAGE.exports, './two': { types: './dist/two.d.ts', default: './dist/two.js' } },
    }),
    'packages/core/src/one.ts': 'export const one: number = await Promise.resolve(1);\n',
  });
  const { problems } = await checkPackages(root);
  expect(problems.map((text) => text.split('\n', 1)[0])).toEqual(
    expect.arrayContaining([
      'keelson lacks ./dist/two.js',
      'keelson lacks ./dist/two.d.ts',
      'keelson ships src/one.ts',
      'keelson ships src/one.test.ts',
      'keelson: the core has dependencies',
      'keelson: ./dist/one.js does not start with #!/usr/bin/env node',
      'keelson: publint refuses it',
      'keelson: attw refuses it',
      'keelson: cannot load keelson',
      'keelson: cannot load keelson/two',
    ]),
  );
}, 60_000);
