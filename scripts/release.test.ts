import { expect, test } from 'vitest';
import { inOrder } from './release.ts';

function named(name: string, ...dependencies: string[]): Parameters<typeof inOrder>[0][number] {
  return { name, manifest: { name, version: '0.1.0', dependencies: Object.fromEntries(dependencies.map((each) => [each, '0.1.0'])) } };
}

test('a package is published after those it depends on', () => {
  const packages = [
    named('@keelson/cli', 'keelson', '@keelson/http', 'yaml'),
    named('keelson'),
    named('@keelson/http', 'keelson', 'undici'),
  ];
  expect(inOrder(packages).map(({ name }) => name)).toEqual(['keelson', '@keelson/http', '@keelson/cli']);
});

test('a circle is told', () => {
  expect(() => inOrder([named('a', 'b'), named('b', 'a')])).toThrow('a, b depend on each other in a circle');
});
