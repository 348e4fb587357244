import { type Random, seededRandom } from 'keelson';
import type { RunningCase } from './running-case.ts';
import type { Shape } from './shapes.ts';
import { type Spread, spread } from './statistics.ts';
import type { Stopwatch } from './stopwatch.ts';

/** After so many samples the floor is measured again. */
const FLOOR_EVERY = 4;
const SEED = 1;
/** How often a sample is taken anew that a busy machine spoiled. */
const MAX_TRIES = 5;
/** A slow case takes part in one round of so many. */
const SLOW_EVERY = 4;

/** How many times as long as the floor a case takes, over all rounds; absent where the machine was too busy to tell. */
export type Ratios = ReadonlyMap<RunningCase, Spread>;

/** Something to measure, with a clock that suits it. */
interface Measured {
  readonly floor: RunningCase;
  readonly shape: Shape;
  readonly stopwatch: Stopwatch;
  readonly wall: Stopwatch;
}

/**
 * Measures all cases in turn, in as many rounds as the shape asks for, each in another random order. Every sample is divided by those of
 * the floor before and after it, so that what slows the machine for a while slows both.
 */
export async function measureRatios(cases: readonly RunningCase[], measured: Measured, rounds: number): Promise<Ratios> {
  const random = seededRandom(SEED);
  const ratios = new Map<RunningCase, number[]>(cases.map((each) => [each, []]));
  for (let round = 0; round < rounds; round++) {
    const order = shuffled(
      cases.filter((each) => !each.isSlow || round % SLOW_EVERY === 0),
      random,
    );
    let floorBefore = await callMs(measured.floor, measured);
    for (let from = 0; from < order.length; from += FLOOR_EVERY) {
      const samples = new Map<RunningCase, number | undefined>();
      for (const each of order.slice(from, from + FLOOR_EVERY)) samples.set(each, await callMs(each, measured));
      const floorAfter = await callMs(measured.floor, measured);
      const floor = floorBetween(floorBefore, floorAfter);
      for (const [each, ms] of samples) if (ms !== undefined && floor !== undefined) ratios.get(each)?.push(ms / floor);
      floorBefore = floorAfter;
    }
  }
  return new Map([...ratios].flatMap(([each, values]) => (values.length === 0 ? [] : [[each, spread(values)]])));
}

/** Nearer to the lower: what disturbs only ever adds. */
function floorBetween(before: number | undefined, after: number | undefined): number | undefined {
  if (before === undefined || after === undefined) return before ?? after;
  return (3 * Math.min(before, after) + Math.max(before, after)) / 4;
}

/** What a call of the case takes. */
async function callMs(each: RunningCase, { shape, stopwatch, wall }: Measured): Promise<number | undefined> {
  const count = each.countFor(shape.sampleMs);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    collectYoung();
    await each.runIn(count);
    const ms = await (each.isTimerBound ? wall : stopwatch).time(() => each.run(count));
    await new Promise((resolve) => setImmediate(resolve));
    if (ms !== undefined) return ms / count;
  }
  return undefined;
}

/** Each sample begins with an empty nursery. A full collection would age what V8 has optimised for. */
function collectYoung(): void {
  globalThis.gc?.({ type: 'minor' });
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    [order[i], order[j]] = [order[j] as T, order[i] as T];
  }
  return order;
}
