import { type Call, OUTCOME, type Outcome } from 'keelson';
import type { Job } from './job.ts';
import type { KeptBody } from './kept-body.ts';

/** Why a job failed, as the journal says it. */
export interface JobFailure {
  readonly code: string;
  readonly message: string;
}

/** What one call came to, if it came to anything: policies read its outcome, the journal keeps the rest. */
export interface Reply {
  readonly [OUTCOME]: Outcome;
  /** Of the response, or the exit code of the command. */
  readonly status: number | undefined;
  readonly body?: KeptBody | undefined;
  /** Absent for a success. */
  readonly failure?: JobFailure | undefined;
}

/** Makes the calls of one kind of job. */
export interface Caller<J extends Job> extends AsyncDisposable {
  /** The job's attempt of that number, from 1. Rejects where no reply came. */
  call(job: J, attempt: number, call: Call): Promise<Reply>;
}
