import type { PacedWaiter } from '../sync/paced-queue.ts';
import type { Waiter } from '../sync/wait-queue.ts';
import { CallState } from './call-state.ts';
import type { Slot } from './plan.ts';
import type { Rare } from './rare.ts';

/** How a call waits, one thing at a time: for a moment, or in a queue; how it is woken, and how it leaves. What follows is the machine's affair. */
export abstract class CallWaits extends CallState implements Waiter, PacedWaiter {
  protected fits(waitMs: number): boolean {
    return waitMs !== Number.POSITIVE_INFINITY && (waitMs <= 0 || waitMs < this.timeLeftMs());
  }

  protected startParking(): Rare {
    const rare = this.uncommon;
    this.activity = 'parked';
    rare.sinceMs = this.clock.nowMs();
    rare.parked = 'waiting';
    return rare;
  }

  protected sleep(activity: 'waiting' | 'backing-off', ms: number, then: () => void): void {
    const rare = this.uncommon;
    this.activity = activity;
    rare.sinceMs = this.clock.nowMs();
    rare.untilMs = rare.sinceMs + ms;
    this.whenWoken(then);
    if (ms > 0) this.armWake(rare);
    else rare.wake();
  }

  private armWake(rare: Rare): void {
    rare.timer = this.clock.schedule(rare.untilMs - this.clock.nowMs(), () => {
      rare.timer = null;
      if (this.clock.nowMs() < rare.untilMs) this.armWake(rare);
      else rare.wake();
    });
  }

  /** `then` runs as a reaction that is registered here, in the context of whoever submitted the call, not in the waker's (law P3). */
  protected whenWoken(then: () => void): void {
    const { epoch } = this;
    void new Promise<void>((wake) => {
      this.uncommon.wake = wake;
    }).then(() => {
      if (epoch === this.epoch) then();
    });
  }

  protected countWait(slot: Slot): void {
    const rare = this.uncommon;
    rare.waitedMs += this.clock.nowMs() - rare.sinceMs;
    rare.waitedFor = slot.layer.waitsFor ?? 'its turn';
  }

  protected leaveQueue(rare: Rare): void {
    rare.node?.unlink();
    rare.node = null;
  }

  /** The layer knows that we have left its queue, and the next one may go. */
  protected paceOthers(rare: Rare): void {
    rare.paced?.pace();
    rare.paced = null;
  }

  /** It seems to be our turn; we keep our place in the queue. */
  called(): void {
    this.uncommon.wake();
  }

  /** From here on the permit is this call's, even if it is cancelled before it runs (rule 10 of the engine). */
  granted(): void {
    this.unparked('granted');
  }

  /** The queue was closed under the call, or its owner's mode dropped it. */
  refused(error: unknown): void {
    this.unparked({ refusal: error });
  }

  private unparked(how: 'granted' | { readonly refusal: unknown }): void {
    const rare = this.uncommon;
    rare.node = null;
    rare.parked = how;
    rare.wake();
  }

  /** A permit that was granted already counts: the frame is open, and its release hands the permit on. */
  protected stopWaiting(rare: Rare): Rare['parked'] {
    if (this.activity !== 'backing-off') this.countWait(this.slot(this.level));
    rare.timer?.cancel();
    rare.timer = null;
    this.leaveQueue(rare);
    return rare.parked;
  }
}
