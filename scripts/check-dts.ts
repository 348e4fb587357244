// Compiles a consumer of the packed types under every supported compiler and setting: node scripts/check-dts.ts [root]
import { copyFileSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installConsumer, pack } from './lib/consumer.ts';
import { mapConcurrently, runProgram } from './lib/processes.ts';
import { stage } from './stage.ts';

/** The supported compilers, by version. */
export const COMPILERS: Readonly<Record<string, string>> = {
  '5.9': 'ts5/lib/tsc.js',
  '6.0': 'typescript/lib/tsc.js',
  '7.0': 'ts7/bin/tsc',
};
/** The least a consumer can have, and the most: `@types/node` brings the disposable symbols that `es2022` lacks. */
const TARGETS = { es2022: { target: 'es2022', lib: ['es2022'] }, esnext: { target: 'esnext' } };
const PROCESSES = 2;

/** How many settings were tried, and one text for each that fails. */
export interface DtsResult {
  readonly settings: number;
  readonly problems: readonly string[];
}

/** Packs the packages below the folder `path`, and compiles their entries and the files `consumers` against them. */
export async function checkDts(path: string, consumers: readonly string[], compilers = COMPILERS): Promise<DtsResult> {
  const root = resolve(path);
  const packages = await pack(await stage(root), join(root, '.cache/tarballs'));
  const project = await installConsumer(packages, ['@types/node']);
  try {
    const entries = packages.flatMap(({ name, manifest }) =>
      Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) =>
        typeof target === 'string' ? [] : [`${name}${subpath.slice(1)}`],
      ),
    );
    writeFileSync(join(project, 'every-entry.ts'), entries.map((entry, index) => `export * as entry${index} from '${entry}';\n`).join(''));
    for (const file of consumers) {
      copyFileSync(join(root, file), join(project, basename(file)));
    }
    const settings = writeSettings(project, compilers);
    const problems = await mapConcurrently(settings, PROCESSES, ({ title, compiler, config }) => compile(project, title, compiler, config));
    return { settings: settings.length, problems: problems.flat() };
  } finally {
    rmSync(project, { recursive: true });
  }
}

interface Setting {
  readonly title: string;
  readonly compiler: string;
  readonly config: string;
}

function writeSettings(project: string, compilers: Readonly<Record<string, string>>): Setting[] {
  return Object.entries(TARGETS).flatMap(([name, target]) =>
    [true, false].flatMap((exactOptionalPropertyTypes) => {
      const config = `tsconfig.${name}${exactOptionalPropertyTypes ? '.exact' : ''}.json`;
      const compilerOptions = {
        ...target,
        exactOptionalPropertyTypes,
        module: 'nodenext',
        types: ['node'],
        strict: true,
        skipLibCheck: false,
        noEmit: true,
      };
      writeFileSync(join(project, config), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
      return Object.entries(compilers).map(([version, compiler]) => ({ title: `TypeScript ${version}, ${config}`, compiler, config }));
    }),
  );
}

async function compile(project: string, title: string, compiler: string, config: string): Promise<string[]> {
  const bin = fileURLToPath(new URL(`../node_modules/${compiler}`, import.meta.url));
  const { ok, output } = await runProgram(process.execPath, [bin, '--pretty', 'false', '-p', config], { cwd: project });
  return ok ? [] : [`${title}\n${output.trim()}`];
}

if (import.meta.main) {
  const root = process.argv[2] ?? '.';
  const { settings, problems } = await checkDts(root, globSync('scripts/fixtures/consumer*.ts', { cwd: root }));
  for (const problem of problems) {
    console.error(problem);
  }
  console.log(`types: ${settings} settings, ${problems.length} refuse the packed types`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
