import { expect, test } from 'vitest';
import { RunStatistics } from '../runtime/run-statistics.ts';
import { summarize, summaryTable } from './run-report.ts';

function drained(): RunStatistics {
  const statistics = new RunStatistics();
  Object.assign(statistics, { jobs: 100, skippedLines: 2 });
  for (let n = 0; n < 10; n++) statistics.finishedBefore(undefined);
  statistics.finishedBefore('ERR_TIMEOUT');
  for (let n = 0; n < 50; n++) {
    statistics.startCall(1);
    statistics.endCall(10);
    statistics.finish(undefined);
  }
  statistics.startCall(2);
  statistics.endCall(10);
  for (const code of ['ERR_TIMEOUT', 'ECONNRESET', 'ECONNRESET']) statistics.finish(code);
  return statistics;
}

test('counts jobs of this run and of earlier ones', () => {
  const summary = summarize({ statistics: drained(), durationMs: 2000 });
  expect(summary).toMatchObject({
    jobs: 100,
    done: 60,
    failed: 4,
    unfinished: 36,
    before: 11,
    skippedLines: 2,
    calls: 51,
    retries: 1,
    durationMs: 2000,
    jobsPerSecond: 26.5,
    failures: { ERR_TIMEOUT: 2, ECONNRESET: 2 },
  });
  expect(summary.p50Ms).toBeCloseTo(10, 1);
});

test('as a table, with the most frequent failures first', () => {
  expect(summaryTable({ ...summarize({ statistics: drained(), durationMs: 61_000 }), p50Ms: 10, p99Ms: 1234 })).toBe(
    `
jobs            100
done            60
failed          4
  ERR_TIMEOUT   2
  ECONNRESET    2
unfinished      36
from before     11
lines left out  2
calls           51, of which 1 retry
time            2m, 1 jobs/s
latency         p50 10ms, p99 1.23s`.trim(),
  );
});

test('as a table without what is 0 and usually so', () => {
  const statistics = new RunStatistics();
  expect(
    summaryTable(summarize({ statistics, durationMs: 0 }))
      .split('\n')
      .map((row) => row.split(' ')[0]),
  ).toEqual(['jobs', 'done', 'failed', 'calls', 'time', 'latency']);
});
