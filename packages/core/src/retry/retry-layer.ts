import { suppress } from '../errors/history.ts';
import type { Outcome, OutcomeKind, Settled } from '../outcome/classify.ts';
import type { Backoff } from '../policy/backoff.ts';
import { describeHandles, type Handles, isHandledBy } from '../policy/handles.ts';
import { type Answer, DONE, type Layer, PROCEED, type Step, type Verdict } from '../policy/layer.ts';
import type { PolicyDescription } from '../policy/policy.ts';
import type { RetryAllowance, RetryPayment } from '../policy/retry-allowance.ts';
import type { BeforeRetry } from './before-retry.ts';
import { giveUpOn, nextStart, wasGivenUpInside } from './nested-retries.ts';

/** What a {@link RetryLayer} goes by. */
export interface RetryRules {
  readonly name: string;
  readonly maxAttempts: number;
  readonly backoff: Backoff;
  readonly handles: Handles | undefined;
  readonly handlesResult: ((value: unknown) => boolean) | undefined;
  readonly budget: RetryAllowance | undefined;
  readonly beforeRetry: BeforeRetry | undefined;
  readonly nested: 'bounded' | 'multiply';
}

/**
 * Why no further attempt was made:
 *
 * - `attempts`: all were used up;
 * - `not-handled`: another one would fail the same way, or `handles` does not name the error;
 * - `output`: output of an attempt has left (law R4);
 * - `not-idempotent`: the caller said that the work must not be done twice;
 * - `nested`: a retry inside had given up on the same failure;
 * - `deadline`: the wait would not fit what is left of the call, or `maxDelay` where the callee asked for more and there is no deadline;
 * - `budget`: the budget was used up;
 * - `before-retry`: `beforeRetry` threw.
 */
export type GaveUpReason = 'attempts' | 'not-handled' | 'output' | 'not-idempotent' | 'nested' | 'deadline' | 'budget' | 'before-retry';

/** By how much a wait that was asked for is lengthened at most, so that not all come back at once (law R2). */
const ASKED_JITTER = 0.2;

const PASSING: ReadonlySet<OutcomeKind> = new Set(['transient', 'throttled', 'overloaded']);

/** What a retry remembers of one call once an attempt has failed; until then, only the number of its start. */
class Progress {
  readonly callStart: number;
  attemptStart: number;
  attempts = 1;
  previousDelayMs = 0;
  previousChance = 0;
  /** What was paid for the attempt that is waiting, or runs. */
  payment: RetryPayment | undefined = undefined;
  /** The failure that `beforeRetry` is told of, and when the next attempt is due. */
  failed: Settled | undefined = undefined;
  dueMs = 0;

  constructor(start: number) {
    this.callStart = start;
    this.attemptStart = start;
  }
}

/** Decides for `retry`: whether a failed attempt is followed by another one, and when. */
export class RetryLayer implements Layer {
  readonly kind = 'retry';
  readonly name: string;
  readonly maxAttempts: number;
  readonly runsCallerCode = true;
  readonly #rules: RetryRules;

  constructor(rules: RetryRules) {
    this.name = rules.name;
    this.maxAttempts = rules.maxAttempts;
    this.#rules = rules;
  }

  enter(step: Step): Verdict {
    this.#rules.budget?.began(step.nowMs());
    step.ticket = nextStart();
    return PROCEED;
  }

  succeed(step: Step, value: unknown): Verdict {
    const { budget, handlesResult } = this.#rules;
    const outcome = step.classifyValue(value);
    const isRefused = handlesResult?.(value) === true;
    if (outcome.kind === 'ok' && !isRefused) {
      budget?.succeeded(paymentOf(step));
      return DONE;
    }
    return this.#decide(step, { ok: true, value }, outcome, isRefused ? () => true : undefined);
  }

  fail(step: Step, error: unknown): Verdict {
    const { handles } = this.#rules;
    const outcome = step.classifyError(error);
    return this.#decide(step, { ok: false, error }, outcome, handles && (() => isHandledBy(handles, error)));
  }

  /** `beforeRetry` has ended: what is left of the wait follows. */
  consulted(step: Step, answer: Answer): Verdict {
    const progress = step.ticket as Progress;
    if (answer.ok) return again(step, progress, Math.max(0, progress.dueMs - step.nowMs()));
    this.abandon(step, true);
    return insteadOf(step, progress, progress.failed as Settled, answer.error);
  }

  /** Law R3: what was paid for an attempt that never began is given back. */
  abandon(step: Step, waiting: boolean): void {
    const payment = waiting ? paymentOf(step) : undefined;
    if (payment !== undefined) this.#rules.budget?.refund(payment);
  }

  describe(): PolicyDescription {
    const { name, maxAttempts, backoff, handles, handlesResult, budget, beforeRetry, nested } = this.#rules;
    const options = {
      maxAttempts,
      ...backoff.describe(),
      handles: describeHandles(handles),
      handlesResult: handlesResult === undefined ? 'by kind' : 'function',
      budget: budget?.name ?? 'none',
      beforeRetry: beforeRetry === undefined ? 'none' : 'function',
      nested,
    };
    return { name, kind: this.kind, options, place: 3 };
  }

  #decide(step: Step, settled: Settled, outcome: Outcome, rule: (() => boolean) | undefined): Verdict {
    const progress = step.ticket instanceof Progress ? step.ticket : new Progress(step.ticket as number);
    step.ticket = progress;
    const next = isRetryable(outcome, rule) ? this.#nextDelay(step, progress, settled, outcome) : 'not-handled';
    if (typeof next === 'string') return giveUp(step, progress, settled, next);
    const { beforeRetry } = this.#rules;
    return beforeRetry === undefined ? again(step, progress, next) : callBefore(beforeRetry, step, progress, settled, next);
  }

  /** How long to wait before the next attempt, or why there is none. Pays for what it grants. */
  #nextDelay(step: Step, progress: Progress, settled: Settled, outcome: Outcome): number | GaveUpReason {
    const { maxAttempts, nested } = this.#rules;
    if (step.hasOutput) return 'output';
    if (step.options.idempotent === false) return 'not-idempotent';
    if (nested === 'bounded' && wasGivenUpInside(settled, progress.attemptStart)) return 'nested';
    if (progress.attempts >= maxAttempts) return 'attempts';
    const { retryAfterMs } = outcome;
    progress.payment = undefined;
    if (retryAfterMs !== undefined && retryAfterMs > 0) return this.#askedDelay(step, retryAfterMs);
    return this.#ownDelay(step, progress, settled, outcome.kind);
  }

  /** Law R2: at least what was asked for, lengthened as far as the deadline lets it, or not at all; costs an attempt and nothing else. */
  #askedDelay(step: Step, askedMs: number): number | GaveUpReason {
    const leftMs = step.timeLeftMs();
    const fits = leftMs === Number.POSITIVE_INFINITY ? askedMs <= this.#rules.backoff.maxDelayMs : askedMs < leftMs;
    return fits ? askedMs + step.random() * Math.min(ASKED_JITTER * askedMs, leftMs - askedMs) : 'deadline';
  }

  #ownDelay(step: Step, progress: Progress, settled: Settled, kind: OutcomeKind): number | GaveUpReason {
    const { backoff, budget } = this.#rules;
    const { attempts, previousDelayMs, previousChance } = progress;
    const chance = step.random();
    const delayMs = backoff.delayMs({ attempts, outcome: settled, previousDelayMs }, chance, previousChance);
    if (delayMs >= step.timeLeftMs()) return 'deadline';
    progress.payment = budget?.tryTake(kind, step.nowMs());
    if (budget !== undefined && progress.payment === undefined) return 'budget';
    progress.previousDelayMs = delayMs;
    progress.previousChance = chance;
    return delayMs;
  }
}

/** What the last retry of the call had cost; undefined where it made none, or one for nothing. */
const paymentOf = ({ ticket }: Step): RetryPayment | undefined => (ticket instanceof Progress ? ticket.payment : undefined);

/**
 * Whether another attempt may help. `rule`, the caller's own, overrides the kind, but neither a cancellation nor a refusal that was made in
 * this process, before the callee was asked: that is tried again only where it says when.
 */
function isRetryable(outcome: Outcome, rule: (() => boolean) | undefined): boolean {
  const { kind, origin, retryAfterMs } = outcome;
  if (kind === 'cancelled') return false;
  if (origin === 'local') return PASSING.has(kind) && retryAfterMs !== undefined;
  return rule === undefined ? PASSING.has(kind) : rule();
}

/** The wait counts from the failure, so that `beforeRetry` costs time only where it takes longer. */
function callBefore(beforeRetry: BeforeRetry, step: Step, progress: Progress, failed: Settled, delayMs: number): Verdict {
  progress.failed = failed;
  progress.dueMs = step.nowMs() + delayMs;
  const info = Object.freeze({ attempts: progress.attempts, outcome: failed, delayMs });
  return step.consult((call) => beforeRetry(info, call));
}

function again(step: Step, progress: Progress, delayMs: number): Verdict {
  progress.attempts++;
  progress.attemptStart = nextStart();
  return step.again(delayMs);
}

/** What `beforeRetry` threw ends the call. The failure it was told of is attached, so that it is not lost; or passes, where that is what it threw. */
function insteadOf(step: Step, progress: Progress, failed: Settled, error: unknown): Verdict {
  if (!failed.ok) suppress(error, failed.error);
  const verdict = giveUp(step, progress, { ok: false, error }, 'before-retry');
  if (!failed.ok && failed.error === error) return verdict;
  throw error;
}

function giveUp(step: Step, progress: Progress, settled: Settled, reason: GaveUpReason): Verdict {
  const { attempts, callStart } = progress;
  const hasRetried = attempts > 1 && reason !== 'not-handled';
  if (hasRetried || reason === 'budget' || reason === 'before-retry') giveUpOn(settled, callStart);
  if (step.isObserved) step.publish('gave-up', { attempts, reason, outcome: settled });
  return DONE;
}
