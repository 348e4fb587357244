import { optionError } from '../errors/option-error.ts';
import { withoutStack } from '../errors/without-stack.ts';
import { Admission, type Admitting } from '../policy/admission.ts';
import { Gcra } from '../policy/gcra.ts';
import { type Layer, PROCEED, type Step, type Verdict } from '../policy/layer.ts';
import type { ExecuteOptions, PolicyDescription } from '../policy/policy.ts';
import { SlidingWindow } from '../policy/sliding-window.ts';
import type { TokenLimit } from '../policy/token-meter.ts';
import { PacedQueue } from '../sync/paced-queue.ts';
import { formatMs } from '../time/duration.ts';
import { RateLimitedError } from './rate-limited-error.ts';
import type { RateLimiterRules } from './rate-limiter-options.ts';
import { type Gate, type Place, TokenLine, Tokens, type Waiting } from './token-line.ts';

/** Decides for `rateLimit`: when a call has its tokens. */
export class RateLimiterLayer implements Layer, Admitting {
  readonly kind = 'rate-limiter';
  readonly name: string;
  readonly waitsFor = 'a token';
  readonly line: TokenLine;
  readonly queue: PacedQueue;
  readonly admission: Admission = new Admission(this);
  #rules: RateLimiterRules;
  #refused = 0;
  #dropped = 0;

  constructor(rules: RateLimiterRules, gate: Gate | null = null) {
    const { name, algorithm, limit, periodMs, burst } = rules;
    this.name = name;
    this.#rules = rules;
    this.line = new TokenLine(algorithm === 'gcra' ? new Gcra(limit, periodMs, burst) : new SlidingWindow(limit, periodMs), gate);
    this.queue = new PacedQueue((nowMs) => this.line.dueMs(nowMs));
  }

  get rules(): RateLimiterRules {
    return this.#rules;
  }

  /** Newcomers that were turned away. */
  get refused(): number {
    return this.#refused;
  }

  /** Of those who waited, how many lost their place. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Tokens a period, as they are let through now. */
  get limitInForce(): number {
    return this.#rules.limit;
  }

  /** Nobody starts for so long. */
  pausedMs(_nowMs: number): number {
    return 0;
  }

  /** What the callee's quota leaves; null where nothing is known of it. */
  remaining(_nowMs: number): number | null {
    return null;
  }

  enter(step: Step): Verdict {
    if (!this.admission.isOpen) return step.reject(this.admission.refusal(step.operation));
    const cost = this.#estimate(step.options);
    this.checkCost(cost);
    const nowMs = step.nowMs();
    if (!this.line.isFree(cost, nowMs)) return this.#wait(step, cost, nowMs);
    this.letThrough(step, cost, nowMs);
    return PROCEED;
  }

  due(step: Step): Verdict {
    const nowMs = step.nowMs();
    const dueMs = this.line.dueMs(nowMs);
    if (dueMs > nowMs) return this.#queued(step, dueMs, dueMs - nowMs);
    const place = step.ticket as Place;
    this.line.leave(place);
    this.letThrough(step, place.item.cost, nowMs);
    this.admission.workEnded();
    return PROCEED;
  }

  abandon(step: Step, waiting: boolean): void {
    if (!waiting) return;
    this.line.leave(step.ticket as Place);
    this.admission.workEnded();
  }

  /** An attempt that is over has no ticket any more: it can be charged for more, but gets nothing back. */
  charge(options: ExecuteOptions, costs: Readonly<Record<string, number>>, nowMs: number, ticket: unknown): void {
    const { cost: counted } = this.#rules;
    if (counted === undefined || !Object.hasOwn(costs, counted)) return;
    const real = costs[counted] as number;
    if (!(Number.isFinite(real) && real >= 0)) throw optionError(this.name, `charge.${counted}`, real, 'a finite number of at least 0');
    const tokens = this.tokensOf(ticket);
    if (tokens === undefined) this.line.debit(Math.max(0, real - this.#estimate(options)), nowMs);
    else this.line.correct(tokens, real, nowMs);
    this.queue.pace();
  }

  /** Takes tokens for a moment that the line has named. */
  reserve(cost: number, atMs: number, _nowMs: number): Tokens {
    return this.line.take(cost, atMs);
  }

  /** What a reservation was for and is not needed. */
  giveBack(tokens: Tokens, nowMs: number): void {
    this.line.giveBack(tokens, nowMs);
    this.queue.pace();
  }

  /**
   * Those who wait stay in order and start by the new rules. Dropped are those who could never start any more, and, where that is the rule, those for
   * whom there is no room any more.
   */
  changeRules(rules: RateLimiterRules, nowMs: number): void {
    this.#rules = rules;
    this.line.change(this.pace, nowMs);
    const { capacity } = this.line;
    this.#dropSome(({ item: { cost } }) => (cost > capacity ? this.#impossible(cost) : undefined));
    let tooMany = rules.overflow === 'dropOldest' ? this.line.size - rules.maxQueue : 0;
    const why = `maxQueue was lowered to ${rules.maxQueue}`;
    if (tooMany > 0) this.#dropSome(({ item }) => (tooMany-- > 0 ? this.#droppedError(item, why, nowMs) : undefined));
    this.queue.pace();
  }

  /** Counts what a limiter of before has let through, besides its own; a limiter that is not adaptive does not care for the rest. */
  resume(_pausedMs: number, _limitInForce: number, _nowMs: number): void {}

  /** Whether nobody waits: of what it has let through a limiter knows nothing more. */
  get isEmpty(): boolean {
    return this.line.size === 0;
  }

  refuseAll(error: () => unknown): void {
    for (const place of this.line.places()) this.line.leave(place);
    this.queue.refuseAll(error);
  }

  isIdle(nowMs: number): boolean {
    return this.line.isClear(nowMs) && this.admission.isOpen;
  }

  describe(): PolicyDescription {
    const { name, algorithm, limit, periodMs, burst, cost = 'none', ...rest } = this.#rules;
    const shape = algorithm === 'gcra' ? { algorithm, limit, periodMs, burst } : { algorithm, limit, periodMs };
    return { name, kind: this.kind, options: { ...shape, ...rest, cost }, place: 6 };
  }

  /** Throws ERR_OPTION for a cost that no wait would make possible. */
  checkCost(cost: number): void {
    if (!(Number.isFinite(cost) && cost >= 0 && cost <= this.line.capacity)) throw this.#impossible(cost);
  }

  /** Whether nobody else may wait. */
  isFull(nowMs: number): boolean {
    return this.line.waiting(nowMs) >= this.#rules.maxQueue;
  }

  // ---- what an adaptive one does in its own way

  /** What the line goes by. */
  protected get pace(): TokenLimit {
    return this.#rules;
  }

  /** A call starts, and takes its tokens. */
  protected letThrough(step: Step, cost: number, nowMs: number): void {
    const tokens = this.take(cost, nowMs);
    if (tokens !== undefined) step.ticket = tokens;
  }

  /** Remembered only where a call may be charged for what it really cost. */
  protected take(cost: number, nowMs: number): Tokens | undefined {
    if (this.#rules.cost !== undefined) return this.line.take(cost, nowMs);
    this.line.use(cost, nowMs);
    return undefined;
  }

  /** What was taken by whoever has this ticket. */
  protected tokensOf(ticket: unknown): Tokens | undefined {
    return ticket instanceof Tokens ? ticket : undefined;
  }

  /** For messages: the rate. */
  protected get rateText(): string {
    return `${this.#rules.limit} per ${formatMs(this.#rules.periodMs)}`;
  }

  /** For messages: what else a call waits for. */
  protected heldBack(_nowMs: number): string {
    return '';
  }

  /** Nobody can start before `untilMs`: whoever has to is refused now (law T4). */
  protected refuseWhoCannotWait(untilMs: number, nowMs: number): void {
    this.#dropSome(({ item: { latestMs, operation } }) =>
      latestMs <= untilMs ? this.#refusal(operation, untilMs - nowMs, BEYOND_DEADLINE, nowMs) : undefined,
    );
  }

  // ---- waiting

  #wait(step: Step, cost: number, nowMs: number): Verdict {
    const refusal = this.#makeRoom(step, cost, nowMs);
    if (refusal !== undefined) {
      this.#refused++;
      return step.reject(refusal);
    }
    const atMs = this.line.earliestMs(cost, nowMs);
    const waiting = { cost, operation: step.operation, sinceMs: nowMs, latestMs: nowMs + step.timeLeftMs() };
    step.ticket = this.line.join(waiting, nowMs);
    return this.#queued(step, atMs, atMs - nowMs);
  }

  /** Undefined where one more may wait, in place of another if need be; nobody is dropped for one who could not wait so long anyway (law T4). */
  #makeRoom(step: Step, cost: number, nowMs: number): RateLimitedError | undefined {
    if (!this.isFull(nowMs)) return undefined;
    const { operation } = step;
    const oldest = this.line.first;
    if (this.#rules.overflow === 'reject' || oldest === undefined) {
      const waitMs = this.line.earliestMs(cost, nowMs) - nowMs;
      return this.#refusal(operation, waitMs, `its queue is full (${this.#rules.maxQueue} waiting); raise limit or maxQueue`, nowMs);
    }
    const waitMs = this.line.earliestInsteadMs(cost, nowMs) - nowMs;
    if (waitMs >= step.timeLeftMs()) return this.#refusal(operation, waitMs, BEYOND_DEADLINE, nowMs);
    const error = this.#droppedError(oldest.item, 'a newer call took its place', nowMs);
    this.line.leave(oldest);
    this.#dropped++;
    this.queue.refuseFirst(error);
    return undefined;
  }

  #queued(step: Step, atMs: number, waitMs: number): Verdict {
    const { operation } = step;
    return step.queueIn(this.queue, atMs, () => {
      this.#refused++;
      return this.#refusal(operation, waitMs, BEYOND_DEADLINE, atMs - waitMs);
    });
  }

  /** Asks for each who waits; whoever gets an error is out of the line at once, and learns it next. Both queues have the same order. */
  #dropSome(errorOf: (place: Place) => unknown): void {
    const places = this.line.places();
    this.queue.refuseSome((index) => {
      const place = places[index] as Place;
      const error = errorOf(place);
      if (error === undefined) return undefined;
      this.line.leave(place);
      this.#dropped++;
      return error;
    });
  }

  // ---- costs and errors

  #estimate({ cost = 1 }: ExecuteOptions): number {
    if (typeof cost !== 'object') return cost;
    const { cost: counted } = this.#rules;
    return counted === undefined || !Object.hasOwn(cost, counted) ? 1 : (cost[counted] ?? 1);
  }

  #impossible(cost: number): unknown {
    const bound = this.#rules.algorithm === 'gcra' ? 'burst' : 'limit';
    return optionError(this.name, 'cost', cost, `a number from 0 to ${this.line.capacity} (raise ${bound} for more)`);
  }

  #refusal(operation: string, waitMs: number, why: string, nowMs: number): RateLimitedError {
    const when = `${this.name} (${this.rateText}) would let it through in ${formatMs(waitMs)}${this.heldBack(nowMs)}`;
    return this.#error(operation, `${operation} was refused: ${when}, but ${why}, or slow the callers`, waitMs);
  }

  #droppedError({ operation, cost, sinceMs }: Waiting, why: string, nowMs: number): RateLimitedError {
    const what = `${operation} was dropped after ${formatMs(nowMs - sinceMs)} in the queue of ${this.name} (${this.rateText})`;
    const waitMs = this.line.earliestMs(cost, nowMs) - nowMs;
    return this.#error(operation, `${what}: ${why}; raise limit or maxQueue, or slow the callers`, waitMs);
  }

  #error(operation: string, message: string, retryAfterMs: number): RateLimitedError {
    return withoutStack(() => new RateLimitedError(message, { policy: this.name, operation, retryAfterMs }));
  }
}

const BEYOND_DEADLINE = 'that is beyond the deadline; raise limit or the deadline';
