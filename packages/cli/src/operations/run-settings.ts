import type { BodySettings } from '../runtime/body-keeper.ts';
import type { InputFormat } from '../runtime/input.ts';
import type { Job, MakeJob } from '../runtime/job.ts';
import type { EnvironmentHeaders } from '../runtime/job-fingerprint.ts';
import type { JobFunction } from '../runtime/job-function.ts';
import type { PolicySettings } from '../runtime/policy-settings.ts';

/** What `keelson run` is to do, found in order. */
export interface RunSettings {
  /** Path of the jobs, or `-` for stdin. */
  readonly input: string;
  readonly format: InputFormat;
  /** Path of the journal. */
  readonly out: string;
  /** `no`: there must be no journal yet. `changed`: a job whose line has changed is called again; otherwise that is a fault. */
  readonly resume: 'no' | 'same' | 'changed';
  readonly retriesFailed: boolean;
  readonly skipsBadLines: boolean;
  readonly kind: Job['kind'];
  readonly makeJob: MakeJob;
  /** What jobs that are functions call. */
  readonly jobFunction: JobFunction | undefined;
  /** Whether results are written in the order of the input. */
  readonly isOrdered: boolean;
  readonly environmentHeaders: EnvironmentHeaders;
  /** The environment headers with their values. */
  readonly secretHeaders: Readonly<Record<string, string>>;
  readonly bodies: BodySettings;
  readonly policy: PolicySettings;
  readonly drainMs: number;
}
