// Whether a subject does what it is there for. Nothing is measured that was not checked before.
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { MEASURED, type Settings, type Subject } from './case.ts';
import { later, settled, type Work } from './loops.ts';

const FAILURE = new Error('the work failed');
const failing: Work = () => Promise.reject(FAILURE);
/** Ends only when it is told to. */
const hanging: Work = (context) =>
  new Promise((_, reject) => {
    const signal = context?.signal;
    signal?.addEventListener('abort', () => reject(signal.reason));
  });

const TIMEOUT_MS = 30;
const WAIT_LIMIT_MS = 2000;

const settingsWith = (changes: Partial<Settings>): Settings => ({ ...MEASURED, baseDelayMs: 1, ...changes });

/** How a call ends; an error of ours where it does not end. */
async function outcomeOf(call: () => Promise<unknown>): Promise<PromiseSettledResult<unknown>> {
  const stuck = new AbortController();
  const limit = wait(WAIT_LIMIT_MS, undefined, { signal: stuck.signal }).then(
    () => assert.fail(`not settled within ${WAIT_LIMIT_MS} ms`),
    () => undefined,
  );
  try {
    const [outcome] = (await Promise.race([Promise.allSettled([call()]), limit])) as [PromiseSettledResult<unknown>];
    return outcome;
  } finally {
    stuck.abort();
  }
}

/** With the settings that are measured, the value of the work comes back, at once and later. */
export async function returnsTheValue(subject: Subject): Promise<void> {
  for (const work of [settled, later]) assert.equal(await (await subject.make(work, MEASURED))(), 1);
  await (await subject.makeLoop?.(settled, MEASURED))?.(3);
}

/** One failure is tried again; failures without end are given up after `maxAttempts`. */
export async function triesAgain(subject: Subject): Promise<void> {
  let calls = 0;
  const failsOnce: Work = () => (++calls === 1 ? failing() : settled());
  assert.equal(await (await subject.make(failsOnce, settingsWith({})))(), 1);
  assert.equal(calls, 2, 'tried again once');
  calls = 0;
  const alwaysFails: Work = () => {
    calls++;
    return failing();
  };
  const outcome = await outcomeOf(await subject.make(alwaysFails, settingsWith({ maxAttempts: 3 })));
  assert.equal(outcome.status, 'rejected');
  assert.equal(calls, 3, 'given up after 3');
}

/** Work that goes on for ever ends at the timeout. */
export async function timesOut(subject: Subject): Promise<void> {
  const call = await subject.make(hanging, settingsWith({ timeoutMs: TIMEOUT_MS, maxAttempts: 1 }));
  const startMs = performance.now();
  const outcome = await outcomeOf(call);
  const elapsedMs = performance.now() - startMs;
  assert.equal(outcome.status, 'rejected');
  assert(elapsedMs >= TIMEOUT_MS - 1, `ended after ${elapsedMs} ms, before the timeout`);
}

/** After failures enough, calls are refused without calling the work. */
export async function opens(subject: Subject): Promise<void> {
  let calls = 0;
  const counted: Work = () => {
    calls++;
    return failing();
  };
  const call = await subject.make(counted, settingsWith({ failureThreshold: 5, maxAttempts: 1 }));
  for (let i = 0; i < 12; i++) assert.equal((await outcomeOf(call)).status, 'rejected');
  assert(calls >= 5 && calls <= 6, `${calls} calls went through`);
}

/** Refuses, and never calls the work. */
export async function refuses(subject: Subject): Promise<void> {
  let calls = 0;
  const counted: Work = () => {
    calls++;
    return settled();
  };
  const call = await subject.make(counted, MEASURED);
  calls = 0; // some needed calls to come to where they refuse
  assert.equal(await call(), 'refused');
  assert.equal(calls, 0);
}

/** At most `maxConcurrency` run at once, all of them run, and the first to come is the first to start. */
export async function limitsConcurrency(subject: Subject): Promise<void> {
  let running = 0;
  let most = 0;
  const counted: Work = async () => {
    most = Math.max(most, ++running);
    await wait(5);
    running--;
    return 1;
  };
  const call = await subject.make(counted, settingsWith({ maxConcurrency: 3 }));
  const values = await Promise.all(Array.from({ length: 20 }, () => call()));
  assert(subject.isTimerBound === true ? most <= 3 : most === 3, `${most} ran at once`);
  assert.deepEqual(new Set(values), new Set([1]));
}

/** Of calls that come at once, those beyond the limit are held back. */
export async function limitsTheRate(subject: Subject): Promise<void> {
  const starts: number[] = [];
  const timed: Work = async () => {
    starts.push(performance.now());
    return 1;
  };
  const call = await subject.make(timed, settingsWith({ limit: 2, periodMs: 100 }));
  await Promise.all(Array.from({ length: 4 }, () => call()));
  const [first = 0, , , last = 0] = starts;
  assert.equal(starts.length, 4);
  assert(last - first >= 45, `4 calls within ${last - first} ms`);
}

/** All calls end with the signal's reason when it aborts. */
export async function endsWithTheSignal(subject: Subject): Promise<void> {
  const controller = new AbortController();
  const call = await subject.make(hanging, settingsWith({ signal: controller.signal, maxAttempts: 1 }));
  const outcomes = Promise.all(Array.from({ length: 3 }, () => outcomeOf(call)));
  await later();
  controller.abort(FAILURE);
  for (const outcome of await outcomes) assert.equal(outcome.status, 'rejected');
}
