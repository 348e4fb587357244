import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { tokenOf } from '../cancel/foreign-signal.ts';
import { enlist } from '../observe/live.ts';
import { OngoingWork } from '../policy/ongoing-work.ts';
import { Semaphore } from '../sync/semaphore.ts';
import { LimitNode, limitList } from '../time/limit-list.ts';
import { systemClock } from '../time/system-clock.ts';
import { expectNoLeaks } from './expect-no-leaks.ts';
import { VirtualClock } from './virtual-clock.ts';

const report = (...lines: readonly string[]): string =>
  ['left behind at the end of the test:', ...lines.map((line) => `  - ${line}`)].join('\n');

/** What a check says at the end of `body`. */
const verdictOn = async (body: () => unknown, clock?: VirtualClock): Promise<string> => {
  const leaks = expectNoLeaks({ clock });
  await body();
  return leaks[Symbol.asyncDispose]().then(
    () => 'clean',
    (error: Error) => error.message,
  );
};

test('says nothing where nothing is left', async () => {
  expect(await verdictOn(() => {}, new VirtualClock())).toBe('clean');
  await using _leaks = expectNoLeaks();
});

describe('names', () => {
  test('timers that somebody waits for, but not those of housekeeping', async () => {
    const clock = new VirtualClock();
    const schedule = (): void => {
      clock.schedule(10, () => {});
      clock.schedule(10, () => {}).unref();
    };
    expect(await verdictOn(schedule, clock)).toBe(report('1 timer on the clock that somebody waits for'));
    expect(await verdictOn(schedule, clock)).toBe(report('2 timers on the clock that somebody waits for'));
  });

  test('limits that are still set, but not those of a busy moment that have just gone', async () => {
    const clock = new VirtualClock();
    const nodes = Array.from({ length: 50 }, () => new LimitNode({ limitReached: () => {} }, 0, null));
    const removeFrom = (first: number): void => nodes.slice(first).forEach((node) => void node.list?.remove(node));
    const addAndRemoveAllButOne = (): void => {
      for (const node of nodes) limitList(clock, 100).add(node);
      removeFrom(1);
    };
    expect(await verdictOn(addAndRemoveAllButOne, clock)).toBe(report('1 timer on the clock that somebody waits for'));
    expect(await verdictOn(() => removeFrom(0), clock)).toBe('clean');
  });

  test('permits and waiters of what was made since', async () => {
    const leak = async (): Promise<void> => {
      const semaphore = new Semaphore(1, { name: 'connections' });
      await semaphore.acquire();
      void semaphore.acquire();
    };
    expect(await verdictOn(leak)).toBe(
      report(
        'connections: 1 not given back or still running (statistics().inFlight)',
        'connections: 1 still waiting (statistics().waiting)',
      ),
    );
  });

  test('nothing else that statistics may count', async () => {
    const busy = { name: 'policy', statistics: () => ({ inFlight: 0, waiting: '5', served: 5 }) };
    expect(await verdictOn(() => enlist(busy))).toBe('clean');
  });

  test('not those of what was made before', async () => {
    const semaphore = new Semaphore(1);
    expect(await verdictOn(() => semaphore.acquire())).toBe('clean');
  });

  test('work that goes on after its call', async () => {
    let work: OngoingWork | undefined;
    const abandon = (): void => {
      work = new OngoingWork([], 0, 1, true);
    };
    expect(await verdictOn(abandon)).toBe(report('1 abandoned operation still running'));
    expect(await verdictOn(() => work?.settled())).toBe('clean');
    expect(await verdictOn(() => [abandon(), abandon()])).toBe(report('2 abandoned operations still running'));
  });

  test('signals that are still listened to', async () => {
    const token = tokenOf(new AbortController().signal);
    const target = { cancelled: (): void => {} };
    const links = [token.link(target), token.link(target)];
    expect(await verdictOn(() => void tokenOf(new AbortController().signal).link(target))).toBe(
      report('1 AbortSignal with a listener of ours'),
    );
    const two = (): void => {
      for (let i = 0; i < 2; i++) tokenOf(new AbortController().signal).link(target);
    };
    expect(await verdictOn(two)).toBe(report('2 AbortSignals with a listener of ours'));
    expect(await verdictOn(() => links.forEach((link) => void link.unlink()))).toBe('clean');
  });
});

test('verify may look more than once', async () => {
  const clock = new VirtualClock();
  await using leaks = expectNoLeaks({ clock });
  const timer = clock.schedule(10, () => {});
  await expect(leaks.verify()).rejects.toThrow('1 timer');
  timer.cancel();
  await leaks.verify();
});

test('F2: refuses an unknown option, and a clock that cannot be looked at', () => {
  expect(() => expectNoLeaks({ clock: systemClock as unknown as VirtualClock })).toThrow('clock must be a VirtualClock, got an object');
  expect(() => expectNoLeaks({ clocks: [] } as object)).toThrow('expectNoLeaks: unknown option "clocks"; there are clock');
});

test('works under node:test as well', async () => {
  const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const code = `
    import test from 'node:test';
    import { expectNoLeaks } from ${url('./expect-no-leaks.ts')};
    import { Semaphore } from ${url('../sync/semaphore.ts')};
    test('clean', async () => { await using leaks = expectNoLeaks(); using permit = await new Semaphore(1).acquire(); });
    test('leaks', async () => { await using leaks = expectNoLeaks(); await new Semaphore(1, { name: 'gate' }).acquire(); });
  `;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--test-reporter=tap', '-e', code], { timeout: 20_000, env });
  const { stdout } = (await run.catch((error: unknown) => error)) as { stdout: string };
  expect(stdout).toMatch(/^ok 1 - clean$/m);
  expect(stdout).toMatch(/^not ok 2 - leaks$/m);
  expect(stdout).toContain('gate: 1 not given back');
});
