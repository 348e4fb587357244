import type { RecoveryRules } from './circuit-state.ts';

/** What a model of a circuit goes by: counts in a row, and never forgets. */
export interface ModelRules extends RecoveryRules {
  readonly failureThreshold: number;
}

export interface ModelCall {
  readonly generation: number;
  readonly isProbe: boolean;
  readonly sinceMs: number;
  isSlow: boolean;
  progress: 'running' | 'ended' | 'released';
}

/** What every draw of the jitter gives. */
export const CHANCE = 0.5;

/** A circuit that lives through every millisecond, where the real one looks only when it is asked. */
export class CircuitModel {
  kind: 'closed' | 'ramping' | 'open' | 'half-open' | 'isolated' = 'closed';
  nowMs = 0;
  /** Isolations that are in force. */
  holds = 0;
  isShut = false;
  /** How long it was open, each time. */
  readonly openings: number[] = [];
  readonly calls: ModelCall[] = [];
  readonly #rules: ModelRules;
  #generation = 0;
  #sinceMs = 0;
  #openMs = 0;
  #openedInRow = 0;
  #inRow = 0;
  #successes = 0;

  constructor(rules: ModelRules) {
    this.#rules = rules;
  }

  /** The probes that have a place. */
  get probes(): readonly ModelCall[] {
    return this.calls.filter((call) => call.isProbe && call.progress !== 'released' && this.#leaseEndsMs(call) > this.nowMs);
  }

  get inFlight(): number {
    return this.calls.filter(({ progress }) => progress !== 'released').length;
  }

  get inRamp(): number {
    return this.calls.filter(({ generation, progress }) => generation === this.#generation && progress !== 'released').length;
  }

  get rampLimit(): number {
    return 1 + Math.max(this.#successes, Math.floor(((this.nowMs - this.#sinceMs) / this.#stableMs) * this.#rules.rampUp));
  }

  /** For how long a call that is refused now has to wait; undefined where nobody knows. */
  get retryAfterMs(): number | undefined {
    const { recoveryTimeoutMs, rampUp } = this.#rules;
    if (this.kind === 'isolated') return undefined;
    if (this.kind === 'open') return this.#sinceMs + this.#openMs - this.nowMs;
    if (this.kind === 'ramping') return this.#stableMs / rampUp;
    return Math.min(recoveryTimeoutMs, ...this.probes.map((call) => this.#leaseEndsMs(call) - this.nowMs));
  }

  tick(): void {
    this.nowMs++;
    const { kind } = this;
    if (kind === 'open' && this.nowMs >= this.#sinceMs + this.#openMs) this.#change('half-open');
    else if (kind === 'half-open' && this.calls.some((call) => this.#counts(call) && this.#isLost(call))) this.#open(0);
    else if (kind === 'ramping' && this.rampLimit > this.#rules.rampUp) this.kind = 'closed';
    for (const call of this.calls) {
      if (!this.#counts(call) || call.isProbe || call.isSlow || this.nowMs < call.sinceMs + this.#rules.slowCallMs) continue;
      call.isSlow = true;
      this.#another(0);
    }
  }

  /** Whether a call may begin now; it has begun, then. */
  begins(): boolean {
    if (this.isShut || this.kind === 'open' || this.kind === 'isolated') return false;
    const isProbe = this.kind === 'half-open';
    if (isProbe && this.probes.length >= this.#rules.maxProbes) return false;
    if (this.kind === 'ramping' && this.inRamp >= this.rampLimit) return false;
    this.calls.push({ generation: this.#generation, isProbe, sinceMs: this.nowMs, isSlow: false, progress: 'running' });
    return true;
  }

  ends(call: ModelCall, how: 'success' | 'failure' | 'neutral', askedMs = 0): void {
    const counts = this.#counts(call);
    call.progress = 'ended';
    if (!counts || how === 'neutral' || call.isSlow) return;
    if (how === 'failure') {
      if (call.isProbe) this.#open(askedMs);
      else this.#another(askedMs);
    } else if (call.isProbe) {
      if (++this.#successes === this.#rules.successThreshold) this.#close();
    } else {
      this.#inRow = 0;
      if (this.kind === 'ramping' && ++this.#successes === this.#rules.rampUp) this.kind = 'closed';
    }
  }

  isolate(): void {
    if (this.holds++ === 0) this.#change('isolated');
  }

  letGo(): void {
    if (--this.holds > 0) return;
    this.#openedInRow = 0;
    this.#openMs = 0;
    this.#close();
  }

  get #stableMs(): number {
    return this.#openMs === 0 ? this.#rules.recoveryTimeoutMs : this.#openMs;
  }

  #counts(call: ModelCall): boolean {
    return call.progress === 'running' && call.generation === this.#generation;
  }

  #isLost(call: ModelCall): boolean {
    return this.nowMs >= Math.min(this.#leaseEndsMs(call), call.sinceMs + this.#rules.slowCallMs);
  }

  #leaseEndsMs(call: ModelCall): number {
    return call.sinceMs + this.#rules.probeLeaseMs;
  }

  #another(askedMs: number): void {
    if (++this.#inRow >= this.#rules.failureThreshold) this.#open(askedMs);
  }

  #open(askedMs: number): void {
    const { recoveryTimeoutMs, recoveryFactor, maxRecoveryTimeoutMs, recoveryJitter } = this.#rules;
    const isStable = (this.kind === 'closed' || this.kind === 'ramping') && this.nowMs - this.#sinceMs >= this.#stableMs;
    this.#openedInRow = isStable ? 1 : this.#openedInRow + 1;
    let ownMs = recoveryTimeoutMs;
    for (let i = 1; i < this.#openedInRow; i++) ownMs = Math.min(maxRecoveryTimeoutMs, ownMs * recoveryFactor);
    this.#openMs = Math.max(ownMs - ownMs * recoveryJitter * CHANCE, Math.min(askedMs, maxRecoveryTimeoutMs));
    this.openings.push(this.#openMs);
    this.#change('open');
  }

  #close(): void {
    this.#change(this.#rules.rampUp > 0 ? 'ramping' : 'closed');
  }

  #change(kind: CircuitModel['kind']): void {
    this.kind = kind;
    this.#generation++;
    this.#sinceMs = this.nowMs;
    this.#inRow = 0;
    this.#successes = 0;
  }
}
