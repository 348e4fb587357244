import { rmSync } from 'node:fs';
import { type Goal, reportGoals } from './goals.ts';
import { type Measured, measureProcess } from './measured-process.ts';
import { type BenchPlace, KEELSON, openPlace } from './workplace.ts';

/** How much is measured. */
export interface ThroughputOptions {
  /** Calls in a round. */
  readonly jobs: number;
  readonly rounds: number;
}

const CONCURRENCY = '64';
const SUBJECTS = ['bare loop', 'loop with a journal', 'keelson run'] as const;
type Subject = (typeof SUBJECTS)[number];
type Round = Readonly<Record<Subject, Measured>>;

/** The share of a bare loop's speed, and of one that writes the same journal, that the command is to reach. */
const GOALS = { 'bare loop': 0.7, 'loop with a journal': 0.85 } as const;

function argumentsOf(subject: Subject, { urls, program }: BenchPlace, results: string): string[] {
  switch (subject) {
    case 'bare loop':
      return [program('bare-loop'), urls, CONCURRENCY];
    case 'loop with a journal':
      return [program('journaled-loop'), urls, CONCURRENCY, results];
    case 'keelson run':
      return [KEELSON, 'run', urls, '--out', results, '--concurrency', CONCURRENCY, '--quiet'];
  }
}

async function measure(subject: Subject, place: BenchPlace): Promise<Measured> {
  const results = `${place.folder}/results.jsonl`;
  rmSync(results, { force: true });
  return await measureProcess(argumentsOf(subject, place, results), place);
}

/** Each subject once, another one first in each round. */
async function measureRound(number: number, place: BenchPlace): Promise<Round> {
  const measured = new Map<Subject, Measured>();
  for (const [i] of SUBJECTS.entries()) {
    const subject = SUBJECTS[(number + i) % SUBJECTS.length] as Subject;
    measured.set(subject, await measure(subject, place));
  }
  return Object.fromEntries(measured) as Round;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? Number.NaN)) / 2;
}

/** How fast the command is beside loops of `undici.request`, start-up included, interleaved; whether the goals are reached. */
export async function throughput({ jobs, rounds }: ThroughputOptions): Promise<boolean> {
  using place = await openPlace(jobs);
  const measured: Round[] = [];
  for (let number = 0; number < rounds; number++) measured.push(await measureRound(number, place));

  const medianOf = (subject: Subject, figure: keyof Measured): number => median(measured.map((round) => round[subject][figure]));
  for (const subject of SUBJECTS) {
    const perSecond = (jobs * 1000) / medianOf(subject, 'wallMs');
    const cpuUs = (medianOf(subject, 'cpuMs') * 1000) / jobs;
    const megabytes = medianOf(subject, 'peakBytes') / 1e6;
    console.log(`${subject}: ${perSecond.toFixed(0)} calls/s, ${cpuUs.toFixed(1)} µs of CPU a call, at most ${megabytes.toFixed(0)} MB`);
  }
  const goals = Object.entries(GOALS).map(([subject, atLeast]): Goal => {
    const ratio = median(measured.map((round) => round[subject as Subject].wallMs / round['keelson run'].wallMs));
    return { what: `speed of keelson run beside a ${subject}`, unit: '', value: ratio, atLeast };
  });
  return reportGoals(goals);
}
