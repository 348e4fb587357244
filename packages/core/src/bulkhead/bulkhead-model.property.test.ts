import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isKeelsonError } from '../errors/keelson-error.ts';
import type { ModelCall } from '../policy/admission-queue.test-support.ts';
import type { Attempt } from '../policy/policy.ts';
import { PRIORITIES, type Priority } from '../policy/priority.ts';
import { expectNoLeaks } from '../testing/expect-no-leaks.ts';
import { type ScriptedCall, scriptedOperation } from '../testing/scripted-operation.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { useClock } from '../time/current-clock.ts';
import { type Bulkhead, type BulkheadChanges, bulkhead } from './bulkhead.ts';
import { BulkheadModel, type Fate } from './bulkhead-model.test-support.ts';

const SEED = 20_261_128;

type Act =
  | { readonly do: 'call'; readonly priority: Priority | undefined; readonly tenant: string; readonly timeoutMs: number | undefined }
  | { readonly do: 'finish' | 'fail' | 'abort'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'reconfigure'; readonly changes: Changes }
  | { readonly do: 'close'; readonly really: boolean };

/** Bounds in milliseconds only, so that the model has them as they are. */
type Changes = Omit<BulkheadChanges, 'agingPeriod'> & { readonly agingPeriod?: number | undefined };

const overflow = fc.constantFrom('reject' as const, 'dropOldest' as const, 'dropNewest' as const);
const maxQueue = fc.oneof(fc.nat(5), fc.constant(Number.POSITIVE_INFINITY));
const agingPeriod = fc.constantFrom(1, 40, Number.POSITIVE_INFINITY);
const maxConcurrency = fc.integer({ min: 1, max: 4 });
const options = fc.record({ maxConcurrency, maxQueue, maxAbandoned: fc.nat(4), overflow, agingPeriod });
const some = { requiredKeys: [] };

const acts = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        do: fc.constant('call' as const),
        priority: fc.constantFrom(...PRIORITIES, undefined),
        tenant: fc.constantFrom('a', 'a', 'a', 'b', 'c'),
        timeoutMs: fc.option(fc.integer({ min: 1, max: 150 }), { nil: undefined }),
      }),
    },
    { weight: 9, arbitrary: fc.record({ do: fc.constantFrom('finish' as const, 'fail' as const, 'abort' as const), which: fc.nat(20) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 80 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('reconfigure' as const),
        changes: fc.record({ maxConcurrency, maxQueue, overflow, agingPeriod }, some),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('close' as const), really: fc.constantFrom(false, false, false, false, false, true) }),
    },
  ) satisfies fc.Arbitrary<Act>,
  { maxLength: 80, size: 'max' },
);

/** A bulkhead and its model, to which the same happens. */
class Both {
  readonly started: number[] = [];
  readonly #clock: VirtualClock;
  readonly #policy: Bulkhead;
  readonly #model: BulkheadModel;
  readonly #work = scriptedOperation<string>();
  readonly #controllers: AbortController[] = [];
  readonly #deadlines: number[] = [];
  readonly #results: Promise<unknown>[] = [];
  readonly #fates: Map<number, Fate> = new Map();
  readonly #numbers: Map<ScriptedCall<string>, number> = new Map();

  constructor(clock: VirtualClock, given: { readonly maxConcurrency: number } & Required<Changes>, isFair: boolean) {
    const fairBy = isFair ? 'tenant' : undefined;
    this.#clock = clock;
    this.#policy = bulkhead({ ...given, fairBy });
    const { agingPeriod: agingPeriodMs, ...rules } = given;
    this.#model = new BulkheadModel({ ...rules, name: 'bulkhead', agingPeriodMs, fairBy } as BulkheadModel['rules']);
  }

  async act(act: Act): Promise<void> {
    if (act.do === 'call') this.#call(act);
    else if (act.do === 'pass') await this.#pass(act.ms);
    else if (act.do === 'reconfigure') this.#reconfigure(act.changes);
    else if (act.do === 'abort') this.#abort(act.which);
    else if (act.do === 'close') this.#close(act.really);
    else this.#end(this.#work.open[act.which % this.#work.open.length], act.do);
    await this.#clock.settle();
    this.#compare();
  }

  async end(): Promise<void> {
    while (this.#work.open.length > 0) await this.act({ do: 'finish', which: 0 });
    await Promise.all(this.#results);
    expect(this.#policy.statistics()).toMatchObject({ inFlight: 0, waiting: 0, abandoned: 0, oldestWaitMs: null });
  }

  #call({ priority, tenant, timeoutMs }: Extract<Act, { do: 'call' }>): void {
    const number = this.#controllers.length;
    const controller = new AbortController();
    this.#controllers.push(controller);
    this.#deadlines.push(this.#clock.nowMs() + (timeoutMs ?? Number.POSITIVE_INFINITY));
    const call: ModelCall = { number, priority: priority ?? 'normal', key: tenant, sinceMs: this.#clock.nowMs() };
    this.#model.enter(call);
    this.#fates.set(number, 'waiting');
    const result = this.#policy.attempt(
      (attempt) => {
        this.started.push(number);
        this.#fates.set(number, 'running');
        const answer = this.#work.operation(attempt);
        this.#numbers.set(this.#work.calls.at(-1) as ScriptedCall<string>, number);
        return answer;
      },
      { priority, keys: { tenant }, timeout: timeoutMs, signal: controller.signal },
    );
    this.#results.push(result.then((outcome) => this.#fates.set(number, fateOf(outcome))));
  }

  async #pass(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    for (const [number, deadlineMs] of this.#deadlines.entries()) if (deadlineMs <= this.#clock.nowMs()) this.#model.leave(number);
  }

  #reconfigure(changes: Changes): void {
    this.#policy.reconfigure(changes);
    const { agingPeriod: agingPeriodMs, ...others } = changes;
    this.#model.reconfigure({ ...others, ...(agingPeriodMs === undefined ? {} : { agingPeriodMs }) } as Partial<BulkheadModel['rules']>);
  }

  #abort(which: number): void {
    this.#controllers[which]?.abort();
    if (which < this.#controllers.length) this.#model.leave(which);
  }

  #close(really: boolean): void {
    if (!really) return;
    this.#policy.close();
    this.#model.close();
  }

  #end(open: ScriptedCall<string> | undefined, how: 'finish' | 'fail'): void {
    if (open === undefined) return;
    this.#model.end(this.#numbers.get(open) as number);
    if (how === 'finish') open.resolve('done');
    else open.reject(new Error('down'));
  }

  #compare(): void {
    const model = this.#model;
    expect(this.started).toEqual(model.started);
    expect(Object.fromEntries(this.#fates)).toEqual(Object.fromEntries(model.fates));
    const { inFlight, waiting, abandoned, waitingByPriority, refused, dropped, oldestWaitMs } = this.#policy.statistics();
    const { waiting: queued } = model.queue;
    const countOf = (fate: Fate): number => [...model.fates.values()].filter((each) => each === fate).length;
    const byPriority = PRIORITIES.map((priority) => [priority, queued.filter((call) => call.priority === priority).length]);
    expect({ inFlight, waiting, abandoned, waitingByPriority, refused, dropped, oldestWaitMs }).toEqual({
      inFlight: model.inFlight,
      waiting: queued.length,
      abandoned: model.abandoned.size,
      waitingByPriority: Object.fromEntries(byPriority),
      refused: countOf('full'),
      dropped: countOf('dropped'),
      oldestWaitMs: queued[0] === undefined ? null : this.#clock.nowMs() - queued[0].sinceMs,
    });
    expect(this.#work.open.length).toBe(inFlight);
    if (waiting > 0) expect(inFlight).toBeGreaterThanOrEqual(model.rules.maxConcurrency);
  }
}

function fateOf(outcome: Attempt<string>): Fate {
  if (outcome.ok || outcome.by === 'operation') return 'over';
  if (outcome.by === 'caller') return 'left';
  if (isKeelsonError(outcome.error, 'ERR_CLOSED')) return 'closed';
  return String(outcome.error).includes('was dropped') ? 'dropped' : 'full';
}

test('P1, P2, P5, L3: whatever comes, ends, fails, leaves, is too late, closed or changed: as the model says', async () => {
  await fc.assert(
    fc.asyncProperty(options, fc.boolean(), acts, async (given, isFair, script) => {
      using clock = useClock(new VirtualClock());
      await using _leaks = expectNoLeaks({ clock });
      const both = new Both(clock, given, isFair);
      for (const act of script) await both.act(act);
      await both.end();
    }),
    { seed: SEED, numRuns: 300 },
  );
});
