import { optionError } from '../errors/option-error.ts';
import { withoutStack } from '../errors/without-stack.ts';
import { Gcra } from '../policy/gcra.ts';
import { type Layer, PROCEED, type Step, type Verdict } from '../policy/layer.ts';
import type { ExecuteOptions, PolicyDescription } from '../policy/policy.ts';
import { SlidingWindow } from '../policy/sliding-window.ts';
import { formatMs } from '../time/duration.ts';
import { RateLimitedError } from './rate-limited-error.ts';
import { TokenLine, Tokens } from './token-line.ts';

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
export class RateLimiterLayer implements Layer {
  readonly kind = 'rate-limiter';
  readonly name: string;
  readonly waitsFor = 'a token';
  readonly rules: RateLimiterRules;
  readonly line: TokenLine;

  constructor(rules: RateLimiterRules) {
    const { name, algorithm, limit, periodMs, burst } = rules;
    this.name = name;
    this.rules = rules;
    this.line = new TokenLine(algorithm === 'gcra' ? new Gcra(limit, periodMs, burst) : new SlidingWindow(limit, periodMs));
  }

  enter(step: Step): Verdict {
    const cost = this.#estimate(step.options);
    this.checkCost(cost);
    if (cost === 0) return PROCEED;
    const nowMs = step.nowMs();
    const waitMs = this.line.earliestMs(cost, nowMs) - nowMs;
    if (waitMs > 0 && this.isFull(nowMs)) return step.reject(this.#refusal(step.operation, waitMs, this.#queueFull()));
    const tokens = this.line.take(cost, nowMs);
    if (waitMs <= 0) {
      if (this.rules.cost !== undefined) step.ticket = tokens; // it may be charged
      return PROCEED;
    }
    step.ticket = tokens;
    const { operation } = step;
    return step.waitUntil(tokens.atMs, () => this.#refusal(operation, waitMs, 'that is beyond the deadline; raise limit or the deadline'));
  }

  abandon(step: Step, waiting: boolean): void {
    if (waiting) this.line.giveBack(step.ticket as Tokens, step.nowMs());
  }

  /** An attempt that is over has no ticket any more: it can be charged for more, but gets nothing back. */
  charge(options: ExecuteOptions, costs: Readonly<Record<string, number>>, nowMs: number, ticket: unknown): void {
    const { cost: counted } = this.rules;
    const real = counted === undefined ? undefined : costs[counted];
    if (real === undefined) return;
    if (!(Number.isFinite(real) && real >= 0)) throw optionError(this.name, `charge.${counted}`, real, 'a finite number of at least 0');
    if (ticket instanceof Tokens) this.line.correct(ticket, real, nowMs);
    else this.line.debit(Math.max(0, real - this.#estimate(options)), nowMs);
  }

  isIdle(nowMs: number): boolean {
    return this.line.isClear(nowMs);
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
