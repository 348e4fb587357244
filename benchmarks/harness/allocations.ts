import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { RunningCase } from './running-case.ts';
import { median } from './statistics.ts';

const CALLS = 10_000;
const PASSES = 5;

/** How many bytes a call allocates; undefined where it allocates so much that every pass met a collection. */
export async function bytesPerCall(each: RunningCase): Promise<number | undefined> {
  const collections = new CollectionCount();
  const count = each.wholeWaves(CALLS);
  const passes: number[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    globalThis.gc?.();
    await each.runIn(count);
    globalThis.gc?.();
    await collections.settled();
    const before = getHeapStatistics().used_heap_size;
    await each.run(count);
    const after = getHeapStatistics().used_heap_size;
    if ((await collections.settled()) === 0) passes.push((after - before) / count);
  }
  collections.stop();
  return passes.length === 0 ? undefined : Math.round(median(passes));
}

/** Counts collections. Node tells of them a while later. */
class CollectionCount {
  #count = 0;
  readonly #observer = new PerformanceObserver((list) => {
    this.#count += list.getEntries().length;
  });

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** How many there were since it was last asked. */
  async settled(): Promise<number> {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    const count = this.#count;
    this.#count = 0;
    return count;
  }

  stop(): void {
    this.#observer.disconnect();
  }
}
