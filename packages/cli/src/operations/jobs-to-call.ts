import type { InputFile } from '../runtime/input-file.ts';
import type { Job } from '../runtime/job.ts';
import type { JobIndex } from '../runtime/job-index.ts';
import { UsageError } from '../runtime/usage-error.ts';
import type { RunSettings } from './run-settings.ts';

/** The second reading of a checked input: the jobs that have no result yet. Throws a {@link UsageError} if the file is not what it was. */
export async function* jobsToCall(input: InputFile, settings: RunSettings, index: JobIndex): AsyncGenerator<Job, void, undefined> {
  for await (const { line, job, fault } of input.jobs(settings.makeJob)) {
    const key = job === undefined ? undefined : index.keyOf(job.id);
    if (job !== undefined && key !== undefined && index.lineOf(key) === line) {
      if (!index.isSkipped(key)) yield job;
    } else if (!settings.skipsBadLines) {
      throw new UsageError(`the file changed after it was checked${fault === undefined ? '' : `: ${fault.message}`}`, {
        file: input.path,
        line,
      });
    }
  }
}
