import { expect, test } from 'vitest';
import type { Group, Subject } from '../harness/case.ts';
import { ONE_TICK, SEQUENTIAL } from '../harness/shapes.ts';
import { plot } from './plot.ts';
import { type Results, shortNumber } from './results.ts';
import { tables } from './table.ts';

const subject = (library: string, variant?: string): Subject => ({
  library,
  ...(variant === undefined ? {} : { variant }),
  make: (work) => work,
});

const GROUP: Group = {
  name: 'retry',
  about: 'a retry',
  shapes: [SEQUENTIAL, ONE_TICK],
  subjects: [subject('keelson'), subject('peer', 'a < b')],
  check: async () => {},
};

const ratio = (name: string, shape: string, median: number) => ({
  group: 'retry',
  subject: name,
  shape,
  median,
  lowerQuartile: median - 0.25,
  upperQuartile: median + 0.25,
});

const RESULTS: Results = {
  node: 'v24',
  clock: 'thread CPU time',
  versions: { peer: '1.0.0' },
  ratios: [ratio('keelson', SEQUENTIAL.name, 3), ratio('peer, a < b', SEQUENTIAL.name, 6), ratio('keelson', ONE_TICK.name, 4)],
  bytes: [
    { group: 'retry', subject: 'keelson', bytes: 1234 },
    { group: 'retry', subject: 'peer, a < b', bytes: null },
  ],
};

test('a table has a row a subject: its ratio, its quartiles and how it compares to ours, and its bytes', () => {
  const lines = tables(RESULTS, [GROUP]).split('\n');
  expect(lines.filter((line) => line.startsWith('|'))).toEqual([
    `|  | ${SEQUENTIAL.name} | ${ONE_TICK.name} | bytes a call |`,
    '| --- | --: | --: | --: |',
    '| keelson | 3.00 (2.75 to 3.25) | 4.00 (3.75 to 4.25) | 1,234 |',
    '| peer, a < b | 6.00 (5.75 to 6.25), 2.00× | – | too many to count |',
  ]);
  expect(lines).toContain('Node v24, thread CPU time. peer 1.0.0.');
});

test('a plot has a bar for each subject that was measured in its shape, ours in another colour', () => {
  const svg = plot(RESULTS, [GROUP], SEQUENTIAL);
  expect(svg.match(/class="bar"/g)).toHaveLength(1);
  expect(svg.match(/class="ours"/g)).toHaveLength(1);
  expect(svg).toContain('>peer, a &lt; b</text>');
  expect(plot(RESULTS, [GROUP], ONE_TICK)).not.toContain('peer');
});

test('numbers have as many digits as they are good for', () => {
  expect([1.234, 12.34, 1234.5].map(shortNumber)).toEqual(['1.23', '12.3', '1,235']);
});
