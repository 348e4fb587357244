import { cpSync, mkdirSync } from 'node:fs';
import { temporaryTree } from './temporary-tree.test-support.ts';

/** The manifest of a package as ours are. */
export const ONE_PACKAGE = {
  name: 'keelson',
  version: '0.1.0',
  description: 'A package of one value.',
  license: 'MIT',
  type: 'module',
  sideEffects: false,
  engines: { node: '>=22.19' },
  files: ['dist', 'README.md', 'LICENSE'],
  exports: {
    '.': { '@keelson/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
    './package.json': './package.json',
  },
};

/** Writes a repository of that one package, below this repository, so that it is compiled as ours are, and returns its folder. */
export function onePackageTree(files: Readonly<Record<string, string>> = {}): string {
  mkdirSync('.cache', { recursive: true });
  const root = temporaryTree(
    {
      'README.md': '# One\n',
      LICENSE: 'MIT\n',
      'packages/core/package.json': JSON.stringify(ONE_PACKAGE),
      'packages/core/src/index.ts': "export { one } from './one.ts';\n",
      'packages/core/src/one.ts': 'export const one: number = 1;\n',
      'packages/core/src/one.test.ts': 'throw new Error();\n',
      ...files,
    },
    '.cache',
  );
  cpSync('tsconfig.base.json', `${root}/tsconfig.base.json`);
  cpSync('packages/core/tsconfig.json', `${root}/packages/core/tsconfig.json`);
  return root;
}
