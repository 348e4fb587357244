// Compiles and runs every @example, every ts block of the docs, and the programs in examples/: node scripts/run-examples.ts [root]
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runModules } from './examples/run-modules.ts';
import { docCommentSnippets, markdownSnippets, type Snippet } from './examples/snippet.ts';
import { isTest, listFiles } from './lib/files.ts';
import { COMPILER, FROM_SOURCE, mapConcurrently, runProgram } from './lib/processes.ts';

const PROCESSES = 2;
const SNIPPET_LIMIT_MS = 20_000;
const PROGRAM_LIMIT_MS = 120_000;
const BASE_CONFIG = fileURLToPath(new URL('../tsconfig.base.json', import.meta.url));

/** What was checked, and one text for each thing that is wrong, which names file and line. */
export interface ExamplesResult {
  readonly snippets: number;
  readonly programs: number;
  readonly problems: readonly string[];
}

/** Checks all examples below the folder `path`. What does not compile is not run. */
export async function checkExamples(path: string): Promise<ExamplesResult> {
  const root = resolve(path);
  const snippets = findSnippets(root);
  const programs = listFiles(root, ['examples/*.ts']);
  const paths = writeModules(root, snippets);
  const folder = join(root, '.cache/examples');
  const compiled = await runProgram(process.execPath, [COMPILER, '--pretty', 'false', '-p', folder], { cwd: folder });
  const problems = compiled.ok
    ? [...(await runSnippets(paths)), ...(await runPrograms(root, programs))]
    : compiled.output.trim().split(/\n(?=\S)/);
  return { snippets: snippets.length, programs: programs.length, problems: problems.map((text) => placeInSource(text, folder, snippets)) };
}

function findSnippets(root: string): Snippet[] {
  const sources = listFiles(root, ['packages/*/src/**/*.ts']).filter((file) => !isTest(file));
  const documents = listFiles(root, ['README.md', 'packages/*/README.md', 'docs/**/*.md']);
  const read = (file: string): string => readFileSync(join(root, file), 'utf8');
  return [
    ...sources.flatMap((file) => docCommentSnippets(file, read(file))),
    ...documents.flatMap((file) => markdownSnippets(file, read(file))),
  ];
}

/** Writes each snippet as a module of its own, line by line, so that a line of the module is a line of the snippet. */
function writeModules(root: string, snippets: readonly Snippet[]): string[] {
  const folder = join(root, '.cache/examples');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const compilerOptions = { composite: false, declaration: false, isolatedDeclarations: false, noEmit: true };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: BASE_CONFIG, compilerOptions, include: ['*.ts'] }));
  writeFileSync(join(folder, 'none.ts'), 'export {};\n'); // the compiler refuses a project without files
  return snippets.map(({ code }, index) => {
    const path = join(folder, `${index}.ts`);
    writeFileSync(path, `${code}\nexport {};\n`);
    return path;
  });
}

async function runSnippets(paths: readonly string[]): Promise<string[]> {
  const shares = Array.from({ length: PROCESSES }, (_, share) => paths.filter((_path, index) => index % PROCESSES === share));
  const failures = await mapConcurrently(shares, PROCESSES, (share) => runModules(share, SNIPPET_LIMIT_MS));
  return failures.flat().map(({ path, error }) => `${path}:1: ${error}`);
}

async function runPrograms(root: string, programs: readonly string[]): Promise<string[]> {
  const problems = await mapConcurrently(programs, PROCESSES, async (program) => {
    const { ok, output } = await runProgram(process.execPath, [FROM_SOURCE, program], { cwd: root, timeoutMs: PROGRAM_LIMIT_MS });
    return ok ? [] : [`${program}: ${output}`];
  });
  return problems.flat();
}

/** Replaces the modules' positions, in the compiler's form and in that of a stack trace, by those in the sources. */
function placeInSource(text: string, folder: string, snippets: readonly Snippet[]): string {
  const place = (whole: string, module: string, line: string): string => {
    const snippet = snippets[Number(module)];
    return snippet === undefined ? whole : `${snippet.file}:${snippet.line + Number(line) - 1}`;
  };
  return text
    .replaceAll(`file://${folder}/`, '')
    .replaceAll(`${folder}/`, '')
    .replaceAll(/\b(\d+)\.ts\((\d+),\d+\)/g, place)
    .replaceAll(/\b(\d+)\.ts:(\d+)(?::\d+)?/g, place);
}

if (import.meta.main) {
  const { snippets, programs, problems } = await checkExamples(process.argv[2] ?? '.');
  for (const problem of problems) {
    console.error(problem);
  }
  console.log(`examples: ${snippets} snippets and ${programs} programs, ${problems.length} broken`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
