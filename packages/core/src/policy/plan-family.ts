import type { Choice, KeyedPart, Part, StaticPart } from './part.ts';
import { Plan } from './plan.ts';
import type { ExecuteOptions } from './policy.ts';

/** The plans below one sequence of choices. */
interface Node {
  plan: Plan | undefined;
  readonly next: WeakMap<Choice, Node>;
}

const isKeyed = (part: Part): part is KeyedPart => 'choose' in part;

/**
 * The plans of one composition: a single one, or one for each choice that its keyed parts make. So a keyed policy is run by the machine like
 * any other, in the same frames and under the same laws.
 */
export class PlanFamily {
  readonly #parts: readonly Part[];
  readonly #keyed: readonly KeyedPart[];
  readonly #root: Node = { plan: undefined, next: new WeakMap() };

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.#keyed = parts.filter(isKeyed);
  }

  planFor(options: ExecuteOptions): Plan {
    if (this.#keyed.length === 0) {
      this.#root.plan ??= new Plan(this.#parts as readonly StaticPart[]);
      return this.#root.plan;
    }
    const choices = this.#keyed.map((part) => part.choose(options));
    let node = this.#root;
    for (const choice of choices) node = below(node, choice);
    node.plan ??= this.#planWith(choices);
    return node.plan;
  }

  #planWith(choices: readonly Choice[]): Plan {
    const chosen = new Map(this.#keyed.map((part, index) => [part, choices[index] as Choice]));
    const presences: StaticPart[] = choices.map((choice) => ({ layer: choice.presence, classify: undefined }));
    const parts = this.#parts.flatMap((part) => (isKeyed(part) ? chosenParts(part, chosen.get(part) as Choice) : [part]));
    return new Plan([...presences, ...parts]);
  }
}

function chosenParts({ classify }: KeyedPart, choice: Choice): readonly StaticPart[] {
  return choice.parts.map((part) => ('layer' in part ? { layer: part.layer, classify: part.classify ?? classify } : part));
}

function below(node: Node, choice: Choice): Node {
  let next = node.next.get(choice);
  if (next === undefined) {
    next = { plan: undefined, next: new WeakMap() };
    node.next.set(choice, next);
  }
  return next;
}
