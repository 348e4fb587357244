import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkFloors } from './check-floors.ts';
import type { House } from './floors/house.ts';
import { COMPILER, runProgram, toolPath } from './lib/processes.ts';
import { newPolicy } from './new.ts';

/** A copy of the core and of what it takes to compile and test it, below this repository, so that it finds the installed tools. */
function copyOfTheCore(): string {
  mkdirSync('.cache', { recursive: true });
  const root = mkdtempSync('.cache/keelson-');
  onTestFinished(() => rmSync(root, { recursive: true }));
  const parts = ['tsconfig.base.json', 'tsconfig.tests.json', 'biome.json', 'scripts/floors.json', 'scripts/lib/source-conditions.ts'];
  for (const part of [...parts, 'vitest.mutate.config.ts', 'packages/core/package.json', 'packages/core/tsconfig.json']) {
    cpSync(part, join(root, part));
  }
  cpSync('packages/core/src', join(root, 'packages/core/src'), { recursive: true, filter: (path) => !/\.test(-d)?\.ts$/.test(path) });
  return root;
}

describe('npm run new -- policy NAME', () => {
  test('writes a room that compiles, keeps the floors and passes its own test', async () => {
    const root = copyOfTheCore();
    const files = await newPolicy(root, 'last-resort');
    expect(files).toEqual(
      expect.arrayContaining([
        'packages/core/src/last-resort/last-resort.ts',
        'packages/core/src/last-resort/last-resort-layer.ts',
        'packages/core/src/last-resort/last-resort-error.ts',
        'packages/core/src/last-resort/last-resort.test.ts',
        'docs/policies/last-resort.md',
        '.changeset/last-resort.md',
      ]),
    );
    const index = readFileSync(join(root, 'packages/core/src/index.ts'), 'utf8');
    expect(index).toMatch(/\blastResort\b[^;]*from '\.\/last-resort\/last-resort\.ts'/);
    for (const what of ['packages/core', 'tsconfig.tests.json']) {
      expect(await runProgram(process.execPath, [COMPILER, '-b', what], { cwd: root })).toEqual({ ok: true, output: '' });
    }
    const house = JSON.parse(readFileSync(join(root, 'scripts/floors.json'), 'utf8')) as House;
    expect(checkFloors(root, house).filter(({ file }) => file.includes('last-resort'))).toEqual([]);
    const run = [toolPath('vitest'), 'run', '--config', 'vitest.mutate.config.ts', 'packages/core/src/last-resort'];
    const { ok, output } = await runProgram(process.execPath, run, { cwd: root, env: outsideVitest() });
    expect(output).toMatch(/12 passed/);
    expect(ok).toBe(true);
  }, 60_000);

  test('a planned room keeps its place on the floor', async () => {
    const root = copyOfTheCore();
    const before = readFileSync(join(root, 'scripts/floors.json'), 'utf8');
    await newPolicy(root, 'hedge');
    expect(readFileSync(join(root, 'scripts/floors.json'), 'utf8')).toBe(before);
  });

  test.each(['CircuitBreaker', '../x', '', '-x', 'a--b'])('refuses the name %j', async (name) => {
    await expect(newPolicy('.cache', name)).rejects.toThrow('is no name for a policy');
  });

  test.each(['class', 'await', 'compose', 'use-clock'])('refuses %j, which stands for something else', async (name) => {
    await expect(newPolicy(copyOfTheCore(), name)).rejects.toThrow('is a word of the language, or exported already');
  });

  test('leaves a room that exists alone', async () => {
    const root = copyOfTheCore();
    await expect(newPolicy(root, 'policy')).rejects.toThrow('packages/core/src/policy/ exists already');
  });
});

/** The environment without what this vitest says of itself to its children. */
function outsideVitest(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
}
