import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ModelCall, QueueModel } from './admission-queue.test-support.ts';
import { AdmissionQueue, type DropRule, type Place } from './admission-queue.ts';
import { PRIORITIES } from './priority.ts';

const SEED = 20_261_128;
const PERIOD_MS = 50;

type Act =
  | { readonly do: 'add'; readonly rank: number; readonly key: string | undefined; readonly laterMs: number }
  | { readonly do: 'drop for'; readonly rank: number; readonly key: string | undefined; readonly rule: DropRule }
  | { readonly do: 'drop'; readonly rule: DropRule }
  | { readonly do: 'leave'; readonly which: number }
  | { readonly do: 'grant' };

const rank = fc.nat(PRIORITIES.length - 1);
const key = fc.constantFrom('a', 'b', 'c', undefined);
const rule = fc.constantFrom('dropOldest' as const, 'dropNewest' as const);
const laterMs = fc.constantFrom(0, 0, 1, 10, 49, 50, 51, 120);
const acts = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('add' as const), rank, key, laterMs }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('grant' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat(30) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('drop for' as const), rank, key, rule }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), rule }) },
  ) satisfies fc.Arbitrary<Act>,
  { maxLength: 120, size: 'max' },
);

/** A queue and its model, to which the same happens. */
class Both {
  readonly queue: AdmissionQueue;
  readonly model: QueueModel;
  /** Numbers of the calls, in the order in which they were granted or refused. */
  readonly granted: number[] = [];
  readonly refused: number[] = [];
  readonly calls: ModelCall[] = [];
  readonly #places: Place[] = [];
  #nowMs = 0;

  constructor(agingPeriodMs: number, isFair: boolean) {
    this.queue = new AdmissionQueue({ agingPeriodMs, isFair });
    this.model = new QueueModel(agingPeriodMs, isFair);
  }

  act(act: Act): void {
    if (act.do === 'add') this.add(act.rank, act.key, act.laterMs);
    else if (act.do === 'grant') this.grant();
    else if (act.do === 'leave') this.#leave(act.which);
    else if (act.do === 'drop') this.#drop(this.queue.toDrop(act.rule), this.model.toDrop(act.rule));
    else {
      const priority = PRIORITIES[act.rank] as ModelCall['priority'];
      const newcomer: ModelCall = { number: this.calls.length, priority, key: act.key, sinceMs: this.#nowMs };
      this.#drop(this.queue.toDropFor(priority, act.key, act.rule), this.model.toDropFor(newcomer, act.rule));
    }
    expect(this.queue.size).toBe(this.model.waiting.length);
    expect(this.queue.oldestSinceMs).toBe(this.model.waiting.length === 0 ? undefined : this.model.waiting[0]?.sinceMs);
  }

  add(ofRank: number, ofKey: string | undefined, later: number): void {
    this.#nowMs += later;
    const call: ModelCall = {
      number: this.calls.length,
      priority: PRIORITIES[ofRank] as ModelCall['priority'],
      key: ofKey,
      sinceMs: this.#nowMs,
    };
    this.calls.push(call);
    this.model.add(call);
    const place = this.queue.place(call.priority, ofKey);
    this.#places.push(place);
    place.add({ granted: () => this.granted.push(call.number), refused: () => this.refused.push(call.number) }, this.#nowMs);
  }

  grant(): void {
    const expected = this.model.grant();
    expect(this.queue.grant()).toBe(expected !== undefined);
    if (expected !== undefined) expect(this.granted.at(-1)).toBe(expected.number);
  }

  #leave(which: number): void {
    const call = this.calls[which];
    if (call === undefined) return;
    this.#places[which]?.unlink();
    this.model.leave(call);
  }

  #drop(place: Place | undefined, expected: ModelCall | undefined): void {
    expect(place === undefined).toBe(expected === undefined);
    if (expected === undefined) return;
    place?.refuse(() => 'dropped');
    expect(this.refused.at(-1)).toBe(expected.number);
    this.model.leave(expected);
  }
}

const periods = fc.constantFrom(PERIOD_MS, 1, Number.POSITIVE_INFINITY);

test('P2, L3: whatever comes, goes, leaves and is dropped: as the model says', () => {
  fc.assert(
    fc.property(periods, fc.boolean(), acts, (agingPeriodMs, isFair, script) => {
      const both = new Both(agingPeriodMs, isFair);
      for (const act of script) both.act(act);
      while (both.model.waiting.length > 0) both.grant();
      expect(both.queue.grant()).toBe(false);
      expect(new Set(both.granted).size).toBe(both.granted.length);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test('P2: a call is never overtaken by one that came more than a period later for each priority between them', () => {
  fc.assert(
    fc.property(acts, (script) => {
      const both = new Both(PERIOD_MS, false);
      for (const act of script) if (act.do === 'add' || act.do === 'grant') both.act(act);
      while (both.queue.size > 0) both.grant();
      for (const [index, first] of both.granted.entries()) {
        for (const second of both.granted.slice(index + 1)) {
          const [early, late] = [both.calls[second] as ModelCall, both.calls[first] as ModelCall];
          if (late.number < early.number) continue;
          const classes = PRIORITIES.indexOf(early.priority) - PRIORITIES.indexOf(late.priority);
          expect(late.sinceMs - early.sinceMs).toBeLessThanOrEqual(Math.max(0, classes) * PERIOD_MS);
          expect(classes).toBeGreaterThan(0); // nobody overtakes within a priority, or above his own
        }
      }
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('P2: with fairness one call of each other key goes before the first of a key, however many wait', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 60 }), fc.nat(40), (keys, grants) => {
      const both = new Both(PERIOD_MS, true);
      for (const each of keys) both.add(2, each, 0);
      for (let n = 0; n < grants; n++) both.grant();
      const others = new Set(both.model.waiting.map((call) => call.key)).size;
      both.add(2, 'newcomer', 0);
      const before = both.granted.length;
      while (!both.granted.includes(keys.length)) both.grant();
      expect(both.granted.length - before - 1).toBeLessThanOrEqual(others);
    }),
    { seed: SEED, numRuns: 300 },
  );
});
