import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPolicyFile } from '../runtime/policy-file.ts';
import { type Flag, flagName, flagSyntax } from './flag.ts';
import { RUN_FLAGS } from './run-flags.ts';

const PAGE = new URL('../../../../docs/run.md', import.meta.url);
const FLAGS = Object.entries<Flag<unknown>>(RUN_FLAGS);

/** The flags as the page has them: one table a group. */
function tables(): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const row = ([key, flag]: readonly [string, Flag<unknown>]): string =>
    `| \`${cell(flagSyntax(key, flag))}\` | ${cell(flag.help)} | ${cell(flag.default ?? '')} |`;
  const groups = [...new Set(FLAGS.map(([, { group }]) => group))];
  const table = (group: string): string =>
    [
      `**${group}**`,
      '',
      '| flag | meaning | default |',
      '|---|---|---|',
      ...FLAGS.filter(([, flag]) => flag.group === group).map(row),
    ].join('\n');
  return groups.map(table).join('\n\n');
}

test('the page of the command has the flags that there are', () => {
  const [, between] = /<!-- flags -->\n(.*?)\n<!-- \/flags -->/s.exec(readFileSync(PAGE, 'utf8')) ?? [];
  expect(between).toBe(tables());
});

test('every default of a flag is a value of that flag, or says what holds', () => {
  for (const [key, flag] of FLAGS) {
    const [text = ''] = (flag.default ?? '').split('; ');
    if (/^[\d.]+\w*$/.test(text)) expect(() => flag.read([text]), flagName(key)).not.toThrow();
  }
});

test('the examples of the page use flags that there are', () => {
  const page = readFileSync(PAGE, 'utf8');
  const examples = [...page.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text = '']) => text);
  const used = examples.flatMap((text) => [...text.matchAll(/(?<= )--[a-z-]+/g)].map(([flag]) => flag));
  const known = new Set(Object.keys(RUN_FLAGS).map(flagName));
  expect(examples.length).toBeGreaterThan(3);
  expect(used.filter((flag) => !known.has(flag))).toEqual([]);
});

test('the policy file of the page is in order', async () => {
  const [, yaml = ''] = /^```yaml\n(.*?)^```/ms.exec(readFileSync(PAGE, 'utf8')) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'keelson-page-'));
  writeFileSync(join(folder, 'policy.yaml'), yaml);
  expect(await readPolicyFile(join(folder, 'policy.yaml'))).toMatchObject({ concurrency: 16, circuitBreaker: { recoveryTimeout: '5s' } });
  rmSync(folder, { recursive: true });
});
