import { optionError } from '../errors/option-error.ts';
import { withoutStack } from '../errors/without-stack.ts';
import { Admission, type Admitting } from '../policy/admission.ts';
import { Gcra } from '../policy/gcra.ts';
import { type Layer, PROCEED, type Step, type Verdict } from '../policy/layer.ts';
import type { ExecuteOptions, PolicyDescription } from '../policy/policy.ts';
import { SlidingWindow } from '../policy/sliding-window.ts';
import { PacedQueue } from '../sync/paced-queue.ts';
import { formatMs } from '../time/duration.ts';
import { RateLimitedError } from './rate-limited-error.ts';
import { type Place, TokenLine, Tokens } from './token-line.ts';

/** What a {@link RateLimiterLayer} goes by. */
export interface RateLimiterRules {
  readonly name: string;
  readonly algorithm: 'gcra' | 'sliding-window';
  readonly limit: number;
  readonly periodMs: number;
  /** Of `gcra`. */
  readonly burst: number;
  readonly maxQueue: number;
  /** The name of what it counts, where that is not calls. */
  readonly cost: string | undefined;
}

/** Decides for `rateLimit`: when a call has its tokens. */
export class RateLimiterLayer implements Layer, Admitting {
  readonly kind = 'rate-limiter';
  readonly name: string;
  readonly waitsFor = 'a token';
  readonly rules: RateLimiterRules;
  readonly line: TokenLine;
  readonly queue: PacedQueue;
  readonly admission: Admission = new Admission(this);

  constructor(rules: RateLimiterRules) {
    const { name, algorithm, limit, periodMs, burst } = rules;
    this.name = name;
    this.rules = rules;
    this.line = new TokenLine(algorithm === 'gcra' ? new Gcra(limit, periodMs, burst) : new SlidingWindow(limit, periodMs));
    this.queue = new PacedQueue((nowMs) => this.line.dueMs(nowMs));
  }

  enter(step: Step): Verdict {
    if (!this.admission.isOpen) return step.reject(this.admission.refusal(step.operation));
    const cost = this.#estimate(step.options);
    this.checkCost(cost);
    if (cost === 0) return PROCEED;
    const nowMs = step.nowMs();
    const atMs = this.line.earliestMs(cost, nowMs);
    if (atMs <= nowMs && this.line.size === 0) return this.#started(step, this.line.take(cost, atMs));
    const waitMs = atMs - nowMs;
    if (this.isFull(nowMs)) return step.reject(this.#refusal(step.operation, waitMs, this.#queueFull()));
    step.ticket = this.line.join(cost, nowMs);
    return this.#queued(step, atMs, waitMs);
  }

  due(step: Step): Verdict {
    const nowMs = step.nowMs();
    const dueMs = this.line.dueMs(nowMs);
    if (dueMs > nowMs) return this.#queued(step, dueMs, dueMs - nowMs);
    const verdict = this.#started(step, this.line.start(step.ticket as Place, nowMs));
    this.admission.workEnded();
    return verdict;
  }

  abandon(step: Step, waiting: boolean): void {
    if (!waiting) return;
    this.line.leave(step.ticket as Place);
    this.admission.workEnded();
  }

  /** An attempt that is over has no ticket any more: it can be charged for more, but gets nothing back. */
  charge(options: ExecuteOptions, costs: Readonly<Record<string, number>>, nowMs: number, ticket: unknown): void {
    const { cost: counted } = this.rules;
    const real = counted === undefined ? undefined : costs[counted];
    if (real === undefined) return;
    if (!(Number.isFinite(real) && real >= 0)) throw optionError(this.name, `charge.${counted}`, real, 'a finite number of at least 0');
    if (ticket instanceof Tokens) this.line.correct(ticket, real, nowMs);
    else this.line.debit(Math.max(0, real - this.#estimate(options)), nowMs);
    this.queue.pace();
  }

  /** What a reservation was for and is not needed. */
  giveBack(tokens: Tokens, nowMs: number): void {
    this.line.giveBack(tokens, nowMs);
    this.queue.pace();
  }

  /** Whether nobody waits: of what it has let through a limiter knows nothing more. */
  get isEmpty(): boolean {
    return this.line.size === 0;
  }

  refuseAll(error: () => unknown): void {
    this.queue.refuseAll(error);
  }

  isIdle(nowMs: number): boolean {
    return this.line.isClear(nowMs) && this.admission.isOpen;
  }

  describe(): PolicyDescription {
    const { name, algorithm, limit, periodMs, burst, maxQueue, cost = 'none' } = this.rules;
    const shape = algorithm === 'gcra' ? { algorithm, limit, periodMs, burst } : { algorithm, limit, periodMs };
    return { name, kind: this.kind, options: { ...shape, maxQueue, cost }, place: 6 };
  }

  /** Throws ERR_OPTION for a cost that no wait would make possible. */
  checkCost(cost: number): void {
    const { capacity } = this.line;
    if (Number.isFinite(cost) && cost >= 0 && cost <= capacity) return;
    const bound = this.rules.algorithm === 'gcra' ? 'burst' : 'limit';
    throw optionError(this.name, 'cost', cost, `a number from 0 to ${capacity} (raise ${bound} for more)`);
  }

  /** Whether nobody else may wait. */
  isFull(nowMs: number): boolean {
    return this.line.waiting(nowMs) >= this.rules.maxQueue;
  }

  #started(step: Step, tokens: Tokens): Verdict {
    step.ticket = this.rules.cost === undefined ? undefined : tokens; // it may be charged
    return PROCEED;
  }

  #queued(step: Step, atMs: number, waitMs: number): Verdict {
    const { operation } = step;
    return step.queueIn(this.queue, atMs, () =>
      this.#refusal(operation, waitMs, 'that is beyond the deadline; raise limit or the deadline'),
    );
  }

  #estimate({ cost = 1 }: ExecuteOptions): number {
    if (typeof cost !== 'object') return cost;
    const { cost: counted } = this.rules;
    return counted === undefined ? 1 : (cost[counted] ?? 1);
  }

  #queueFull(): string {
    return `its queue is full (${this.rules.maxQueue} waiting); raise limit or maxQueue`;
  }

  #refusal(operation: string, waitMs: number, why: string): RateLimitedError {
    const { name, limit, periodMs } = this.rules;
    const rate = `${limit} per ${formatMs(periodMs)}`;
    const message = `${operation} was refused: ${name} (${rate}) would let it through in ${formatMs(waitMs)}, but ${why}, or slow the callers`;
    return withoutStack(() => new RateLimitedError(message, { policy: name, operation, retryAfterMs: waitMs }));
  }
}
