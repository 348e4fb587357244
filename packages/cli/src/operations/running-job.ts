import type { Call } from 'keelson';
import { toHex } from '../runtime/fingerprint.ts';
import { nowMs, soon } from '../runtime/host-time.ts';
import { isRepeatable } from '../runtime/http-job.ts';
import { type Job, originOf } from '../runtime/job.ts';
import { cleaned, failureOf } from '../runtime/job-failure.ts';
import { type EnvironmentHeaders, jobFingerprint } from '../runtime/job-fingerprint.ts';
import type { Journal } from '../runtime/journal.ts';
import { formatEntry } from '../runtime/journal-entry.ts';
import { OutputError } from '../runtime/output-error.ts';
import type { Caller, JobFailure, Reply } from '../runtime/reply.ts';
import type { RunStatistics } from '../runtime/run-statistics.ts';
import type { Secrets } from '../runtime/secrets.ts';
import type { RunPolicy } from './compose-policy.ts';
import { journalEntry } from './journal-result.ts';
import type { JobPast } from './parking-lot.ts';
import type { OrderedTurn } from './turns.ts';
import { GaveUpError, OriginDownError } from './wait-for-origin.ts';

/** What calling a job needs. */
export interface JobContext {
  readonly caller: Caller<Job>;
  readonly policyAfter: RunPolicy['policyAfter'];
  /** Of a job, from its start; Infinity for none. */
  readonly totalTimeoutMs: number;
  readonly journal: Journal;
  readonly statistics: RunStatistics;
  readonly secrets: Secrets;
  readonly environmentHeaders: EnvironmentHeaders;
  readonly giveUpAfterMs: number;
  /** Whether also those calls are repeated that HTTP does not call repeatable (law R5). */
  readonly repeatsAll: boolean;
  /** Nothing new begins: no job, and no attempt. */
  readonly draining: AbortSignal;
}

interface JobOutcome {
  readonly reply: Partial<Reply>;
  readonly failure: JobFailure | undefined;
}

const ORIGIN_DOWN = Symbol('its origin is down');

/** One job on its way from the first attempt to its line in the journal. */
export class RunningJob {
  readonly #job: Job;
  readonly #context: JobContext;
  readonly #ending = new AbortController();
  readonly #turn: OrderedTurn | undefined;
  readonly #startMs: number;
  #attempts: number;
  /** The attempt that runs; undefined between attempts. */
  #attempt: Call | undefined;

  /** With a `turn`, the job's line is written when that has come. */
  constructor(job: Job, context: JobContext, past?: JobPast, turn?: OrderedTurn) {
    this.#job = job;
    this.#context = context;
    this.#turn = turn;
    this.#startMs = past?.startMs ?? nowMs();
    this.#attempts = past?.attempts ?? 0;
  }

  /**
   * Resolves when the job's line is durable, or the job was ended and has none; to the job's past if it has to be parked. Throws an
   * {@link OutputError}.
   */
  async run(): Promise<JobPast | undefined> {
    try {
      const outcome = await this.#outcome();
      if (outcome === ORIGIN_DOWN) return { attempts: this.#attempts, startMs: this.#startMs };
      if (outcome !== undefined) await this.#finish(outcome.reply, outcome.failure);
      return undefined;
    } finally {
      this.#turn?.pass(false); // has no effect once the line was written
    }
  }

  /** Fails the job, which has waited for its origin for too long. */
  async giveUp(): Promise<undefined> {
    const { secrets, giveUpAfterMs } = this.#context;
    await this.#finish({}, failureOf(new GaveUpError(originOf(this.#job) ?? '', giveUpAfterMs), secrets));
  }

  /** Lets an attempt that runs come to its end; whatever the job waits for is over. */
  drain(): void {
    if (this.#attempt === undefined || this.#attempt.signal.aborted) this.end(this.#context.draining.reason);
  }

  /** Ends the job without a result. */
  end(reason: unknown): void {
    this.#ending.abort(reason);
  }

  /** What the job came to; undefined if it was ended. */
  async #outcome(): Promise<JobOutcome | typeof ORIGIN_DOWN | undefined> {
    const { policyAfter, secrets } = this.#context;
    const { signal } = this.#ending;
    try {
      const policy = policyAfter(this.#attempts);
      const reply = await policy.execute((call) => this.#call(call), { signal, timeout: this.#timeLeftMs(), ...this.#callOptions() });
      return { reply, failure: reply.failure && cleaned(reply.failure, secrets) };
    } catch (error) {
      if (error instanceof OutputError) throw error;
      if (error instanceof OriginDownError) return ORIGIN_DOWN;
      return signal.aborted && error === signal.reason ? undefined : { reply: {}, failure: failureOf(error, secrets) };
    }
  }

  #timeLeftMs(): number {
    return Math.max(1, this.#startMs + this.#context.totalTimeoutMs - nowMs());
  }

  #callOptions(): { name: string; keys?: { origin: string }; idempotent?: boolean } {
    const job = this.#job;
    if (job.kind === 'exec') return { name: job.argv[0] };
    const { origin } = job;
    if (job.kind === 'function') return { name: origin, keys: { origin } };
    return { name: `${job.method} ${origin}`, keys: { origin }, idempotent: this.#context.repeatsAll || isRepeatable(job) };
  }

  async #call(call: Call): Promise<Reply> {
    const { caller, statistics, draining } = this.#context;
    if (draining.aborted) this.end(draining.reason);
    call.throwIfCancelled();
    this.#attempt = call;
    this.#attempts++;
    statistics.startCall(this.#attempts);
    const startMs = nowMs();
    try {
      return await caller.call(this.#job, this.#attempts, call);
    } finally {
      statistics.endCall(nowMs() - startMs);
      if (this.#attempt === call) this.#attempt = undefined;
      // A retry would now begin to wait. A result is not harmed: it is there by then.
      if (draining.aborted) soon(() => this.drain());
    }
  }

  async #finish(reply: Partial<Reply>, failure: JobFailure | undefined): Promise<void> {
    const { journal, statistics, environmentHeaders } = this.#context;
    const job = toHex(jobFingerprint(this.#job, environmentHeaders));
    const facts = { id: this.#job.id, job, attempts: this.#attempts, durationMs: nowMs() - this.#startMs };
    const line = formatEntry(journalEntry(facts, reply, failure));
    if (this.#turn !== undefined && !(await this.#turn.comes)) return;
    const written = journal.append(line);
    this.#turn?.pass(true);
    await written;
    statistics.finish(failure?.code);
  }
}
