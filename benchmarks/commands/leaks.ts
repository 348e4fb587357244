import { getEventListeners, setMaxListeners } from 'node:events';
import { compose, type Policy } from 'keelson';
import { MEASURED, type Subject } from '../harness/case.ts';
import { settled } from '../harness/loops.ts';
import { measureRatios } from '../harness/ratios.ts';
import { RunningCase } from '../harness/running-case.ts';
import { ONE_TICK, type Shape, waves } from '../harness/shapes.ts';
import { slope } from '../harness/statistics.ts';
import { bestStopwatch } from '../harness/stopwatch.ts';
import { standardParts } from '../subjects/keelson.ts';

const CALLS = 1_000_000;
const CHECKPOINTS = 5;
const IN_FLIGHT = 1000;

const MAX_BYTES_A_CALL = 2;
const MAX_GROWTH = 1.6;

/** Something that was found, and whether it may be so. */
interface Finding {
  readonly holds: boolean;
  readonly text: string;
}

/** Makes a million calls under one long-lived signal and looks for what they leave; false where it is more than nothing. */
export async function leaks(): Promise<boolean> {
  const findings = [...(await leftBehind()), await costOfTheSignal()];
  for (const { holds, text } of findings) console.log(`${holds ? 'ok    ' : 'broken'} ${text}`);
  return findings.every(({ holds }) => holds);
}

async function leftBehind(): Promise<Finding[]> {
  const policy = compose(...standardParts(MEASURED));
  const { signal } = new AbortController();
  const timersBefore = heldTimers();
  await callMany(policy, signal, CALLS / CHECKPOINTS); // what is made once is no leak
  const calls: number[] = [];
  const heap: number[] = [];
  for (let checkpoint = 1; checkpoint <= CHECKPOINTS; checkpoint++) {
    await callMany(policy, signal, CALLS / CHECKPOINTS);
    calls.push((checkpoint * CALLS) / CHECKPOINTS);
    heap.push(heapUsed());
  }
  const bytes = slope(calls, heap);
  const listeners = getEventListeners(signal, 'abort').length;
  const timers = heldTimers() - timersBefore;
  return [
    { holds: listeners === 0, text: `listeners on the signal after ${CALLS} calls: ${listeners} (none)` },
    { holds: timers === 0, text: `timers that hold the process: ${timers} (none)` },
    { holds: bytes <= MAX_BYTES_A_CALL, text: `growth of the heap: ${bytes.toFixed(2)} bytes a call (at most ${MAX_BYTES_A_CALL})` },
  ];
}

async function callMany(policy: Policy<number>, signal: AbortSignal, count: number): Promise<void> {
  for (let made = 0; made < count; made += IN_FLIGHT) {
    await Promise.all(Array.from({ length: IN_FLIGHT }, () => policy.execute(settled, { signal })));
  }
  await new Promise((resolve) => setImmediate(resolve));
}

function heapUsed(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const heldTimers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

const withoutSignal: Subject = {
  library: 'keelson',
  make(work) {
    const policy = compose(...standardParts(MEASURED));
    return () => policy.execute(work);
  },
};

const withSignal: Subject = {
  library: 'keelson',
  variant: 'under a signal',
  make(work) {
    const policy = compose(...standardParts(MEASURED));
    const { signal } = new AbortController();
    setMaxListeners(0, signal);
    return () => policy.execute(work, { signal });
  },
};

/** How many times as long a call takes under a signal, among many calls in proportion to among few. */
async function costOfTheSignal(): Promise<Finding> {
  const few = await timesAsLong(waves(10, { name: '10 in one tick', work: 'settled', sampleMs: 30, rounds: 15 }));
  const many = await timesAsLong(ONE_TICK);
  const numbers = `${few.toFixed(2)} times as long with 10 in flight, ${many.toFixed(2)} times with 10,000`;
  return {
    holds: many / few <= MAX_GROWTH,
    text: `a call under a signal takes ${numbers}: growth ${(many / few).toFixed(2)} (at most ${MAX_GROWTH})`,
  };
}

async function timesAsLong(shape: Shape): Promise<number> {
  const stopwatch = bestStopwatch();
  const floor = await RunningCase.make('', withoutSignal, shape, stopwatch);
  const signalled = await RunningCase.make('', withSignal, shape, stopwatch);
  const ratios = await measureRatios([signalled], floor, shape.rounds);
  return ratios.get(signalled)?.median ?? Number.NaN;
}
