import { formatCount, formatCountOf, formatLatency, formatRoughTime } from '../runtime/format-numbers.ts';
import type { OutputError } from '../runtime/output-error.ts';
import type { RunStatistics } from '../runtime/run-statistics.ts';

/** How a run ended. */
export interface RunReport {
  readonly statistics: RunStatistics;
  readonly durationMs: number;
  /** Why no more results could be written, if so. */
  readonly outputError?: OutputError | undefined;
}

/** A run in numbers, as `--json` prints it. */
export interface RunSummary {
  /** Of the input. */
  readonly jobs: number;
  readonly done: number;
  readonly failed: number;
  /** Jobs without a result, after a drain. */
  readonly unfinished: number;
  /** Of done and failed, those of earlier runs. */
  readonly before: number;
  /** Lines that are no job. */
  readonly skippedLines: number;
  readonly calls: number;
  readonly retries: number;
  readonly durationMs: number;
  readonly jobsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What has failed, by code. */
  readonly failures: Readonly<Record<string, number>>;
}

/** The numbers of a run. */
export function summarize({ statistics, durationMs }: RunReport): RunSummary {
  const { jobs, done, failed, doneBefore, failedBefore, remaining, skippedLines, calls, retries, failures } = statistics;
  return {
    jobs,
    done: done + doneBefore,
    failed: failed + failedBefore,
    unfinished: remaining,
    before: doneBefore + failedBefore,
    skippedLines,
    calls,
    retries,
    durationMs: Math.round(durationMs),
    jobsPerSecond: durationMs === 0 ? 0 : Number((((done + failed) * 1000) / durationMs).toPrecision(4)),
    p50Ms: statistics.latencyMs(50),
    p99Ms: statistics.latencyMs(99),
    failures: Object.fromEntries(failures),
  };
}

/** A summary as a table of two columns; what is 0 and usually so is left out. */
export function summaryTable(summary: RunSummary): string {
  const failures = Object.entries(summary.failures).sort(([, a], [, b]) => b - a);
  const rows: readonly (readonly [label: string, value: string] | undefined)[] = [
    ['jobs', formatCount(summary.jobs)],
    ['done', formatCount(summary.done)],
    ['failed', formatCount(summary.failed)],
    ...failures.map(([code, n]) => [`  ${code}`, formatCount(n)] as const),
    summary.unfinished === 0 ? undefined : ['unfinished', formatCount(summary.unfinished)],
    summary.before === 0 ? undefined : ['from before', formatCount(summary.before)],
    summary.skippedLines === 0 ? undefined : ['lines left out', formatCount(summary.skippedLines)],
    ['calls', `${formatCount(summary.calls)}, of which ${formatCountOf(summary.retries, 'retry', 'retries')}`],
    ['time', `${formatRoughTime(summary.durationMs / 1000)}, ${formatCount(summary.jobsPerSecond)} jobs/s`],
    ['latency', `p50 ${formatLatency(summary.p50Ms)}, p99 ${formatLatency(summary.p99Ms)}`],
  ];
  const shown = rows.filter((row) => row !== undefined);
  const width = Math.max(...shown.map(([label]) => label.length));
  return shown.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join('\n');
}
