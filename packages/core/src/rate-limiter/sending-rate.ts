// The adaptive mode of the AWS SDKs (`DefaultRateLimiter` in @smithy/core), which is CUBIC (RFC 9438) over rates: when the callee refuses,
// peak = rate and rate = 0.7 * peak; then rate = 0.4 * (t - k)^3 + peak, t seconds later, with k = cbrt(peak * 0.3 / 0.4), at most twice what was
// really sent, which is measured each half second and smoothed by 0.8. Ours differs in five points. It starts at the configured rate, ends there, and is
// then not in force any more; its floor is a share of that. It lowers the rate once for all calls that were sent before it was lowered, as TCP does. An
// answer never lowers it. Steps up are 5 % at least. And where a second holds fewer than 10 tokens, time counts in what it takes 10 to come due: else
// a slow rate would have recovered before its next call.

const KEPT = 0.7;
const CUBIC = 0.4;
const SMOOTHING = 0.8;
const SECOND_MS = 1000;
const TOKENS_A_UNIT = 10;
const FLOOR = 0.05;
const STEP = 0.05;

/** The share of the configured rate that a callee seems to bear. A pure function of the times it is told. */
export class SendingRate {
  /** Rates are in tokens a unit. */
  #unitMs = 0;
  #full = 0;
  #rate = 0;
  /** When it was last lowered, and from where. */
  #loweredAtMs = Number.NEGATIVE_INFINITY;
  #peak = 0;
  /** Sent in the half of a unit that is not over. */
  #sent = 0;
  #halfAtMs = Number.NEGATIVE_INFINITY;
  #measured = 0;

  constructor(limit: number, periodMs: number) {
    this.#configure(limit, periodMs);
    this.#rate = this.#full;
  }

  /** 1: the configured rate. */
  get share(): number {
    return this.#rate / this.#full;
  }

  started(cost: number, nowMs: number): void {
    this.#measure(nowMs);
    this.#sent += cost;
  }

  /** A call that was sent at `sentAtMs` was refused, without a word on when to come back. */
  throttled(sentAtMs: number, nowMs: number): void {
    if (sentAtMs <= this.#loweredAtMs) return;
    this.#measure(nowMs);
    this.#peak = Math.min(this.#rate, Math.max(this.#measured, 2 * this.#sent));
    this.#loweredAtMs = nowMs;
    this.#rate = Math.max(FLOOR * this.#full, KEPT * this.#peak);
  }

  answered(nowMs: number): void {
    if (this.#rate === this.#full) return;
    this.#measure(nowMs);
    const cubic = this.#cubic(nowMs);
    if (cubic >= this.#full) this.#rate = this.#full;
    else {
      const next = Math.min(cubic, 2 * Math.max(this.#measured, 2 * this.#sent));
      if (next >= this.#rate + STEP * this.#full) this.#rate = next;
    }
  }

  /** Whether the next answer would restore the configured rate. */
  isRecovered(nowMs: number): boolean {
    return this.#rate === this.#full || this.#cubic(nowMs) >= this.#full;
  }

  /** Another configured rate. A rate that is lowered stays what it is, as far as that is below the new one. */
  change(limit: number, periodMs: number): void {
    const unitMs = this.#unitMs;
    const isLowered = this.#rate < this.#full;
    this.#configure(limit, periodMs);
    const ratio = this.#unitMs / unitMs;
    this.#measured *= ratio;
    this.#peak = Math.min(this.#full, this.#peak * ratio);
    this.#rate = isLowered ? Math.min(this.#full, Math.max(FLOOR * this.#full, this.#rate * ratio)) : this.#full;
  }

  /** As if it had just been lowered to `share`, a number above 0. */
  lowerTo(share: number, nowMs: number): void {
    if (share >= this.share) return;
    this.#rate = this.#full * Math.max(FLOOR, share);
    this.#peak = Math.min(this.#full, this.#rate / KEPT);
    this.#loweredAtMs = nowMs;
  }

  #configure(limit: number, periodMs: number): void {
    const everyMs = periodMs / limit;
    this.#unitMs = Math.max(SECOND_MS, TOKENS_A_UNIT * everyMs);
    this.#full = this.#unitMs / everyMs;
  }

  #cubic(nowMs: number): number {
    const units = (nowMs - this.#loweredAtMs) / this.#unitMs;
    const flat = Math.cbrt((this.#peak * (1 - KEPT)) / CUBIC);
    return CUBIC * (units - flat) ** 3 + this.#peak;
  }

  /** The halves that are over make the measured rate. */
  #measure(nowMs: number): void {
    const halfMs = this.#unitMs / 2;
    const halves = Math.floor((nowMs - this.#halfAtMs) / halfMs);
    if (halves < 1) return;
    if (halves === Number.POSITIVE_INFINITY) this.#halfAtMs = nowMs;
    else {
      this.#measured = SMOOTHING * ((2 * this.#sent) / halves) + (1 - SMOOTHING) * this.#measured;
      this.#halfAtMs += halves * halfMs;
    }
    this.#sent = 0;
  }
}
