import { type Random, seededRandom } from 'keelson';
import type { RunningCase } from './running-case.ts';
import { type Spread, spread } from './statistics.ts';

/** After so many samples the floor is measured again. */
const FLOOR_EVERY = 4;
/** A slow case takes part in one round of so many. */
const SLOW_EVERY = 4;
const SEED = 1;

/** How many times as long as the floor a case takes, over all rounds; absent where the machine was too busy to tell. */
export type Ratios = ReadonlyMap<RunningCase, Spread>;

/**
 * Measures all cases in turn, in so many rounds, each in another random order. Every sample is divided by those of the floor before and after
 * it, so that what slows the machine for a while slows both.
 */
export async function measureRatios(cases: readonly RunningCase[], floor: RunningCase, rounds: number): Promise<Ratios> {
  const random = seededRandom(SEED);
  const ratios = new Map<RunningCase, number[]>(cases.map((each) => [each, []]));
  for (let round = 0; round < rounds; round++) {
    const taking = cases.filter((each) => !each.isSlow || round % SLOW_EVERY === 0);
    for (const [each, ratio] of await oneRound(shuffled(taking, random), floor)) ratios.get(each)?.push(ratio);
  }
  return new Map([...ratios].flatMap(([each, values]) => (values.length === 0 ? [] : [[each, spread(values)]])));
}

async function oneRound(order: readonly RunningCase[], floor: RunningCase): Promise<[RunningCase, number][]> {
  const found: [RunningCase, number][] = [];
  let before = await floor.sample();
  for (let from = 0; from < order.length; from += FLOOR_EVERY) {
    const samples: [RunningCase, number | undefined][] = [];
    for (const each of order.slice(from, from + FLOOR_EVERY)) samples.push([each, await each.sample()]);
    const after = await floor.sample();
    const floorMs = floorBetween(before, after);
    for (const [each, ms] of samples) if (ms !== undefined && floorMs !== undefined) found.push([each, ms / floorMs]);
    before = after;
  }
  return found;
}

/** Nearer to the lower: what disturbs only ever adds. */
function floorBetween(before: number | undefined, after: number | undefined): number | undefined {
  if (before === undefined || after === undefined) return before ?? after;
  return (3 * Math.min(before, after) + Math.max(before, after)) / 4;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    [order[i], order[j]] = [order[j] as T, order[i] as T];
  }
  return order;
}
