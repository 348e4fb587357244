import { statSync } from 'node:fs';
import { reportGoals } from './goals.ts';
import { measureProcess } from './measured-process.ts';
import { KEELSON, openPlace } from './workplace.ts';

const GOALS = { peakMb: 300, resumeSeconds: 10 } as const;

/** The memory of a long run, and the resume of a finished one; whether the goals are reached. */
export async function million(jobs: number): Promise<boolean> {
  using place = await openPlace(jobs);
  const results = `${place.folder}/results.jsonl`;
  const command = [KEELSON, 'run', place.urls, '--out', results];
  const run = await measureProcess(command, place);
  console.log(`${jobs} jobs in ${(run.wallMs / 1000).toFixed(0)} s, a journal of ${(statSync(results).size / 1e6).toFixed(0)} MB`);
  const resume = await measureProcess([...command, '--resume'], place);
  return reportGoals([
    { what: 'peak memory of the run', unit: ' MB', value: run.peakBytes / 1e6, atMost: GOALS.peakMb },
    { what: 'resume of the finished run', unit: ' s', value: resume.wallMs / 1000, atMost: GOALS.resumeSeconds },
    { what: 'peak memory of the resume', unit: ' MB', value: resume.peakBytes / 1e6, atMost: GOALS.peakMb },
  ]);
}
