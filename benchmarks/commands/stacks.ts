import { circuitBreaker, compose, fallback, type Operation } from 'keelson';
import { MEASURED, nameOf, type Subject } from '../harness/case.ts';
import { settled } from '../harness/loops.ts';
import { measureRatios } from '../harness/ratios.ts';
import { RunningCase } from '../harness/running-case.ts';
import { SEQUENTIAL } from '../harness/shapes.ts';
import { bestStopwatch } from '../harness/stopwatch.ts';
import { shortNumber } from '../report/results.ts';
import { ourBreaker, ourBulkhead, ourRateLimit, ourRetry, ourTimeout, standardParts } from '../subjects/keelson.ts';

/** Something that runs an operation. */
type Run = (operation: Operation<number>) => Promise<unknown>;

const fewAttempts = { ...MEASURED, maxAttempts: 1, maxConcurrency: 1 };

const RUNS: Readonly<Record<string, Run>> = {
  'no policy': async (operation) => await operation({} as Parameters<Operation<number>>[0]),
  retry: (operation) => ourRetry(fewAttempts).execute(operation),
  'retry, second attempt': (operation) => ourRetry({ ...fewAttempts, maxAttempts: 2, baseDelayMs: 1 }).execute(operation),
  'circuit breaker': (operation) => ourBreaker(fewAttempts).execute(operation),
  bulkhead: (operation) => ourBulkhead(fewAttempts).execute(operation),
  'bulkhead, after a wait': async (operation) => {
    const policy = ourBulkhead(fewAttempts);
    void policy.execute(() => new Promise((resolve) => setImmediate(resolve)));
    return await policy.execute(operation);
  },
  'rate limit': (operation) => ourRateLimit(fewAttempts).execute(operation),
  timeout: (operation) => ourTimeout(fewAttempts).execute(operation),
  fallback: (operation) => fallback(0, { handles: () => false }).execute(operation),
  'retry > breaker > timeout': (operation) =>
    compose(ourRetry(fewAttempts), ourBreaker(fewAttempts), ourTimeout(fewAttempts)).execute(operation),
  'standard stack': (operation) => compose(...standardParts(fewAttempts)).execute(operation),
};

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Ways for an operation to fail. */
const OPERATIONS: Readonly<Record<string, Operation<number>>> = {
  'throws at once': () => {
    throw new Error('at once');
  },
  'throws after an await': async function work() {
    await nextTurn();
    throw new Error('after an await');
  },
  'throws deep inside': async function work() {
    return await (async function deep(): Promise<number> {
      await nextTurn();
      throw new Error('deep inside');
    })();
  },
};

/** Prints which stack traces lead back to the caller, and what it costs to keep them. */
export async function stacks(): Promise<boolean> {
  Error.stackTraceLimit = STACK_LIMIT;
  console.log(
    'Frames of async functions in the stack of an error that comes out of a policy; "caller" where they lead back to who called it.\n',
  );
  console.log(['', ...Object.keys(OPERATIONS)].map(column).join(''));
  for (const [name, run] of Object.entries(RUNS)) {
    const cells = await Promise.all(Object.values(OPERATIONS).map((operation) => framesKept(() => run(operation))));
    console.log([name, ...cells].map(column).join(''));
  }
  console.log('\nErrors that a policy makes itself:\n');
  console.log(column('timeout') + (await framesKept(() => ourTimeout({ ...MEASURED, timeoutMs: 1 }).execute(() => new Promise(() => {})))));
  console.log(column('open circuit') + (await framesKept(refusal)));
  await printWays();
  return true;
}

const column = (text: string): string => text.padEnd(28);

async function refusal(): Promise<unknown> {
  const breaker = circuitBreaker({ failureThreshold: 1 });
  await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => undefined);
  return await breaker.execute(settled);
}

/** Our own frames come before those of the caller. */
const STACK_LIMIT = 100;

async function framesKept(run: () => Promise<unknown>): Promise<string> {
  async function callerOfThePolicy(): Promise<unknown> {
    return await run();
  }
  try {
    await callerOfThePolicy();
    return 'did not fail';
  } catch (error) {
    const frames = String((error as Error).stack)
      .split('\n')
      .slice(1);
    const asyncFrames = frames.filter((frame) => frame.includes('at async ')).length;
    return `${asyncFrames} async${frames.some((frame) => frame.includes('callerOfThePolicy')) ? ', caller' : ''}`;
  }
}

const pass = (value: number): number => value;
const passOn = (error: unknown): never => {
  throw error;
};

/** Ways to stand between an operation and its caller. */
const WAYS: readonly Subject[] = [
  {
    library: 'own promise',
    variant: 'work().then(ok, failed), as the engine does it',
    make: (work) => () =>
      new Promise((resolve, reject) => {
        work().then((value) => resolve(value), reject as (error: unknown) => undefined);
      }),
  },
  {
    library: 'own promise',
    variant: 'work().then(ok, failed).then(resolve, reject)',
    make: (work) => () =>
      new Promise((resolve, reject) => {
        work().then(pass, passOn).then(resolve, reject);
      }),
  },
  {
    library: 'no promise of its own',
    variant: 'returns work().then(ok, failed)',
    make: (work) => () => work().then(pass, passOn),
  },
];

async function printWays(): Promise<void> {
  console.log('\nWays to stand between an operation and its caller:\n');
  const stopwatch = bestStopwatch();
  const floor = await RunningCase.make('', undefined, SEQUENTIAL, stopwatch);
  const cases: RunningCase[] = [];
  for (const way of WAYS) cases.push(await RunningCase.make('', way, SEQUENTIAL, stopwatch));
  const ratios = await measureRatios(cases, floor, SEQUENTIAL.rounds);
  for (const [index, way] of WAYS.entries()) {
    const frames = await framesKept(
      async () => await (await way.make(OPERATIONS['throws after an await'] as () => Promise<number>, MEASURED))(),
    );
    const ratio = ratios.get(cases[index] as RunningCase)?.median ?? Number.NaN;
    console.log(`${nameOf(way).padEnd(75)} ${shortNumber(ratio)} bare awaits  ${frames}`);
  }
}
