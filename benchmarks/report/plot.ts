import { type Group, nameOf } from '../harness/case.ts';
import type { Shape } from '../harness/shapes.ts';
import { type Results, ratioOf, shortNumber } from './results.ts';

const WIDTH = 860;
const LABELS = 290;
const NUMBERS = 70;
const ROW = 18;
const BAR = 12;
const HEADING = 34;
const MARGIN = 16;

/** Readable on white and on black; the reader's setting decides. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .head { font-weight: 600 }
  .bar { fill: #9aa4af }
  .ours { fill: #2f6feb }
  .axis { stroke: #d0d7de }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .bar { fill: #6e7781 }
    .ours { fill: #58a6ff }
    .axis { stroke: #30363d }
  }`;

/** One bar of the plot. */
interface Bar {
  readonly label: string;
  readonly value: number;
  readonly isOurs: boolean;
}

/** An SVG of what a call takes, in bare awaits, on a logarithmic scale: the groups that were measured in `shape` under each other. */
export function plot(results: Results, groups: readonly Group[], shape: Shape): string {
  const sections = groups.map((group) => ({ group, bars: barsOf(results, group, shape) })).filter(({ bars }) => bars.length > 0);
  const most = Math.max(10, ...sections.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const decades = Math.ceil(Math.log10(most));
  const x = (value: number): number => LABELS + ((WIDTH - LABELS - NUMBERS) * Math.max(0, Math.log10(value))) / decades;
  const lines: string[] = [];
  let y = MARGIN + ROW;
  lines.push(text(MARGIN, y, `Time of a call in bare awaits, ${shape.name}, logarithmic; lower is better`, 'head'));
  const top = y + 10;
  for (const { group, bars } of sections) {
    y += HEADING;
    lines.push(text(MARGIN, y, group.name, 'head'));
    for (const bar of bars) {
      y += ROW;
      lines.push(...barLines(bar, y, x));
    }
  }
  const height = y + MARGIN;
  const axis = Array.from({ length: decades + 1 }, (_, decade) => {
    const at = round(x(10 ** decade));
    return `<line class="axis" x1="${at}" y1="${top}" x2="${at}" y2="${height - 8}"/>`;
  });
  const size = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">\n<style>${STYLE}\n</style>\n${[...axis, ...lines].join('\n')}\n</svg>\n`;
}

function barsOf(results: Results, group: Group, shape: Shape): Bar[] {
  return group.subjects.flatMap((subject) => {
    const ratio = ratioOf(results, { group: group.name, subject: nameOf(subject) }, shape.name);
    return ratio === undefined ? [] : [{ label: nameOf(subject), value: ratio.median, isOurs: subject.library === 'keelson' }];
  });
}

function barLines({ label, value, isOurs }: Bar, y: number, x: (value: number) => number): string[] {
  const width = round(Math.max(1, x(value) - LABELS));
  return [
    text(MARGIN * 2, y, label),
    `<rect class="${isOurs ? 'ours' : 'bar'}" x="${LABELS}" y="${y - BAR + 2}" width="${width}" height="${BAR}"/>`,
    text(round(LABELS + width + 6), y, shortNumber(value)),
  ];
}

const round = (value: number): number => Math.round(value * 10) / 10;

const escaped = (value: string): string => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function text(x: number, y: number, content: string, style?: string): string {
  return `<text${style === undefined ? '' : ` class="${style}"`} x="${x}" y="${y}">${escaped(content)}</text>`;
}
