import { PRIORITIES } from '../../src/policy/priority.ts';
import { Dice } from './dice.ts';
import { randomAction, SIGNALS, SPARES } from './plan-action.ts';
import { randomLayers } from './plan-layers.ts';
import type { CallSpec, Ending, LayerSpec, ListenerSpec, RunSpec, ScopeSpec, SignalSpec, StackPlan } from './stack-plan.ts';

const CALLS = 12;
const CHANNELS = [
  ...['retry', 'timeout', 'fallback', 'circuit-breaker', 'rate-limiter', 'bulkhead', 'keyed', 'foreign'],
  ...['permits', 'pause', 'limit', 'again', 'consult', 'entry', 'exit'],
];

const ENDINGS: readonly Ending[] = [
  ...(['value', 'value', 'value', 'value', 'undefined', 'disposable', 'throttled value'] as const),
  ...(['error', 'error', 'error', 'text', 'throttled error', 'permanent error', 'abort-like error'] as const),
];

function randomWaitMs(dice: Dice): number | undefined {
  if (dice.chance(0.15)) return undefined;
  if (dice.chance(0.08)) return dice.whole(500, 4000);
  return dice.chance(0.1) ? 0 : dice.whole(1, 120);
}

function randomRun(dice: Dice, mayNest: boolean): RunSpec {
  return {
    waitMs: randomWaitMs(dice),
    shape: dice.chance(0.8) ? 'native' : 'thenable',
    ends: dice.oneOf(ENDINGS),
    onAbort: dice.oneOf(['reject', 'reject', 'wrap', 'resolve', 'ignore', 'ignore']),
    commits: dice.chance(0.05),
    charges: dice.chance(0.1),
    hold: dice.maybe(0.12, () => ({ ms: dice.whole(0, 300), obeys: dice.chance(0.5) })),
    atStart: dice.maybe(0.05, () => randomAction(dice)),
    inAbort: dice.maybe(0.1, () => randomAction(dice)),
    nested: mayNest ? dice.maybe(0.08, () => ({ spare: dice.whole(0, SPARES - 1), isAwaited: dice.chance(0.7) })) : undefined,
  };
}

function randomCall(dice: Dice, isSpare: boolean): CallSpec {
  return {
    atMs: isSpare ? 0 : dice.whole(0, 12) * 7,
    via: dice.oneOf(['execute', 'attempt', 'wrap', 'machine', 'machine', 'machine']),
    signal: dice.maybe(0.6, () => dice.whole(0, SIGNALS - 1)),
    // A call inside another of the same policy could wait for ever for what the outer one has.
    timeoutMs: isSpare ? dice.whole(1, 150) : dice.maybe(0.2, () => dice.whole(1, 200)),
    deadlineMs: dice.maybe(0.1, () => dice.whole(0, 200)),
    key: dice.oneOf(['a', 'b', '__proto__']),
    priority: dice.maybe(0.6, () => dice.oneOf(PRIORITIES)),
    idempotent: dice.chance(0.9),
    cost: dice.maybe(0.2, () => dice.whole(0, 3)),
    runs: dice.list(dice.whole(1, 3), () => randomRun(dice, !isSpare)),
  };
}

function randomSignal(dice: Dice): SignalSpec {
  if (dice.chance(0.1)) return { abortAtMs: 0 };
  return { abortAtMs: dice.maybe(0.5, () => dice.whole(1, 250)) };
}

function randomListener(dice: Dice): ListenerSpec {
  return {
    channel: dice.oneOf(CHANNELS),
    nth: dice.whole(1, 6),
    action: dice.chance(0.3) ? { do: 'throw' } : randomAction(dice),
  };
}

function guarded(spec: LayerSpec): LayerSpec {
  return 'inner' in spec ? { ...spec, guard: true, inner: spec.inner.map(guarded) } : { ...spec, guard: true };
}

/** The plan of a seed: 1 to 8 layers in any order, twelve calls, some signals, listeners and calls from within. */
export function planStack(seed: number): StackPlan {
  const dice = new Dice(seed);
  const layers = randomLayers(dice, dice.whole(1, 8));
  const scope = (): ScopeSpec => ({
    timeoutMs: dice.maybe(0.3, () => dice.whole(20, 300)),
    cancelAtMs: dice.maybe(0.3, () => dice.whole(0, 250)),
    endsAtMs: dice.whole(0, 250),
  });
  return {
    seed,
    scope: dice.maybe(0.2, scope),
    layers: dice.chance(0.3) ? layers.map(guarded) : layers,
    signals: dice.list(SIGNALS, () => randomSignal(dice)),
    calls: dice.list(CALLS, () => randomCall(dice, false)),
    spares: dice.list(SPARES, () => randomCall(dice, true)),
    listeners: dice.list(dice.chance(0.4) ? dice.whole(1, 3) : 0, () => randomListener(dice)),
  };
}
