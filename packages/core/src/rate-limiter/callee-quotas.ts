import type { CalleeQuota } from '../outcome/classify.ts';

/** What one quota is known to leave. */
interface Known {
  /** May be started until the reset; below 0 where more is on its way than was left. */
  left: number;
  resetAtMs: number;
  /** Number of the news that it comes from. */
  news: number;
  /** What the callee's policy comes to, in tokens a millisecond; Infinity without one. */
  rate: number;
}

/** A call that was started, and what was known then: by it an answer is placed among those that came before. */
export class Start {
  readonly cost: number;
  readonly atMs: number;
  /** Tokens of all calls that had ended. */
  readonly endedBefore: number;
  /** Number of the last news. */
  readonly news: number;
  hasEnded = false;

  constructor(cost: number, atMs: number, endedBefore: number, news: number) {
    this.cost = cost;
    this.atMs = atMs;
    this.endedBefore = endedBefore;
    this.news = news;
  }
}

/** A reset is said in whole seconds, and the answer was under way for a while. */
const SLACK_MS = 2000;
/** A callee that names more quotas than this is heard for the first ones. */
const MAX_QUOTAS = 8;

/**
 * What a callee's quotas leave: of what remained when it answered, what was not on its way to it already. A pure function of the times it is told.
 *
 * Answers overtake each other, and others may share the quota, so a lower number always counts. A higher one counts only from an answer that is
 * provably later than what is known: its call began when that was known, or it speaks of a later reset even if it was as old as its call. Then so much
 * of it counts as cannot have been used up since.
 */
export class CalleeQuotas {
  readonly #quotas: Map<string, Known> = new Map();
  #started = 0;
  #ended = 0;
  #news = 0;

  /** When `cost` tokens may be started, by all quotas. */
  opensMs(cost: number, nowMs: number): number {
    let atMs = nowMs;
    for (const { left, resetAtMs } of this.#quotas.values()) if (cost > Math.max(0, left)) atMs = Math.max(atMs, resetAtMs);
    return atMs;
  }

  /** The least that a quota leaves; Infinity where none is known. */
  left(nowMs: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { left, resetAtMs } of this.#quotas.values()) if (resetAtMs > nowMs) least = Math.min(least, Math.max(0, left));
    return least;
  }

  /** The lowest rate of the callee's policies, in tokens a millisecond. */
  get rate(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const { rate } of this.#quotas.values()) lowest = Math.min(lowest, rate);
    return lowest;
  }

  started(cost: number, nowMs: number): Start {
    this.#started += cost;
    for (const known of this.#quotas.values()) known.left -= cost;
    return new Start(cost, nowMs, this.#ended, this.#news);
  }

  /** It was answered, or its work has ended without. Idempotent. */
  ended(start: Start): void {
    if (start.hasEnded) return;
    start.hasEnded = true;
    this.#ended += start.cost;
  }

  /** What the answer to a call that has ended says. */
  heard(quota: CalleeQuota, start: Start, nowMs: number): void {
    const { name = '', remaining, resetMs, limit, periodMs } = quota;
    const resetAtMs = nowMs + resetMs;
    const rate = limit === undefined || periodMs === undefined ? Number.POSITIVE_INFINITY : limit / periodMs;
    const free = remaining - (this.#started - this.#ended);
    const known = this.#quotas.get(name);
    if (known === undefined) {
      if (this.#hasRoom(nowMs)) this.#quotas.set(name, { left: free, resetAtMs, news: ++this.#news, rate });
      return;
    }
    const isOver = known.resetAtMs <= nowMs;
    const isLater = isOver || known.news <= start.news || start.atMs + resetMs > known.resetAtMs + SLACK_MS;
    if (!isLater && resetAtMs < known.resetAtMs - SLACK_MS) return; // of a time before the last reset
    if (rate < known.rate || (isLater && rate !== Number.POSITIVE_INFINITY)) known.rate = rate;
    const atLeast = remaining - (this.#started - start.endedBefore - start.cost);
    const left = isOver ? free : Math.max(isLater ? atLeast : Number.NEGATIVE_INFINITY, Math.min(known.left, free));
    known.resetAtMs = isLater ? resetAtMs : Math.max(known.resetAtMs, resetAtMs);
    if (left === known.left) return;
    known.left = left;
    known.news = ++this.#news;
  }

  /** Whether one more quota can be known, in place of those that have been reset if need be. */
  #hasRoom(nowMs: number): boolean {
    if (this.#quotas.size < MAX_QUOTAS) return true;
    for (const [name, { resetAtMs }] of this.#quotas) if (resetAtMs <= nowMs) this.#quotas.delete(name);
    return this.#quotas.size < MAX_QUOTAS;
  }
}
