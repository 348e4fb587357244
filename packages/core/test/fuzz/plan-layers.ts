import type { Jitter } from '../../src/policy/backoff.ts';
import type { Dice } from './dice.ts';
import { randomAction } from './plan-action.ts';
import type {
  AsideSpec,
  BreakerAct,
  EntryVerdict,
  ExitVerdict,
  LayerSpec,
  LimiterAct,
  Meddle,
  PredicateSpec,
  RealSpec,
  StrangerManner,
  TestLayerSpec,
  Watch,
} from './stack-plan.ts';

const ENTRY: readonly EntryVerdict[] = ['proceed', 'reject', 'replace', 'wait', 'park', 'limit', 'throw', 'unfit'];
const ANSWERED: readonly EntryVerdict[] = ['proceed', 'proceed', 'proceed', 'proceed', 'wait', 'park', 'limit', ...ENTRY];
const EXIT: readonly ExitVerdict[] = ['done', 'done', 'reject', 'replace', 'run', 'again', 'throw', 'unfit'];
const MANNERS: readonly StrangerManner[] = [
  ...(['obedient', 'own-call', 'double', 'retrying', 'late', 'never', 'early', 'afterwards', 'throwing'] as const),
];
const JITTERS: readonly Jitter[] = ['full', 'equal', 'decorrelated', 'smooth', 'none', { plusOrMinus: 0.5 }];
const HOOKS: readonly Meddle['hook'][] = ['enter', 'due', 'succeed', 'fail', 'consulted', 'abandon', 'release', 'expire'];

type Make = (dice: Dice, depth: number) => LayerSpec | Omit<LayerSpec, keyof Watch>;

const aside = (dice: Dice): AsideSpec => ({
  waitMs: dice.maybe(0.7, () => dice.whole(0, 80)),
  fails: dice.chance(0.15),
  obeys: dice.chance(0.5),
});

const testLayers: Readonly<Record<TestLayerSpec['kind'], (dice: Dice) => TestLayerSpec>> = {
  permits: (dice) => ({
    kind: 'permits',
    max: dice.whole(1, 3),
    maxQueue: dice.whole(0, 8),
    refusesAtMs: dice.maybe(0.1, () => dice.whole(10, 150)),
  }),
  pause: (dice) => ({ kind: 'pause', ms: dice.whole(0, 40), refusal: dice.chance(0.9) ? 'error' : 'throws' }),
  turns: (dice) => ({
    kind: 'turns',
    everyMs: dice.whole(0, 30),
    hesitates: dice.chance(0.3),
    verdict: dice.oneOf(ANSWERED),
    refusesAtMs: dice.maybe(0.1, () => dice.whole(10, 150)),
  }),
  limit: (dice) => ({ kind: 'limit', ms: dice.whole(1, 120), expires: dice.chance(0.9) ? 'error' : 'throws' }),
  again: (dice) => ({ kind: 'again', maxAttempts: dice.whole(1, 4), delayMs: dice.whole(0, 40), onValues: dice.chance(0.3) }),
  'consult-in': (dice) => ({ kind: 'consult-in', aside: aside(dice), twice: dice.chance(0.2), verdict: dice.oneOf(ANSWERED) }),
  'consult-out': (dice) => ({ kind: 'consult-out', aside: aside(dice), twice: dice.chance(0.2), verdict: dice.oneOf(EXIT) }),
  entry: (dice) => ({ kind: 'entry', every: dice.whole(2, 6), verdict: dice.oneOf(ENTRY) }),
  exit: (dice) => ({
    kind: 'exit',
    hook: dice.chance(0.4) ? 'succeed' : 'fail',
    every: dice.whole(1, 4),
    verdict: dice.oneOf(EXIT),
    aside: aside(dice),
  }),
};

const predicate = (dice: Dice): PredicateSpec | undefined =>
  dice.maybe(0.15, () => ({ nth: dice.whole(1, 6), action: randomAction(dice) }));

function breakerAct(dice: Dice): BreakerAct {
  const atMs = dice.whole(5, 150);
  return dice.oneOf<() => BreakerAct>([
    () => ({ do: 'isolate', atMs, forMs: dice.whole(0, 60) }),
    () => ({ do: 'reconfigure', atMs, slowCallMs: dice.whole(1, 80), recoveryMs: dice.whole(5, 80), rampUp: dice.whole(0, 3) }),
    () => ({ do: 'restore', atMs }),
    () => ({ do: 'close', atMs }),
  ])();
}

const limiterAct = (dice: Dice): LimiterAct => {
  const atMs = dice.whole(5, 150);
  const act = dice.oneOf(['reconfigure', 'reconfigure', 'restore', 'close'] as const);
  if (act !== 'reconfigure') return { do: act, atMs };
  return { do: act, atMs, limit: dice.whole(5, 60), burst: dice.whole(1, 3), maxQueue: dice.whole(0, 8) };
};

const realLayers: Readonly<Record<RealSpec['kind'], (dice: Dice) => RealSpec>> = {
  retry: (dice) => ({
    kind: 'retry',
    maxAttempts: dice.whole(1, 4),
    baseDelayMs: dice.whole(0, 40),
    jitter: dice.oneOf(JITTERS),
    nested: dice.chance(0.7) ? 'bounded' : 'multiply',
    budget: dice.oneOf(['none', 'none', 'budget', 'quota']),
    before: dice.maybe(0.3, () => aside(dice)),
    predicate: predicate(dice),
  }),
  timeout: (dice) => ({ kind: 'timeout', timeoutMs: dice.whole(1, 150) }),
  breaker: (dice) => ({
    kind: 'breaker',
    trips: dice.oneOf(['consecutive', 'count window', 'time window']),
    slowCallMs: dice.maybe(0.4, () => dice.whole(1, 80)),
    recoveryMs: dice.whole(5, 80),
    recoveryFactor: dice.whole(1, 2),
    recoveryJitter: dice.oneOf([0, 0, 0.5]),
    successThreshold: dice.whole(1, 2),
    maxProbes: dice.whole(1, 2),
    probeLeaseMs: dice.maybe(0.5, () => dice.whole(5, 100)),
    rampUp: dice.oneOf([0, 1, 3, 100]),
    owner: dice.chance(0.25) ? dice.list(dice.whole(1, 2), () => breakerAct(dice)) : [],
    predicate: predicate(dice),
  }),
  limiter: (dice) => ({
    kind: 'limiter',
    algorithm: dice.oneOf(['gcra', 'sliding-window']),
    limit: dice.whole(5, 60),
    burst: dice.whole(1, 3),
    maxQueue: dice.whole(0, 8),
    overflow: dice.oneOf(['reject', 'dropOldest']),
    counts: dice.oneOf(['calls', 'tokens']),
    adaptive: dice.chance(0.5),
    owner: dice.chance(0.25) ? dice.list(dice.whole(1, 2), () => limiterAct(dice)) : [],
  }),
  bulkhead: (dice) => ({
    kind: 'bulkhead',
    max: dice.whole(1, 3),
    maxQueue: dice.whole(0, 8),
    maxAbandoned: dice.maybe(0.3, () => dice.whole(0, 2)),
    overflow: dice.oneOf(['reject', 'dropOldest', 'dropNewest']),
    agingMs: dice.oneOf([1, 20, Number.POSITIVE_INFINITY]),
    isFair: dice.chance(0.5),
    change: dice.maybe(0.2, () => ({ atMs: dice.whole(5, 120), max: dice.whole(1, 3), maxQueue: dice.whole(0, 4) })),
    closesAtMs: dice.maybe(0.1, () => dice.whole(10, 150)),
  }),
  fallback: (dice) => ({ kind: 'fallback', operation: dice.maybe(0.5, () => aside(dice)), predicate: predicate(dice) }),
};

const makers: readonly Make[] = [
  ...Object.values(realLayers),
  ...Object.values(realLayers),
  ...Object.values(testLayers),
  (dice) => ({ kind: 'stranger', manner: dice.oneOf(MANNERS), waitMs: dice.whole(0, 60), obeys: dice.chance(0.5) }),
  (dice) => ({ kind: 'stranger', manner: 'obedient', waitMs: dice.whole(0, 60), obeys: dice.chance(0.5) }),
];

const groups: readonly Make[] = [
  (dice, depth) => ({
    kind: 'compose',
    classify: dice.oneOf(['default', 'own', 'throwing']),
    inner: randomLayers(dice, dice.whole(1, 3), depth + 1),
  }),
  (dice, depth) => ({ kind: 'keyed', inner: randomLayers(dice, dice.whole(1, 2), depth + 1).filter(isUnkeyed) }),
];

const isUnkeyed = (spec: LayerSpec): boolean => spec.kind !== 'keyed' && !(spec.kind === 'compose' && !spec.inner.every(isUnkeyed));

function watch(dice: Dice): Watch {
  const guard = dice.chance(0.75);
  const meddle = (): Meddle => ({
    hook: dice.oneOf(HOOKS),
    nth: dice.whole(1, 6),
    when: dice.chance(0.5) ? 'before' : 'after',
    action: randomAction(dice),
  });
  return { guard, meddle: guard ? dice.maybe(0.25, meddle) : undefined };
}

/** So many layers of any kind, in any order. */
export function randomLayers(dice: Dice, count: number, depth = 0): LayerSpec[] {
  return dice.list(count, () => {
    const choices = depth < 2 && dice.chance(0.15) ? groups : makers;
    return { ...dice.oneOf(choices)(dice, depth), ...watch(dice) } as LayerSpec;
  });
}
