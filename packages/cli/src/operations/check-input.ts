import { LineFault } from '../runtime/columns.ts';
import { formatCountOf } from '../runtime/format-numbers.ts';
import { isRepeatable } from '../runtime/http-job.ts';
import { quoted } from '../runtime/inert-text.ts';
import type { Input } from '../runtime/input.ts';
import { jobFingerprint } from '../runtime/job-fingerprint.ts';
import type { JobIndex } from '../runtime/job-index.ts';
import { LineVerdicts } from '../runtime/line-verdicts.ts';
import type { RunStatistics } from '../runtime/run-statistics.ts';
import { UsageError } from '../runtime/usage-error.ts';
import type { RunSettings } from './run-settings.ts';

/** What the check of an input fills in, and how it can be told to end. */
export interface CheckContext {
  readonly index: JobIndex;
  readonly statistics: RunStatistics;
  readonly signal: AbortSignal;
  note(text: string): void;
}

/** What the check of an input has found. */
export interface CheckedInput {
  readonly verdicts: LineVerdicts;
  /** How many jobs HTTP does not allow to repeat unasked. */
  readonly unrepeatable: number;
}

const MAX_NOTES = 20;

/**
 * Reads every line before anything is called: finds bad ones and repeated ids, and settles which jobs have a result already. Throws a
 * {@link UsageError} that names the line, unless bad lines are to be left out.
 */
export async function checkInput(input: Input, settings: RunSettings, context: CheckContext): Promise<CheckedInput> {
  const { index, statistics, signal } = context;
  const changed = new ChangedLines();
  const verdicts = new LineVerdicts();
  let unrepeatable = 0;
  for await (const { line, job } of input.jobs(settings.makeJob)) {
    signal.throwIfAborted();
    if (job instanceof LineFault) {
      badLine(job, { file: input.name, line }, settings, context);
      continue;
    }
    const key = index.keyOf(job.id);
    const first = index.lineOf(key);
    verdicts.set(line, 'leave out');
    if (first !== 0) {
      badLine(new LineFault(`the id ${quoted(job.id)} is that of line ${first} already`), { file: input.name, line }, settings, context);
      continue;
    }
    index.setLine(key, line);
    statistics.jobs++;
    if (job.kind === 'http' && !isRepeatable(job)) unrepeatable++;
    const recorded = index.recordedOf(key);
    if (recorded !== 'none' && !index.isRecordedJob(key, jobFingerprint(job, settings.environmentHeaders))) changed.add(line, job.id);
    else if (recorded === 'done' || (recorded === 'failed' && !settings.retriesFailed)) {
      statistics.finishedBefore(index.failureOf(key));
      continue;
    }
    verdicts.set(line, 'call');
  }
  if (settings.resume === 'same') changed.refuse(input.name, settings.out);
  statistics.withoutJob = index.countWithoutLine();
  const untold = statistics.skippedLines - MAX_NOTES;
  if (untold > 0) context.note(`${formatCountOf(untold, 'more line')} left out`);
  return { verdicts, unrepeatable };
}

/** Lines whose job is another than the one recorded under its id. */
class ChangedLines {
  #first: { readonly line: number; readonly id: string } | undefined;
  #count = 0;

  add(line: number, id: string): void {
    this.#first ??= { line, id };
    this.#count++;
  }

  refuse(file: string, journal: string): void {
    if (this.#first === undefined) return;
    const { line, id } = this.#first;
    const others = this.#count === 1 ? '' : ` (and so on ${formatCountOf(this.#count - 1, 'more line')})`;
    const message = `the job differs from the one that ${journal} has a result of under the id ${quoted(id)}${others}; --resume=changed calls it again`;
    throw new UsageError(message, { file, line });
  }
}

function badLine(
  fault: LineFault,
  place: { readonly file: string; readonly line: number },
  settings: RunSettings,
  context: CheckContext,
): void {
  const error = new UsageError(fault.message, { ...place, column: fault.column });
  if (!settings.skipsBadLines) throw error;
  if (++context.statistics.skippedLines <= MAX_NOTES) context.note(`left out: ${error.message}`);
}
