import fc from 'fast-check';
import { expect, test } from 'vitest';
import { suppressedOf } from '../errors/history.ts';
import { ending } from '../policy/virtual-time.test-support.ts';
import { expectNoLeaks } from '../testing/expect-no-leaks.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from '../time/current-clock.ts';
import { ctx } from './ctx.ts';
import type { Scope, ScopeBody } from './scope.ts';

const SEED = 20_251_121;

/** What one body or task does, step by step. */
type Step =
  | { readonly does: 'sleep' | 'disobey' | 'swallow'; readonly ms: number }
  | { readonly does: 'spawn' | 'scope' | 'forget'; readonly plan: Plan; readonly timeoutMs: number | undefined }
  | { readonly does: 'fail' | 'cancel' };
type Plan = readonly Step[];

const ms = fc.integer({ min: 0, max: 20 });
const { plan } = fc.letrec<{ plan: Plan; step: Step }>((tie) => ({
  plan: fc.array(tie('step'), { minLength: 1, maxLength: 5, size: 'max' }),
  step: fc.oneof(
    { maxDepth: 3, depthSize: 'max' },
    fc.record({ does: fc.constantFrom('sleep' as const, 'sleep' as const, 'disobey' as const, 'swallow' as const), ms }),
    fc.record({ does: fc.constantFrom('fail' as const, 'cancel' as const) }),
    fc.record({
      does: fc.constantFrom('spawn' as const, 'spawn' as const, 'scope' as const, 'forget' as const),
      plan: tie('plan'),
      timeoutMs: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
    }),
  ),
}));

/** What is said about one scope: the events that may decide, and what still runs. */
class Account {
  readonly events: { readonly atMs: number; readonly error: unknown }[] = [];
  running = 0;
  /** Something inside ended other than well. */
  isSpoiled = false;

  note(atMs: number, error: unknown): void {
    if (!this.events.some((event) => event.error === error)) this.events.push({ atMs, error });
  }

  /** Whether nothing decided earlier. Of what happens in one moment, anything may be noticed first. */
  mayDecide(error: unknown): boolean {
    const [first] = this.events;
    return first === undefined || this.events.some((event) => event.error === error && event.atMs === first.atMs);
  }
}

/** Runs plans in nested scopes, and looks at each scope when it has ended. */
class World {
  readonly clock: VirtualClock;
  readonly faults: string[] = [];
  #failures = 0;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  async open(name: string, plan: Plan, timeoutMs: number | undefined, around: readonly Account[]): Promise<unknown> {
    const own = new Account();
    const accounts = [...around, own];
    const body: ScopeBody<string> = async (scope) => {
      scope.signal.addEventListener('abort', () => {
        const { reason } = scope.signal as { reason: Error };
        if (!reason.message.startsWith(scope.path)) own.note(this.clock.nowMs(), reason); // else a failure here has led to it
      });
      await this.#account(accounts, own, () => this.#follow(scope, plan, accounts));
      return name;
    };
    const end = await ending(ctx.scope(name, { timeout: timeoutMs }, body));
    if (own.running > 0) this.faults.push(`${name} ended with ${own.running} running`);
    if ('value' in end && own.isSpoiled) this.faults.push(`${name} resolved though something in it had ended badly`);
    if ('error' in end && !own.mayDecide(end.error)) this.faults.push(`${name} rejected with a later event`);
    if ('error' in end) throw end.error;
    return end.value;
  }

  /** Notes what runs, for its scope and all around it, and whether it ended well. */
  async #account(accounts: readonly Account[], own: Account, run: () => Promise<unknown>): Promise<void> {
    for (const account of accounts) account.running++;
    try {
      await run();
    } catch (error) {
      own.isSpoiled = true;
      throw error;
    } finally {
      for (const account of accounts) account.running--;
    }
  }

  async #follow(scope: Scope, plan: Plan, accounts: readonly Account[]): Promise<void> {
    const own = accounts.at(-1) as Account;
    for (const step of plan) {
      switch (step.does) {
        case 'sleep':
          await ctx.sleep(step.ms);
          break;
        case 'swallow':
          await ctx.sleep(step.ms).catch(() => undefined);
          break;
        case 'disobey':
          await new Promise<void>((resolve) => void this.clock.schedule(step.ms, resolve));
          break;
        case 'spawn':
          scope.spawn(() => this.#account(accounts, own, () => this.#follow(scope, step.plan, accounts)));
          break;
        case 'scope':
          await this.open('inner', step.plan, step.timeoutMs, accounts).catch(() => undefined);
          break;
        case 'forget':
          void this.open('forgotten', step.plan, step.timeoutMs, accounts).catch(() => undefined);
          break;
        case 'fail': {
          const error = new Error(`failure ${++this.#failures}`);
          own.note(this.clock.nowMs(), error);
          throw error;
        }
        case 'cancel':
          scope.cancel(new Error(`cancelled ${++this.#failures}`));
      }
    }
  }
}

test('S1, S2: whatever runs inside, a scope ends after all of it, and with the first event that decided', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (steps) => {
      using clock = useClock(new VirtualClock());
      await using _leaks = expectNoLeaks({ clock });
      const world = new World(clock);
      const end = ending(world.open('root', steps, undefined, []));
      await clock.advance(1000);
      await end;
      expect(world.faults).toEqual([]);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test('S1: of failures in any order of arrival the first decides, and every other is attached to it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 6 }), async (scheduler, count) => {
      const arrived: unknown[] = [];
      const errors = Array.from({ length: count }, (_, n) => new Error(`no. ${n}`));
      const result = ctx.scope('app', (scope) => {
        for (const error of errors) {
          scope.spawn(async () => {
            await scheduler.schedule(Promise.resolve());
            arrived.push(error);
            throw error;
          });
        }
      });
      const end = ending(result);
      await scheduler.waitAll();
      expect(await end).toHaveProperty('error', arrived[0]);
      expect(suppressedOf(arrived[0])).toEqual(arrived.slice(1));
    }),
    { seed: SEED },
  );
});
