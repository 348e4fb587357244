import { seededRandom } from '../../src/random/seeded-random.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { Clock, ScheduledTimer } from '../../src/time/clock.ts';

/** A virtual clock as real ones are: each timer fires late, by chance, and time passes while something keeps the event loop busy. */
export class LateClock implements Clock {
  readonly #virtual = new VirtualClock();
  readonly #random;
  readonly #maxLateMs: number;
  #busyMs = 0;

  constructor(seed: number, maxLateMs: number) {
    this.#random = seededRandom(seed);
    this.#maxLateMs = maxLateMs;
  }

  nowMs(): number {
    return this.#virtual.nowMs() + this.#busyMs;
  }

  epochMs(): number {
    return this.#virtual.epochMs() + this.#busyMs;
  }

  schedule(delayMs: number, callback: () => void): ScheduledTimer {
    return this.#virtual.schedule(delayMs + this.#random.next() * this.#maxLateMs, callback);
  }

  /** Nothing else runs for `ms`. */
  keepBusy(ms: number): void {
    this.#busyMs += ms;
  }

  advance(ms: number): Promise<void> {
    return this.#virtual.advance(ms);
  }
}
