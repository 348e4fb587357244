import { expect } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { Clock, ScheduledTimer } from './clock.ts';
import { LimitNode, type LimitTarget, limitList } from './limit-list.ts';

/** Writes down when each of its limits is reached. */
export class Recorder implements LimitTarget {
  readonly reached: string[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  limitReached(node: LimitNode): void {
    expect(node.list).toBeNull();
    this.reached.push(`${node.level} at ${this.#clock.nowMs()}`);
  }

  node(level: number): LimitNode {
    return new LimitNode(this, level, null);
  }

  /** Adds so many limits in one go that calls count as dense. */
  makeDense(durationMs: number): LimitNode[] {
    const nodes = Array.from({ length: 20 }, (_, level) => this.node(level));
    for (const node of nodes) limitList(this.#clock, durationMs).add(node);
    return nodes;
  }
}

/** A virtual clock that counts what is asked of it, and can make the next wake come too early. */
export class CountingClock extends VirtualClock {
  reads = 0;
  scheduled: number[] = [];
  cancelled = 0;
  unreferenced = 0;
  earlyMs = 0;

  override nowMs(): number {
    this.reads++;
    return super.nowMs();
  }

  override schedule(delayMs: number, callback: () => void): ScheduledTimer {
    this.scheduled.push(delayMs);
    const timer = super.schedule(Math.max(0, delayMs - this.earlyMs), callback);
    this.earlyMs = 0;
    return {
      cancel: () => {
        this.cancelled++;
        timer.cancel();
      },
      ref: () => timer.ref(),
      unref: () => {
        this.unreferenced++;
        timer.unref();
      },
    };
  }
}

/** Takes a limit away, wherever it is. */
export const remove = (node: LimitNode | undefined): void => node?.list?.remove(node);
