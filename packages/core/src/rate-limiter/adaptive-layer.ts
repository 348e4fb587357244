import type { Outcome } from '../outcome/classify.ts';
import { DONE, type Step, type Verdict } from '../policy/layer.ts';
import type { TokenLimit } from '../policy/token-meter.ts';
import { formatMs } from '../time/duration.ts';
import { Callee } from './callee.ts';
import type { Start } from './callee-quotas.ts';
import { RateLimiterLayer } from './rate-limiter-layer.ts';
import type { RateLimiterRules } from './rate-limiter-options.ts';
import type { Tokens } from './token-line.ts';

/** What is remembered of a call that was started. */
class Flight {
  readonly start: Start;
  readonly tokens: Tokens | undefined;

  constructor(start: Start, tokens: Tokens | undefined) {
    this.start = start;
    this.tokens = tokens;
  }
}

/** Decides for a `rateLimit` that is `adaptive`: lets through what the callee bears, too. */
export class AdaptiveLayer extends RateLimiterLayer {
  readonly #callee: Callee;

  constructor(rules: RateLimiterRules) {
    const callee = new Callee(rules, rules.cost);
    super(rules, callee);
    this.#callee = callee;
  }

  succeed(step: Step, value: unknown): Verdict {
    this.#heed(step, step.classifyValue(value));
    return DONE;
  }

  fail(step: Step, error: unknown): Verdict {
    this.#heed(step, step.classifyError(error));
    return DONE;
  }

  /** What has ended without an answer is not on its way any more, either. */
  release(ticket: unknown): void {
    if (ticket instanceof Flight) this.#callee.ended(ticket.start);
  }

  override get limitInForce(): number {
    return this.#callee.limitInForce;
  }

  override pausedMs(nowMs: number): number {
    return this.#callee.pausedMs(nowMs);
  }

  override remaining(nowMs: number): number | null {
    return this.#callee.remaining(nowMs);
  }

  override isIdle(nowMs: number): boolean {
    return super.isIdle(nowMs) && this.#callee.isClear(nowMs);
  }

  override changeRules(rules: RateLimiterRules, nowMs: number): void {
    this.#callee.change(rules);
    super.changeRules(rules, nowMs);
  }

  /** Whoever has reserved something asks for it when its time has come, out of our sight: only what is used now counts as used. */
  override reserve(cost: number, atMs: number, nowMs: number): Tokens {
    if (atMs <= nowMs) this.#callee.ended(this.#callee.started(cost, nowMs));
    return super.reserve(cost, atMs, nowMs);
  }

  override resume(pausedMs: number, limitInForce: number, nowMs: number): void {
    this.#callee.lowerTo(limitInForce, nowMs);
    this.#callee.pause(nowMs + pausedMs);
    this.line.change(this.pace, nowMs);
    this.refuseWhoCannotWait(nowMs + pausedMs, nowMs);
  }

  protected override get pace(): TokenLimit {
    return this.#callee.pace;
  }

  protected override letThrough(step: Step, cost: number, nowMs: number): void {
    step.ticket = new Flight(this.#callee.started(cost, nowMs), this.take(cost, nowMs));
  }

  protected override tokensOf(ticket: unknown): Tokens | undefined {
    return ticket instanceof Flight ? ticket.tokens : undefined;
  }

  protected override get rateText(): string {
    const { limit, periodMs } = this.rules;
    const { limitInForce } = this;
    return limitInForce < limit ? `${round(limitInForce)} of ${limit} per ${formatMs(periodMs)}` : super.rateText;
  }

  protected override heldBack(nowMs: number): string {
    const pausedMs = this.pausedMs(nowMs);
    if (pausedMs > 0) return `, as its callee asks for a pause of ${formatMs(pausedMs)}`;
    const left = this.remaining(nowMs);
    return left === null ? '' : `, as its callee’s quota leaves ${round(left)}`;
  }

  /** Local refusals and cancellations are neutral. */
  #heed(step: Step, outcome: Outcome): void {
    const { ticket } = step;
    if (outcome.origin === 'local' || outcome.kind === 'cancelled' || !(ticket instanceof Flight)) return;
    const nowMs = step.nowMs();
    const { limitInForce } = this;
    const pausedMs = this.pausedMs(nowMs);
    const reason = this.#callee.heard(outcome, ticket.start, nowMs);
    const askedMs = this.pausedMs(nowMs);
    const isPaused = askedMs > pausedMs;
    const isChanged = this.limitInForce !== limitInForce;
    if (isChanged) this.line.change(this.pace, nowMs);
    else if (isPaused || outcome.quotas !== undefined) this.line.gateMoved();
    else return;
    if (isPaused) this.refuseWhoCannotWait(nowMs + askedMs, nowMs);
    this.queue.pace();
    if (!step.isObserved) return;
    if (isPaused) step.publish('paused', { pausedMs: askedMs });
    if (isChanged) step.publish('limit-changed', { limitInForce: this.limitInForce, reason });
  }
}

const round = (tokens: number): number => Number(tokens.toPrecision(3));
