import { foreignListeners } from '../cancel/foreign-signal.ts';
import { type Check, checkOptions } from '../errors/check-options.ts';
import { watchLive } from '../observe/live.ts';
import { abandonedWork } from '../policy/ongoing-work.ts';
import { nextMacrotask } from './next-macrotask.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Where {@link expectNoLeaks} looks besides what is counted for the whole process. */
export interface ExpectNoLeaksOptions {
  /** The clock of the test: no timer that somebody waits for may be left on it. */
  readonly clock?: VirtualClock | undefined;
}

/** A look at the end of a test; made by {@link expectNoLeaks}. */
export interface LeakCheck extends AsyncDisposable {
  /** Looks now: rejects with an `Error` that names everything that is left. May be called more than once before it is disposed. */
  verify(): Promise<void>;
}

/** What a number above 0 in somebody's statistics says about them at the end of a test: these fields mean the same everywhere. */
const COUNTERS: readonly (readonly [field: string, meaning: string])[] = [
  ['inFlight', 'not given back or still running'],
  ['waiting', 'still waiting'],
];

const virtualClock: Check = { expected: 'a VirtualClock', accepts: (value) => value instanceof VirtualClock };

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

function leftIn(name: string, statistics: object): string[] {
  const fields = new Map<string, unknown>(Object.entries(statistics));
  return COUNTERS.flatMap(([field, meaning]) => {
    const n = fields.get(field);
    return typeof n === 'number' && n > 0 ? [`${name}: ${n} ${meaning} (statistics().${field})`] : [];
  });
}

/**
 * Makes sure that what a test began is over at its end: `await using leaks = expectNoLeaks({ clock })` as its first line.
 *
 * Looks for: timers on the clock that somebody waits for; what is in flight or waiting in every semaphore, policy and scope made since; work
 * that any call has abandoned; listeners left on `AbortSignal`s that were handed to Keelson. At the end of the block it throws a plain
 * `Error` that lists what is left, after everything that could run without time passing has run. Needs no test framework. Other tests in the
 * same process must not run at the same time.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { Semaphore } from 'keelson';
 * import { expectNoLeaks } from 'keelson/testing';
 *
 * const test = async (): Promise<void> => {
 *   await using leaks = expectNoLeaks();
 *   await new Semaphore(1, { name: 'connections' }).acquire();
 * };
 * await assert.rejects(test(), /connections: 1 not given back/);
 */
export function expectNoLeaks(options?: ExpectNoLeaksOptions): LeakCheck {
  checkOptions<ExpectNoLeaksOptions>('expectNoLeaks', options, { clock: virtualClock });
  const clock = options?.clock;
  const live = watchLive();
  const abandonedBefore = abandonedWork();
  const listenersBefore = foreignListeners();

  const verify = async (): Promise<void> => {
    await nextMacrotask();
    const abandoned = abandonedWork() - abandonedBefore;
    const listeners = foreignListeners() - listenersBefore;
    const timers = clock?.pendingTimers ?? 0;
    const left = live.objects().flatMap((object) => leftIn(object.name, object.statistics()));
    if (timers > 0) left.push(`${count(timers, 'timer', 'timers')} on the clock that somebody waits for`);
    if (abandoned > 0) left.push(`${count(abandoned, 'abandoned operation', 'abandoned operations')} still running`);
    if (listeners > 0) left.push(`${count(listeners, 'AbortSignal', 'AbortSignals')} with a listener of ours`);
    if (left.length > 0) throw new Error(`left behind at the end of the test:\n${left.map((line) => `  - ${line}`).join('\n')}`);
  };

  return {
    verify,
    [Symbol.asyncDispose]: async () => {
      try {
        await verify();
      } finally {
        live[Symbol.dispose]();
      }
    },
  };
}
