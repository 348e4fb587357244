import { foreignListeners } from '../../src/cancel/foreign-signal.ts';
import { CancelledError } from '../../src/errors/cancelled-error.ts';
import { isKeelsonError } from '../../src/errors/keelson-error.ts';
import { listen } from '../../src/observe/events.ts';
import { abandonedWork } from '../../src/policy/ongoing-work.ts';
import { useRandom } from '../../src/random/current-random.ts';
import { seededRandom } from '../../src/random/seeded-random.ts';
import { useClock } from '../../src/time/current-clock.ts';
import type { CallRecord } from './call-record.ts';
import { FuzzClock } from './fuzz-clock.ts';
import type { ListenerSpec, StackPlan } from './stack-plan.ts';
import { World } from './world.ts';

/** Longer than anything a plan contains, waits behind one another included. */
const STEP_MS = 30_000;
const MAX_STEPS = 200;

/** What a run has come to. */
export interface StackRun {
  /** Everything that was wrong. */
  readonly faults: readonly string[];
  /** How often what has happened. */
  readonly seen: ReadonlyMap<string, number>;
}

/** Runs a plan to its end. */
export async function runStack(plan: StackPlan): Promise<StackRun> {
  using clock = useClock(new FuzzClock());
  using _random = useRandom(seededRandom(plan.seed));
  using unhandled = new Unhandled();
  const before = { abandoned: abandonedWork(), listeners: foreignListeners() };
  const world = new World(plan, clock);
  const { fault, faults } = { fault: (what: string) => world.ledger.fault(what), faults: world.ledger.faults };
  using _listeners = listenAll(world, plan.listeners);
  if (plan.scope !== undefined) world.scope.open(plan.scope, clock);
  await clock.settle();
  schedule(world, plan);
  for (let step = 0; step < MAX_STEPS && !isQuiet(world); step++) await clock.advance(STEP_MS);
  await clock.settle();

  for (const record of world.records) checkRecord(world, record);
  for (const { name, leftOver } of world.accounts.map((account) => ({ name: account.name, leftOver: account.leftOver() })))
    if (leftOver !== undefined) fault(`${name}: ${leftOver} at the end`);
  world.ledger.close();
  if (!world.scope.isOver) fault('the scope never ended');
  if (world.running > 0) fault(`${world.running} operations never ended: the fuzz itself is wrong`);
  if (clock.pendingTimers > 0) fault(`${clock.pendingTimers} timers that somebody waits for at the end`);
  if (abandonedWork() !== before.abandoned) fault(`${abandonedWork() - before.abandoned} pieces of abandoned work at the end`);
  if (foreignListeners() !== before.listeners) fault(`${foreignListeners() - before.listeners} foreign signals listened to at the end`);
  world.sources.forEach((source, index) => {
    if (source.listeners !== 0) fault(`signal ${index}: ${source.listeners} listeners at the end`);
  });
  for (const error of unhandled.errors) if (isOurs(world, error)) fault(`unhandled rejection: ${String(error)}`);
  return { faults, seen: world.ledger.seen };
}

function schedule(world: World, plan: StackPlan): void {
  plan.signals.forEach(({ abortAtMs }, index) => {
    if (abortAtMs === 0) world.abort(index);
    else if (abortAtMs !== undefined) world.later(abortAtMs, () => world.abort(index));
  });
  plan.calls.forEach((spec, index) => {
    world.later(spec.atMs, () => void world.call(`call ${index}`, spec));
  });
}

const isQuiet = (world: World): boolean => world.records.length > 0 && world.isIdle && world.clock.pendingTimers === 0;

function checkRecord(world: World, record: CallRecord): void {
  const fault = (what: string): void => world.ledger.fault(`${record.id}: ${what}`);
  const { ended, source, spec } = record;
  if (ended === undefined) {
    fault('never settled');
    return;
  }
  if (record.settlements !== 1) fault(`settled ${record.settlements} times`);
  world.ledger.saw(`a call: ${endingOf(record)}`);
  const signal = ended.ok ? record.signals.get(ended.value) : undefined;
  if (signal?.aborted === true) fault('its signal was aborted though it succeeded (C7)');
  const error = ended.ok ? undefined : ended.error;
  const parentReason = record.parent?.signal.aborted === true ? record.parent.signal.reason : undefined;
  const isReason = !ended.ok && (error === source?.reason || error === parentReason || error === world.scope.reason);
  if (record.mustEndWithReason && !isReason) fault(`aborted while pending, but ended with ${show(ended)} (C1)`);
  if (record.wasAborted && (record.starts > 0 || !isReason)) fault(`aborted before it began, but ended with ${show(ended)} (C2)`);
  if (!ended.ok && error === source?.reason && source?.signal.aborted !== true)
    fault('ended with the reason of a signal that did not abort');
  const withinMs = Math.min(spec.timeoutMs ?? Number.POSITIVE_INFINITY, spec.deadlineMs ?? Number.POSITIVE_INFINITY);
  if (record.endedMs > record.startedMs + withinMs) fault(`ended ${record.endedMs - record.startedMs} ms after it began, not ${withinMs}`);
  if (!ended.ok && error !== parentReason && error !== world.scope.reason && !world.isKnownError(record, error))
    fault(`ended with an error from nowhere: ${show(ended)}`);
}

function endingOf({ ended, source, legitimate }: CallRecord): string {
  if (ended?.ok !== false) return legitimate.has(ended?.value) ? 'its own value' : 'a replaced value';
  const { error } = ended;
  if (error === source?.reason) return 'the reason of its signal';
  if (isKeelsonError(error, 'ERR_BULKHEAD_FULL') && error.message.includes('was dropped')) return 'dropped for another';
  if (isKeelsonError(error)) return error.code;
  return legitimate.has(error) ? 'its own error' : 'an error of a layer';
}

const show = (ended: NonNullable<CallRecord['ended']>): string =>
  ended.ok
    ? `the value ${JSON.stringify(ended.value)}`
    : `the error ${ended.error instanceof Error ? ended.error.stack : JSON.stringify(ended.error)}`;

function listenAll(world: World, specs: readonly ListenerSpec[]): Disposable {
  const listening = new DisposableStack();
  for (const { channel, nth, action } of specs) {
    let seen = 0;
    listening.use(
      listen(channel, (event) => {
        if (++seen !== nth) return;
        if (event.type === 'dropped')
          world.whileUnwinding(() => world.act(action)); // its call has been ended, and learns it next
        else world.act(action);
      }),
    );
  }
  return listening;
}

/** A cancellation that nobody awaits is our making; an operation's failure that a stranger drops is the stranger's. */
const isOurs = (world: World, error: unknown): boolean =>
  error instanceof CancelledError || world.sources.some((source) => source.reason === error);

/** Collects rejections that nobody handled, and warnings, in place of whoever listened before. */
class Unhandled implements Disposable {
  readonly errors: unknown[] = [];
  readonly #others: readonly (readonly ['unhandledRejection' | 'warning', (...args: unknown[]) => void])[];
  readonly #collect = (error: unknown): void => void this.errors.push(error);

  constructor() {
    const events = ['unhandledRejection', 'warning'] as const;
    this.#others = events.flatMap((event) =>
      process.listeners(event as 'warning').map((listener) => [event, listener as () => void] as const),
    );
    for (const event of events) process.removeAllListeners(event);
    process.on('unhandledRejection', this.#collect);
    process.on('warning', () => {});
  }

  [Symbol.dispose](): void {
    for (const event of ['unhandledRejection', 'warning']) process.removeAllListeners(event);
    for (const [event, listener] of this.#others) process.on(event, listener);
  }
}
