import { planStack } from './plan-stack.ts';
import { printPlan } from './print-plan.ts';
import { runStack } from './run-stack.ts';
import { shrink } from './shrink.ts';
import type { StackPlan } from './stack-plan.ts';

/** What a fault is about, without the numbers. */
const kindOf = (fault: string): string => fault.replaceAll(/#?\d+/g, '').slice(0, 80);

/** Everything somebody needs to find the fault of a seed. */
async function report(plan: StackPlan, faults: readonly string[]): Promise<string> {
  const kind = kindOf(faults[0] ?? '');
  const smallest = await shrink(plan, async (each) => (await runStack(each)).faults.some((fault) => kindOf(fault) === kind));
  return [
    `seed ${plan.seed}:`,
    ...faults.map((fault) => `- ${fault}`),
    `run it alone: FUZZ_SEED=${plan.seed} FUZZ_STACKS=1 npx vitest run --project unit packages/core/test/fuzz`,
    `what is left of it while it fails (${kind}):`,
    printPlan(smallest),
    'all of it:',
    printPlan(plan),
  ].join('\n');
}

/** Runs the stacks of `count` seeds; rejects with a report of the first one that fails. Resolves to how often what has happened. */
export async function fuzzStacks(firstSeed: number, count: number): Promise<ReadonlyMap<string, number>> {
  const all = new Map<string, number>();
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const plan = planStack(seed);
    const { faults, seen } = await runStack(plan);
    if (faults.length > 0) throw new Error(await report(plan, faults));
    for (const [what, times] of seen) all.set(what, (all.get(what) ?? 0) + times);
  }
  return all;
}
