import { type Loop, MEASURED, nameOf, type Subject } from './case.ts';
import { freshLoops } from './fresh-loops.ts';
import type { Shape } from './shapes.ts';

const WARM_UP_MS = 150;
const MAX_WARM_UP_MS = 6000;
const MIN_PASSES = 3;
/** A pass of the warm-up that took less makes the next one longer. */
const SHORT_PASS_MS = 4;
const SLOW_MS = 500;
/** What share of a sample comes before it, unmeasured. */
const RUN_IN = 20;

/** A subject in one shape, made and warm; or the floor, which is the bare work in that shape. */
export class RunningCase {
  readonly group: string;
  readonly subject: string;
  readonly isTimerBound: boolean;
  readonly #loop: Loop;
  /** Counts of calls are multiples of it. */
  readonly #unit: number;
  /** Found by the warm-up. */
  #callMs = 0;

  private constructor(group: string, subject: Subject | undefined, shape: Shape, loop: Loop) {
    this.group = group;
    this.subject = subject === undefined ? 'bare await' : nameOf(subject);
    this.isTimerBound = subject?.isTimerBound === true;
    this.#loop = loop;
    this.#unit = shape.inFlight;
  }

  static async make(group: string, subject: Subject | undefined, shape: Shape): Promise<RunningCase> {
    const loops = await freshLoops();
    const work = loops[shape.work];
    const own = await subject?.makeLoop?.(work, MEASURED);
    if (own !== undefined) return new RunningCase(group, subject, shape, own);
    const call = subject === undefined ? work : await subject.make(work, MEASURED);
    return new RunningCase(group, subject, shape, (count) => shape.loop(loops, call, count));
  }

  async warmUp(): Promise<void> {
    const startMs = performance.now();
    let count = this.isTimerBound ? this.#unit : Math.max(this.#unit, 64);
    for (let pass = 1, elapsedMs = 0; pass <= MIN_PASSES || elapsedMs < WARM_UP_MS; pass++) {
      const passStartMs = performance.now();
      await this.#loop(count);
      const passMs = performance.now() - passStartMs;
      this.#callMs = passMs / count;
      if (passMs < SHORT_PASS_MS) count *= 2;
      elapsedMs = performance.now() - startMs;
      if (elapsedMs > MAX_WARM_UP_MS) return;
    }
  }

  /** Whether even its least sample takes so long that a few have to do. */
  get isSlow(): boolean {
    return this.#callMs * this.#unit > SLOW_MS;
  }

  /** As many calls as take about `ms`. */
  countFor(ms: number): number {
    return this.wholeUnits(ms / this.#callMs);
  }

  /** A few calls before a sample; none where the sample is a single wave. */
  async runIn(count: number): Promise<void> {
    if (count > this.#unit) await this.#loop(this.wholeUnits(count / RUN_IN));
  }

  /** At least `count`, as waves allow. */
  wholeUnits(count: number): number {
    return Math.max(1, Math.ceil(count / this.#unit)) * this.#unit;
  }

  async run(count: number): Promise<void> {
    await this.#loop(count);
  }
}
