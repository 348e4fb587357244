import type { CallSpec, LayerSpec, RunSpec, StackPlan } from './stack-plan.ts';

type IsFailing = (plan: StackPlan) => Promise<boolean>;

const without = <T>(list: readonly T[]): T[][] => list.map((_, index) => list.filter((_each, at) => at !== index));
const replaced = <T>(list: readonly T[], change: (each: T) => readonly T[]): T[][] =>
  list.flatMap((each, index) => change(each).map((other) => list.with(index, other)));

function* smallerLayers(layers: readonly LayerSpec[]): Generator<readonly LayerSpec[]> {
  yield* without(layers);
  for (const [index, layer] of layers.entries()) {
    if (layer.meddle !== undefined) yield layers.with(index, { ...layer, meddle: undefined });
    if (layer.kind !== 'compose' && layer.kind !== 'keyed') continue;
    yield layers.toSpliced(index, 1, ...layer.inner);
    for (const inner of smallerLayers(layer.inner)) yield layers.with(index, { ...layer, inner });
  }
}

/** The simplest start of an operation: whatever can be replaced by it says nothing. */
const PLAIN: RunSpec = {
  waitMs: undefined,
  shape: 'native',
  ends: 'value',
  onAbort: 'reject',
  commits: false,
  charges: false,
  hold: undefined,
  atStart: undefined,
  inAbort: undefined,
  nested: undefined,
};

function smallerRuns(run: RunSpec): RunSpec[] {
  const keys = (Object.keys(PLAIN) as (keyof RunSpec)[]).filter((key) => run[key] !== PLAIN[key]);
  return [...(keys.length > 1 ? [PLAIN] : []), ...keys.map((key) => ({ ...run, [key]: PLAIN[key] }))];
}

function smallerCalls(call: CallSpec): CallSpec[] {
  const unset = (['signal', 'timeoutMs', 'deadlineMs', 'priority', 'cost'] as const).filter((key) => call[key] !== undefined);
  return [
    ...unset.map((key) => ({ ...call, [key]: undefined })),
    ...(call.via === 'machine' ? [] : [{ ...call, via: 'machine' as const }]),
    ...(call.atMs === 0 ? [] : [{ ...call, atMs: 0 }]),
    ...(call.runs.length > 1 ? without(call.runs).map((runs) => ({ ...call, runs })) : []),
    ...replaced(call.runs, smallerRuns).map((runs) => ({ ...call, runs })),
  ];
}

function* smaller(plan: StackPlan): Generator<StackPlan> {
  if (plan.scope !== undefined) yield { ...plan, scope: undefined };
  for (const calls of without(plan.calls)) yield { ...plan, calls };
  for (const listeners of without(plan.listeners)) yield { ...plan, listeners };
  for (const layers of smallerLayers(plan.layers)) yield { ...plan, layers };
  for (const calls of replaced(plan.calls, smallerCalls)) yield { ...plan, calls };
  for (const spares of replaced(plan.spares, smallerCalls)) yield { ...plan, spares };
  for (const [index, { abortAtMs }] of plan.signals.entries())
    if (abortAtMs !== undefined) yield { ...plan, signals: plan.signals.with(index, { abortAtMs: undefined }) };
}

/** Takes away from a failing plan whatever can go while it still fails. */
export async function shrink(plan: StackPlan, isFailing: IsFailing): Promise<StackPlan> {
  let smallest = plan;
  for (let found = true; found; ) {
    found = false;
    for (const candidate of smaller(smallest)) {
      if (!(await isFailing(candidate))) continue;
      smallest = candidate;
      found = true;
      break;
    }
  }
  return smallest;
}
