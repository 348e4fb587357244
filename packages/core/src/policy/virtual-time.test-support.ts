import { beforeEach, onTestFinished } from 'vitest';
import { expectNoLeaks } from '../testing/expect-no-leaks.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from '../time/current-clock.ts';

/** Gives each test of a file a virtual clock of its own, and looks for leaks at its end. */
export function onVirtualTime(): { readonly clock: VirtualClock } {
  const now = { clock: new VirtualClock() };
  beforeEach(() => {
    const clock = useClock(new VirtualClock());
    const leaks = expectNoLeaks({ clock });
    now.clock = clock;
    onTestFinished(async () => {
      await leaks[Symbol.asyncDispose]();
      clock[Symbol.dispose]();
    });
  });
  return now;
}

/** How a promise ended, as data. */
export const ending = (promise: PromiseLike<unknown>): Promise<{ readonly value: unknown } | { readonly error: unknown }> =>
  Promise.resolve(promise).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
