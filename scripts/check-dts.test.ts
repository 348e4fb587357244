import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { COMPILERS, checkDts } from './check-dts.ts';
import { onePackageTree } from './lib/one-package-tree.test-support.ts';

test('the compilers are those they are called', () => {
  const require = createRequire(import.meta.url);
  for (const [version, path] of Object.entries(COMPILERS)) {
    const manifest = require(`${path.split('/')[0]}/package.json`) as { version: string };
    expect(manifest.version).toMatch(new RegExp(`^${version.replace('.', '\\.')}\\.`));
  }
});

test('each setting that refuses the types is told', async () => {
  const root = onePackageTree({
    'consumer.ts': `
      import { one } from 'keelson';
      interface Options { limit?: number }
      export const options: Options = { limit: one > 1 ? one : undefined };
    `,
  });
  const { settings, problems } = await checkDts(root, ['consumer.ts'], { '7.0': 'ts7/bin/tsc' });
  expect(settings).toBe(4);
  expect(problems).toEqual([
    expect.stringMatching(/^TypeScript 7\.0, tsconfig\.es2022\.exact\.json\nconsumer\.ts\(4,\d+\): error TS2375/),
    expect.stringMatching(/^TypeScript 7\.0, tsconfig\.esnext\.exact\.json\nconsumer\.ts\(4,\d+\): error TS2375/),
  ]);
}, 60_000);
