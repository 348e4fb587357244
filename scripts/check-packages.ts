// Checks the packages as their users will get them, from the tarballs: node scripts/check-packages.ts [root]
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { installConsumer, type PackedPackage, pack } from './lib/consumer.ts';
import { mapConcurrently, runProgram, toolPath } from './lib/processes.ts';
import { stage } from './stage.ts';

const TOOL_LIMIT_MS = 120_000;
const LOAD_LIMIT_MS = 20_000;
const SHEBANG = '#!/usr/bin/env node';
const LOAD_BOTH_WAYS = `
  const assert = require('node:assert/strict');
  const specifier = process.argv[1];
  import(specifier).then((imported) => {
    const required = require(specifier);
    assert.notEqual(Object.keys(imported).length, 0, 'exports nothing');
    for (const name of Object.keys(imported)) assert.equal(required[name], imported[name], name);
  });
`;

/** Builds, packs and installs every package below the folder `path`; returns what is wrong with them, one text each. */
export async function checkPackages(path: string): Promise<{ packages: readonly string[]; problems: readonly string[] }> {
  const root = resolve(path);
  const packages = await pack(await stage(root), join(root, '.cache/tarballs'));
  const project = await installConsumer(packages);
  try {
    const problems = await mapConcurrently(packages, 2, async (each) => [
      ...checkContents(each, project),
      ...(await checkShape(each)),
      ...(await checkLoading(each, project)),
    ]);
    return { packages: packages.map(({ name }) => name), problems: problems.flat() };
  } finally {
    rmSync(project, { recursive: true });
  }
}

/** Compiled code, types and documents, all that the manifest points to, and nothing of the workshop. */
function checkContents({ name, manifest }: PackedPackage, project: string): string[] {
  const installed = join(project, 'node_modules', name);
  const files = globSync('**/*.*', { cwd: installed });
  const exported = Object.values(manifest.exports ?? {}).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  const bins = Object.values(manifest.bin ?? {});
  const absent = [...exported, ...bins, './LICENSE', './README.md'].filter((file) => !existsSync(join(installed, file)));
  const workshop = files.filter((file) => /^src\/|\.test(-d|-support)?\.|\.tsbuildinfo$|(?<!\.d)\.ts$/.test(file));
  const mute = bins.filter((file) => !absent.includes(file) && !readFileSync(join(installed, file), 'utf8').startsWith(SHEBANG));
  const manifestText = readFileSync(join(installed, 'package.json'), 'utf8');
  return [
    ...absent.map((file) => `${name} lacks ${file}`),
    ...workshop.map((file) => `${name} ships ${file}`),
    ...mute.map((file) => `${name}: ${file} does not start with ${SHEBANG}`),
    ...(manifestText.includes('@keelson/source') ? [`${name} ships the condition @keelson/source`] : []),
    ...(name === 'keelson' && manifest.dependencies !== undefined ? [`${name}: the core has dependencies`] : []),
  ];
}

/** What publint and arethetypeswrong say of the tarball. */
async function checkShape({ name, tarball }: PackedPackage): Promise<string[]> {
  const tools = [
    { tool: 'publint', args: ['run', tarball, '--strict'] },
    { tool: 'attw', args: [tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-color'] },
  ];
  const problems = await mapConcurrently(tools, 1, async ({ tool, args }) => {
    const { ok, output } = await runProgram(process.execPath, [toolPath(tool), ...args], { timeoutMs: TOOL_LIMIT_MS });
    return ok ? [] : [`${name}: ${tool} refuses it\n${output.trim()}`];
  });
  return problems.flat();
}

/** Loads every entry that is no command both ways in a process of its own, and starts every command. */
async function checkLoading({ name, manifest }: PackedPackage, project: string): Promise<string[]> {
  const commands = Object.values(manifest.bin ?? {});
  const entries = Object.entries(manifest.exports ?? {}).filter(
    ([, target]) => typeof target !== 'string' && !commands.includes(target['default'] ?? ''),
  );
  const loads = entries.map(([subpath]) => ({
    what: `load ${name}${subpath.slice(1)}`,
    args: ['--input-type=commonjs', '--eval', LOAD_BOTH_WAYS, `${name}${subpath.slice(1)}`],
  }));
  const starts = Object.entries(manifest.bin ?? {}).map(([command, file]) => ({
    what: `start ${command}`,
    args: [join('node_modules', name, file), '--version'],
  }));
  const problems = await mapConcurrently([...loads, ...starts], 1, async ({ what, args }) => {
    const { ok, output } = await runProgram(process.execPath, args, { cwd: project, timeoutMs: LOAD_LIMIT_MS });
    return ok ? [] : [`${name}: cannot ${what}\n${output.trim()}`];
  });
  return problems.flat();
}

if (import.meta.main) {
  const { packages, problems } = await checkPackages(process.argv[2] ?? '.');
  for (const problem of problems) {
    console.error(problem);
  }
  console.log(`packages: ${packages.join(', ')}: ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
