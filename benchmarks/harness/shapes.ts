import type { OneCall } from './loops.ts';

type Loops = typeof import('./loops.ts');

/** How the calls of a measurement come. */
export interface Shape {
  readonly name: string;
  readonly about: string;
  readonly work: 'settled' | 'later';
  /** How many calls are going on at once. */
  readonly inFlight: number;
  /** How long a sample takes at least: many calls at once need longer ones, so that each has its share of collections. */
  readonly sampleMs: number;
  readonly rounds: number;
  loop(loops: Loops, call: OneCall, count: number): Promise<void>;
}

/** So many calls at once, and the next so many when they have ended. */
export const waves = (inFlight: number, rest: Pick<Shape, 'name' | 'work' | 'sampleMs' | 'rounds'>): Shape => ({
  ...rest,
  about: `waves of ${inFlight} calls of work that ${rest.work === 'later' ? 'leaves the tick' : 'is done at once'}`,
  inFlight,
  loop: (loops, call, count) => loops.inWaves(call, count, inFlight),
});

export const SEQUENTIAL: Shape = {
  name: 'sequential',
  about: 'one call after the other, of work that is done at once',
  work: 'settled',
  inFlight: 1,
  sampleMs: 12,
  rounds: 15,
  loop: (loops, call, count) => loops.oneAfterAnother(call, count),
};

const MACROTASK: Shape = {
  name: 'one a macrotask',
  about: 'one call a turn of the event loop, of work that is done at once',
  work: 'settled',
  inFlight: 1,
  sampleMs: 15,
  rounds: 11,
  loop: (loops, call, count) => loops.oneMacrotaskEach(call, count),
};

export const ONE_TICK: Shape = waves(10_000, { name: '10,000 in one tick', work: 'settled', sampleMs: 120, rounds: 9 });
export const IN_FLIGHT_10: Shape = waves(10, { name: '10 in flight', work: 'later', sampleMs: 15, rounds: 11 });
export const IN_FLIGHT_10000: Shape = waves(10_000, { name: '10,000 in flight', work: 'later', sampleMs: 120, rounds: 7 });

/** All shapes that policies are measured in, in the order they are told. */
export const SHAPES: readonly Shape[] = [
  SEQUENTIAL,
  MACROTASK,
  IN_FLIGHT_10,
  waves(1000, { name: '1,000 in flight', work: 'later', sampleMs: 60, rounds: 9 }),
  IN_FLIGHT_10000,
  ONE_TICK,
];

export const QUEUED_10000: Shape = waves(10_000, { name: '10,000 queued', work: 'settled', sampleMs: 60, rounds: 11 });

/** All shapes that backlogs are measured in: all calls come at once. */
export const BACKLOG_SHAPES: readonly Shape[] = [
  QUEUED_10000,
  waves(100_000, { name: '100,000 queued', work: 'settled', sampleMs: 60, rounds: 7 }),
];
