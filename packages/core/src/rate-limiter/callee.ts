import { type CalleeQuota, isQuota, type Outcome } from '../outcome/classify.ts';
import type { TokenLimit } from '../policy/token-meter.ts';
import { CalleeQuotas, type Start } from './callee-quotas.ts';
import { SendingRate } from './sending-rate.ts';
import type { Gate } from './token-line.ts';

const NONE: readonly CalleeQuota[] = [];

/** Why the limit in force is another than before. */
export type LimitReason = 'throttled' | 'recovering' | 'policy';

/** What a callee bears, by all that it has answered. A pure function of the times it is told. */
export class Callee implements Gate {
  readonly #cost: string | undefined;
  readonly #quotas: CalleeQuotas = new CalleeQuotas();
  readonly #rate: SendingRate;
  #configured: TokenLimit;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;

  /** Heeds quotas of what is called `cost`, or of calls. */
  constructor(limit: TokenLimit, cost: string | undefined) {
    this.#configured = limit;
    this.#cost = cost;
    this.#rate = new SendingRate(limit.limit, limit.periodMs);
  }

  opensMs(cost: number, nowMs: number): number {
    return Math.max(this.#pausedUntilMs, this.#quotas.opensMs(cost, nowMs));
  }

  pausedMs(nowMs: number): number {
    return Math.max(0, this.#pausedUntilMs - nowMs);
  }

  /** The least that its quotas leave; null where none is known. */
  remaining(nowMs: number): number | null {
    const left = this.#quotas.left(nowMs);
    return left === Number.POSITIVE_INFINITY ? null : left;
  }

  /** In tokens a period of the configured limit, and never more. */
  get limitInForce(): number {
    const { limit, periodMs } = this.#configured;
    return Math.min(limit * this.#rate.share, this.#quotas.rate * periodMs);
  }

  /** The configured limit at the rate that is in force: as many at once, in a longer period. */
  get pace(): TokenLimit {
    const { limit, periodMs, burst } = this.#configured;
    return { limit, periodMs: (periodMs * limit) / this.limitInForce, burst };
  }

  started(cost: number, nowMs: number): Start {
    this.#rate.started(cost, nowMs);
    return this.#quotas.started(cost, nowMs);
  }

  ended(start: Start): void {
    this.#quotas.ended(start);
  }

  /** Nothing is started before; an earlier end of another pause changes nothing. */
  pause(untilMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, untilMs);
  }

  /** What a call came to that the callee has answered, or has failed to. Says what it means for the rate. */
  heard(outcome: Outcome, start: Start, nowMs: number): LimitReason {
    const { kind, retryAfterMs = 0 } = outcome;
    const quotas = outcome.quotas?.filter((quota) => isQuota(quota) && quota.cost === this.#cost) ?? NONE;
    if (kind !== 'transient' || quotas.length > 0) this.ended(start);
    for (const quota of quotas) this.#quotas.heard(quota, start, nowMs);
    const isRefusal = kind === 'throttled' || kind === 'overloaded';
    if (isRefusal && retryAfterMs > 0 && Number.isFinite(retryAfterMs)) this.pause(nowMs + retryAfterMs);
    else if (kind === 'throttled' && !quotas.some(({ remaining }) => remaining < 1)) {
      this.#rate.throttled(start.atMs, nowMs);
      return 'throttled';
    }
    if (kind !== 'ok' && kind !== 'permanent') return 'policy';
    const { share } = this.#rate;
    this.#rate.answered(nowMs);
    return this.#rate.share === share ? 'policy' : 'recovering';
  }

  change(limit: TokenLimit): void {
    this.#configured = limit;
    this.#rate.change(limit.limit, limit.periodMs);
  }

  lowerTo(limitInForce: number, nowMs: number): void {
    this.#rate.lowerTo(limitInForce / this.#configured.limit, nowMs);
  }

  isClear(nowMs: number): boolean {
    return this.#pausedUntilMs <= nowMs && this.remaining(nowMs) === null && this.#rate.isRecovered(nowMs);
  }
}
