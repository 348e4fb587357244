import { access, constants } from 'node:fs/promises';
import { BodyKeeper } from '../runtime/body-keeper.ts';
import { formatCountOf } from '../runtime/format-numbers.ts';
import { nowMs } from '../runtime/host-time.ts';
import { Input } from '../runtime/input.ts';
import type { Job } from '../runtime/job.ts';
import { JobIndex } from '../runtime/job-index.ts';
import { Journal } from '../runtime/journal.ts';
import { JournalLock } from '../runtime/journal-lock.ts';
import { makeFolders } from '../runtime/make-folders.ts';
import { OutputError } from '../runtime/output-error.ts';
import type { ProgressFacts } from '../runtime/progress.ts';
import type { Caller } from '../runtime/reply.ts';
import { RunStatistics } from '../runtime/run-statistics.ts';
import { Secrets } from '../runtime/secrets.ts';
import { systemReason } from '../runtime/system-reason.ts';
import { UsageError } from '../runtime/usage-error.ts';
import { callJobs } from './call-jobs.ts';
import { type CheckedInput, checkInput } from './check-input.ts';
import { composePolicy } from './compose-policy.ts';
import { JobsToCall } from './jobs-to-call.ts';
import type { RunReport } from './run-report.ts';
import type { RunSettings } from './run-settings.ts';
import { Slots } from './slots.ts';

/** How a run is asked to end. */
export interface RunSignals {
  /** Nothing new begins. */
  readonly draining: AbortSignal;
  /** What runs is ended. */
  readonly stopped: AbortSignal;
}

/** Where a run tells of itself while it goes on. */
export interface RunScreen {
  note(text: string): void;
  /** Shows progress until it is disposed. */
  watch(facts: ProgressFacts): Disposable;
}

/**
 * The main job: checks the whole input, then calls every job that has no result yet and writes one line for each. Throws a {@link UsageError}
 * before the first call for anything the user has to mend. Results that cannot be written end the run, and the report says why.
 */
export async function runJobs(settings: RunSettings, signals: RunSignals, screen: RunScreen): Promise<RunReport> {
  const run = new Run(settings, signals, screen);
  const startMs = nowMs();
  let outputError: OutputError | undefined;
  try {
    await run.start();
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    outputError = error;
  }
  return { statistics: run.statistics, durationMs: nowMs() - startMs, outputError };
}

class Run {
  readonly statistics: RunStatistics = new RunStatistics();
  readonly #settings: RunSettings;
  readonly #signals: RunSignals;
  readonly #screen: RunScreen;

  constructor(settings: RunSettings, signals: RunSignals, screen: RunScreen) {
    this.#settings = settings;
    this.#signals = signals;
    this.#screen = screen;
  }

  async start(): Promise<void> {
    const { out, bodies } = this.#settings;
    await using input = await Input.open(this.#settings.input, this.#settings.format);
    using _lock = JournalLock.acquire(out);
    await using journal = await Journal.open(out);
    const { verdicts } = await this.#check(input, journal);
    if (bodies.save !== undefined) await makeFolder(bodies.save.folder);
    const tornBytes = await journal.begin();
    if (tornBytes > 0) this.#screen.note(`${out}: cut off ${formatCountOf(tornBytes, 'byte')} of a result that was not written to its end`);
    if (this.statistics.remaining > 0) await this.#call(input, new JobsToCall(input, this.#settings, verdicts), journal);
  }

  /** What is known of each job takes more memory than anything else, and is let go when this is over. */
  async #check(input: Input, journal: Journal): Promise<CheckedInput> {
    const { out, resume } = this.#settings;
    if (resume === 'no' && journal.exists) throw new UsageError('there is such a file already; --resume continues it', { file: out });
    const index = new JobIndex();
    await journal.read(({ id, job, failure }) => index.setRecorded(index.keyOf(id), job, failure));
    const { draining: signal } = this.#signals;
    await input.prepare(`${out}.input.${process.pid}`, signal);
    const note = (text: string): void => this.#screen.note(text);
    const checked = await checkInput(input, this.#settings, { index, statistics: this.statistics, signal, note });
    this.#tell(input, checked);
    return checked;
  }

  #tell(input: Input, { unrepeatable }: CheckedInput): void {
    const strangers = this.statistics.withoutJob;
    if (strangers > 0)
      this.#screen.note(
        `${this.#settings.out}: has results of ${formatCountOf(strangers, 'job that is', 'jobs that are')} not in ${input.name}`,
      );
    const { isAskedFor, maxAttempts } = this.#settings.policy.retry;
    if (unrepeatable > 0 && !isAskedFor) {
      const jobs = formatCountOf(unrepeatable, 'job is', 'jobs are');
      this.#screen.note(
        `${jobs} tried only once, since HTTP does not let such a method be repeated unasked; --max-attempts ${maxAttempts} asks`,
      );
    }
  }

  async #call(input: Input, jobs: JobsToCall, journal: Journal): Promise<void> {
    const { statistics } = this;
    const { bodies, environmentHeaders, isOrdered, kind, policy: settings, secretHeaders } = this.#settings;
    const secrets = new Secrets(Object.values(secretHeaders));
    await using caller = await this.#newCaller(new BodyKeeper(bodies, secrets));
    const slots = new Slots(settings.concurrency);
    const hasOrigins = kind !== 'exec';
    const { policyAfter, parking, openBreakers } = composePolicy(settings, { hasOrigins, keepsSlots: isOrdered, slots, statistics });
    using _progress = this.#screen.watch({ statistics, openBreakers });
    const { draining, stopped } = this.#signals;
    await callJobs(jobs, {
      draining,
      stopped,
      slots,
      parking,
      isOrdered,
      caller,
      policyAfter,
      totalTimeoutMs: settings.totalTimeoutMs,
      journal,
      statistics,
      secrets,
      environmentHeaders,
      giveUpAfterMs: settings.giveUpAfterMs,
      repeatsAll: settings.retry.isAskedFor,
    });
    if (statistics.remaining > 0 && !draining.aborted) throw changedWhileRunning(input.name, statistics.remaining);
  }

  /** The jobs of one run are all of one kind, and what the other kinds need is not even loaded. */
  async #newCaller(bodies: BodyKeeper): Promise<Caller<Job>> {
    const { jobFunction, kind, policy, secretHeaders } = this.#settings;
    if (jobFunction !== undefined) {
      const { FunctionCaller } = await import('../runtime/function-caller.ts');
      return new FunctionCaller(jobFunction, bodies);
    }
    if (kind === 'exec') {
      const { ExecCaller } = await import('../runtime/exec-caller.ts');
      return new ExecCaller(bodies);
    }
    const { HttpCaller } = await import('../runtime/http-caller.ts');
    return new HttpCaller({ concurrency: policy.concurrency, secretHeaders }, bodies);
  }
}

function changedWhileRunning(file: string, jobs: number): UsageError {
  return new UsageError(`the file changed after it was checked: ${formatCountOf(jobs, 'job was', 'jobs were')} not found again`, { file });
}

async function makeFolder(path: string): Promise<void> {
  try {
    await makeFolders(path);
    await access(path, constants.W_OK);
  } catch (error) {
    throw new UsageError(`cannot be made or written to: ${systemReason(error)}`, { file: path });
  }
}
