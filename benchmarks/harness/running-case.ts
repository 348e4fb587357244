import { type Loop, MEASURED, nameOf, type Subject } from './case.ts';
import { freshLoops } from './fresh-loops.ts';
import type { Shape } from './shapes.ts';
import { type Stopwatch, WallStopwatch } from './stopwatch.ts';

const WARM_UP_MS = 200;
const MAX_WARM_UP_MS = 10_000;
const MIN_PASSES = 3;
/** A pass of the warm-up that took less makes the next one longer. */
const SHORT_PASS_MS = 4;
const SLOW_MS = 500;
/** What share of a sample comes before it, unmeasured. */
const RUN_IN = 20;
/** How often a sample is taken anew that a busy machine spoiled. */
const MAX_TRIES = 5;

/** A subject in one shape, made and warm; or the floor, which is the bare work in that shape. */
export class RunningCase {
  readonly group: string;
  readonly subject: string;
  readonly #loop: Loop;
  readonly #shape: Shape;
  readonly #stopwatch: Stopwatch;
  /** Found by the warm-up. */
  #callMs = 0;

  private constructor(group: string, subject: Subject | undefined, shape: Shape, loop: Loop, stopwatch: Stopwatch) {
    this.group = group;
    this.subject = subject === undefined ? 'bare await' : nameOf(subject);
    this.#loop = loop;
    this.#shape = shape;
    this.#stopwatch = stopwatch;
  }

  static async make(group: string, subject: Subject | undefined, shape: Shape, stopwatch: Stopwatch): Promise<RunningCase> {
    const isTimerBound = subject?.isTimerBound === true;
    const loop = await loopOf(subject, shape);
    const made = new RunningCase(group, subject, shape, loop, isTimerBound ? new WallStopwatch() : stopwatch);
    await made.#warmUp(isTimerBound ? 1 : 64);
    return made;
  }

  /**
   * Until V8 has optimised what it will, by the clock that the samples are taken with: on a busy machine, a while of wall time is over before
   * anything has happened.
   */
  async #warmUp(first: number): Promise<void> {
    const endMs = performance.now() + MAX_WARM_UP_MS;
    let count = this.wholeWaves(first);
    for (let pass = 1, spentMs = 0; (pass <= MIN_PASSES || spentMs < WARM_UP_MS) && performance.now() < endMs; pass++) {
      const passMs = await this.#stopwatch.time(() => this.run(count));
      if (passMs === undefined) continue;
      this.#callMs = passMs / count;
      if (passMs < SHORT_PASS_MS) count *= 2;
      spentMs += passMs;
    }
  }

  /** Whether even its least sample takes so long that a few have to do. */
  get isSlow(): boolean {
    return this.#callMs * this.#shape.inFlight > SLOW_MS;
  }

  /** At least `count`, as waves allow. */
  wholeWaves(count: number): number {
    const { inFlight } = this.#shape;
    return Math.max(1, Math.ceil(count / inFlight)) * inFlight;
  }

  /** A few calls before a sample of `count`; none where that is a single wave. */
  async runIn(count: number): Promise<void> {
    if (count > this.#shape.inFlight) await this.run(this.wholeWaves(count / RUN_IN));
  }

  async run(count: number): Promise<void> {
    await this.#loop(count);
  }

  /** One sample: what a call takes, in milliseconds; undefined where the machine was too busy to tell. */
  async sample(): Promise<number | undefined> {
    const count = this.wholeWaves(this.#shape.sampleMs / this.#callMs);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      collectYoung();
      await this.runIn(count);
      const ms = await this.#stopwatch.time(() => this.run(count));
      await new Promise((resolve) => setImmediate(resolve));
      if (ms !== undefined) return ms / count;
    }
    return undefined;
  }
}

async function loopOf(subject: Subject | undefined, shape: Shape): Promise<Loop> {
  const loops = await freshLoops();
  const work = loops[shape.work];
  const own = await subject?.makeLoop?.(work, MEASURED);
  if (own !== undefined) return own;
  const call = subject === undefined ? work : await subject.make(work, MEASURED);
  return (count) => shape.loop(loops, call, count);
}

/** Each sample begins with an empty nursery. A full collection would age what V8 has optimised for. */
function collectYoung(): void {
  globalThis.gc?.({ type: 'minor' });
}
