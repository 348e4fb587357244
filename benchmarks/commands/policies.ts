import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { measure, subjectsIn, weighedSubjects } from '../harness/measure.ts';
import type { Answer, Chosen } from '../harness/request.ts';
import { BACKLOG_SHAPES, SEQUENTIAL, SHAPES, type Shape } from '../harness/shapes.ts';
import { plot } from '../report/plot.ts';
import type { Results } from '../report/results.ts';
import { tables } from '../report/table.ts';
import { GROUPS } from '../subjects/groups.ts';

const FOLDER = new URL('../../docs/benchmarks/', import.meta.url);
const MANIFEST = new URL('../package.json', import.meta.url);

/** Measures every policy beside its peers, and writes what was found to docs/benchmarks; false where a subject does not do what it should. */
export async function policies(): Promise<boolean> {
  const failures = await check(GROUPS.flatMap(({ shapes }) => shapes).flatMap(subjectsIn));
  if (failures.length > 0) {
    for (const failure of failures) console.error(`does not do what it should: ${failure}`);
    return false;
  }
  const answers: Answer[] = [];
  for (const shape of [...SHAPES, ...BACKLOG_SHAPES]) answers.push(await measureShape(shape));
  console.log('bytes a call');
  answers.push(await measure({ what: 'bytes', chosen: weighedSubjects() }));
  write({
    node: process.version,
    clock: answers[0]?.clock ?? '',
    versions: peerVersions(),
    ratios: answers.flatMap(({ ratios }) => ratios),
    bytes: answers.flatMap(({ bytes }) => bytes),
  });
  return true;
}

async function check(chosen: readonly Chosen[]): Promise<readonly string[]> {
  console.log('checking that every subject does what it is there for');
  const { failures } = await measure({ what: 'check', chosen });
  return failures;
}

async function measureShape(shape: Shape): Promise<Answer> {
  const chosen = subjectsIn(shape);
  console.log(`${shape.name}: ${chosen.length} cases, ${shape.rounds} rounds`);
  return await measure({ what: 'ratios', shape: shape.name, chosen });
}

function peerVersions(): Record<string, string> {
  const { devDependencies } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as { devDependencies: Record<string, string> };
  return Object.fromEntries(Object.entries(devDependencies).filter(([name]) => !name.startsWith('@types/')));
}

function write(results: Results): void {
  mkdirSync(FOLDER, { recursive: true });
  const files = {
    'results.json': `${JSON.stringify(results, rounded, 2)}\n`,
    'results.md': tables(results, GROUPS),
    'policies.svg': plot(results, GROUPS, SEQUENTIAL),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(new URL(name, FOLDER), content);
  console.log(`written: ${Object.keys(files).join(', ')} in docs/benchmarks`);
}

/** No more digits than mean something. */
const rounded = (_key: string, value: unknown): unknown => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);
