import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { ScheduledTimer } from '../../src/time/clock.ts';

/** Virtual time that tells the timers of the engine from those of the fuzz, and knows which of the engine's somebody is said to wait for. */
export class FuzzClock extends VirtualClock {
  /** Called when a timer of the engine fires that holds the process. */
  onHeldTimer: () => void = () => {};

  /** A timer of the fuzz itself. */
  own(ms: number, callback: () => void): Pick<ScheduledTimer, 'cancel'> {
    return super.schedule(ms, callback);
  }

  override schedule(delayMs: number, callback: () => void): ScheduledTimer {
    let isHeld = true;
    const timer = super.schedule(delayMs, () => {
      if (isHeld) this.onHeldTimer();
      callback();
    });
    return {
      cancel: () => timer.cancel(),
      ref: () => {
        isHeld = true;
        timer.ref();
      },
      unref: () => {
        isHeld = false;
        timer.unref();
      },
    };
  }
}
