// Every case imports this module anew (see fresh-loops.ts), so that no two cases share a call site that V8 has seen other functions at.

/** What is wrapped: settles with 1. Where its wrapper has a signal that says when nobody waits any more, it is given one. */
export type Work = (context?: { readonly signal?: AbortSignal }) => Promise<number>;

/** One call of a case. */
export type OneCall = () => Promise<unknown>;

/** Work that is done at once: all that is measured is what is around it. */
export const settled: Work = async () => 1;

/** Work that leaves the tick, as everything does that waits for a socket or a file. */
export const later: Work = () => new Promise((resolve) => setImmediate(resolve, 1));

/** One call after the other. */
export async function oneAfterAnother(call: OneCall, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await call();
}

/** One call a macrotask: each finds empty queues, as in a process that has little to do. */
export async function oneMacrotaskEach(call: OneCall, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    await call();
  }
}

/** Waves of `inFlight` calls. */
export async function inWaves(call: OneCall, count: number, inFlight: number): Promise<void> {
  for (let i = 0; i < count; i += inFlight) {
    const wave = new Array<Promise<unknown>>(inFlight);
    for (let j = 0; j < inFlight; j++) wave[j] = call();
    await Promise.all(wave);
  }
}
