import { type Group, nameOf, type Subject } from '../harness/case.ts';
import type { Shape } from '../harness/shapes.ts';
import { SEQUENTIAL } from '../harness/shapes.ts';
import { bytesOf, type Results, ratioOf, shortNumber } from './results.ts';

const NOT_MEASURED = '–';

/** The results as Markdown: a table a group, a row a subject, a column a shape. */
export function tables(results: Results, groups: readonly Group[]): string {
  const versions = Object.entries(results.versions).map(([library, version]) => `${library} ${version}`);
  const head = [
    '# Results',
    '',
    'Written by `npm run bench -- policies`; [README](README.md) says what it measures.',
    '',
    `Node ${results.node}, ${results.clock}. ${versions.join(', ')}.`,
    '',
    "A cell: how many times as long as the bare work a call takes (median over the rounds), its quartiles, and how many times as long as Keelson's.",
    '',
  ];
  return [...head, ...groups.flatMap((group) => groupTable(results, group))].join('\n');
}

function groupTable(results: Results, group: Group): string[] {
  const hasBytes = group.shapes.includes(SEQUENTIAL);
  const columns = ['', ...group.shapes.map(({ name }) => name), ...(hasBytes ? ['bytes a call'] : [])];
  const rows = group.subjects.map((subject) => [
    nameOf(subject),
    ...group.shapes.map((shape) => ratioCell(results, group, subject, shape)),
    ...(hasBytes ? [bytesCell(results, group, subject)] : []),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const ruler = columns.map((_, column) => (column === 0 ? '---' : '--:'));
  return [`## ${group.name}`, '', `${group.about}.`, '', line(columns), line(ruler), ...rows.map(line), ''];
}

function ratioCell(results: Results, group: Group, subject: Subject, shape: Shape): string {
  const ratio = ratioOf(results, { group: group.name, subject: nameOf(subject) }, shape.name);
  if (ratio === undefined) return NOT_MEASURED;
  const text = `${shortNumber(ratio.median)} (${shortNumber(ratio.lowerQuartile)} to ${shortNumber(ratio.upperQuartile)})`;
  const [ours] = group.subjects;
  const base =
    ours === undefined || ours === subject ? undefined : ratioOf(results, { group: group.name, subject: nameOf(ours) }, shape.name);
  return base === undefined ? text : `${text}, ${shortNumber(ratio.median / base.median)}×`;
}

function bytesCell(results: Results, group: Group, subject: Subject): string {
  const found = bytesOf(results, { group: group.name, subject: nameOf(subject) });
  if (found === undefined) return NOT_MEASURED;
  return found.bytes === null ? 'too many to count' : found.bytes.toLocaleString('en-US');
}
