import { LineFault } from '../runtime/columns.ts';
import type { Input, JobPlace } from '../runtime/input.ts';
import type { Job } from '../runtime/job.ts';
import type { LineVerdicts } from '../runtime/line-verdicts.ts';
import { UsageError } from '../runtime/usage-error.ts';
import type { RunSettings } from './run-settings.ts';

/** A job with its place in the input. */
export interface PlacedJob {
  readonly job: Job;
  readonly place: JobPlace;
}

/** The jobs of a checked input that have no result yet, read once more. */
export class JobsToCall {
  readonly #input: Input;
  readonly #settings: RunSettings;
  readonly #verdicts: LineVerdicts;

  constructor(input: Input, settings: RunSettings, verdicts: LineVerdicts) {
    this.#input = input;
    this.#settings = settings;
    this.#verdicts = verdicts;
  }

  /** All, in the order of the input. Throws a {@link UsageError} if the file is not what it was. */
  async *inOrder(): AsyncGenerator<PlacedJob, void, undefined> {
    const { makeJob, skipsBadLines } = this.#settings;
    for await (const { job, ...place } of this.#input.jobs(makeJob)) {
      const verdict = this.#verdicts.of(place.line);
      if (job instanceof LineFault) {
        if (verdict !== 'no job' || !skipsBadLines) throw this.#changed(place, job);
      } else if (verdict === 'call') yield { job, place };
      else if (verdict === 'no job') throw this.#changed(place);
    }
  }

  /** The job at a place where one was. Throws a {@link UsageError} if there is none any more. */
  async at(place: JobPlace): Promise<Job> {
    const job = await this.#input.jobAt(place, this.#settings.makeJob);
    if (job === undefined) throw this.#changed(place);
    return job;
  }

  #changed({ line }: JobPlace, fault?: LineFault): UsageError {
    const why = fault === undefined ? '' : `: ${fault.message}`;
    return new UsageError(`the file changed after it was checked${why}`, { file: this.#input.name, line });
  }
}
