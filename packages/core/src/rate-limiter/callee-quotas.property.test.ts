import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CalleeQuotas, type Start } from './callee-quotas.ts';

const SEED = 20_261_128;

interface Sent {
  readonly start: Start;
  readonly startedMs: number;
  readonly processedMs: number;
  readonly answeredMs: number;
}

/** A callee that counts by fixed windows, as far away as it pleases at the moment. */
class Callee {
  readonly #quotas = new CalleeQuotas();
  readonly #quota: number;
  readonly #periodMs: number;
  readonly #sent: Sent[] = [];
  readonly processed: Sent[] = [];
  /** When the first answer that tells of a window was heard. */
  readonly #heardMs: Map<number, number> = new Map();

  constructor(quota: number, periodMs: number) {
    this.#quota = quota;
    this.#periodMs = periodMs;
  }

  windowOf(sent: Sent): number {
    return Math.floor(sent.processedMs / this.#periodMs);
  }

  /** Starts a call if that may be. */
  tryStart(nowMs: number, upMs: number, downMs: number): void {
    this.#answerUpTo(nowMs);
    if (this.#quotas.opensMs(1, nowMs) > nowMs) return;
    const processedMs = nowMs + upMs;
    this.#sent.push({ start: this.#quotas.started(1, nowMs), startedMs: nowMs, processedMs, answeredMs: processedMs + downMs });
  }

  end(): void {
    this.#answerUpTo(Number.POSITIVE_INFINITY);
  }

  /** How many calls it processed in a window, and how many of those were started before anything of that window was heard. */
  counts(): readonly { readonly processed: number; readonly blind: number }[] {
    return [...Map.groupBy(this.processed, (sent) => this.windowOf(sent))].map(([window, all]) => ({
      processed: all.length,
      blind: all.filter(({ startedMs }) => startedMs < (this.#heardMs.get(window) ?? Number.POSITIVE_INFINITY)).length,
    }));
  }

  /** In the order of the answers; what remains is what did when the call was processed. */
  #answerUpTo(nowMs: number): void {
    const due = this.#sent.filter(({ answeredMs }) => answeredMs <= nowMs).toSorted((a, b) => a.answeredMs - b.answeredMs);
    for (const sent of due) {
      this.#sent.splice(this.#sent.indexOf(sent), 1);
      this.processed.push(sent);
      this.#hear(sent);
    }
  }

  #hear(sent: Sent): void {
    const window = this.windowOf(sent);
    const before = [...this.processed, ...this.#sent].filter(
      (other) => this.windowOf(other) === window && other.processedMs <= sent.processedMs,
    );
    const remaining = Math.max(0, this.#quota - before.length);
    const resetMs = (window + 1) * this.#periodMs - sent.processedMs;
    this.#quotas.ended(sent.start);
    this.#quotas.heard({ remaining, resetMs }, sent.start, sent.answeredMs);
    if (!this.#heardMs.has(window)) this.#heardMs.set(window, sent.answeredMs);
  }
}

const calls = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.nat(60), fc.nat(2000)),
    upMs: fc.integer({ min: 1, max: 400 }),
    downMs: fc.integer({ min: 1, max: 400 }),
  }),
  { minLength: 1, maxLength: 120, size: 'max' },
);

test('however answers overtake each other, once a window is heard of, no more is started than it leaves', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 3000, max: 9000 }), calls, (quota, periodMs, script) => {
      const callee = new Callee(quota, periodMs);
      let nowMs = 0;
      for (const { afterMs, upMs, downMs } of script) {
        nowMs += afterMs;
        callee.tryStart(nowMs, upMs, downMs);
      }
      callee.end();
      for (const { processed, blind } of callee.counts()) expect(processed).toBeLessThanOrEqual(Math.max(quota, blind));
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test('whoever calls one after the other uses all of every window', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 50 }), (quota, tookMs) => {
      const callee = new Callee(quota, 5000);
      for (let nowMs = 0; nowMs < 15_000; nowMs += 100) callee.tryStart(nowMs, tookMs, tookMs);
      callee.end();
      expect(callee.counts().map(({ processed }) => processed)).toEqual([quota, quota, quota]);
    }),
    { seed: SEED, numRuns: 50 },
  );
});
