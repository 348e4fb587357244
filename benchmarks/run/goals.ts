/** One figure, and what it is meant to be. */
export interface Goal {
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  readonly atLeast?: number | undefined;
  readonly atMost?: number | undefined;
}

const reached = ({ value, atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }: Goal): boolean =>
  value >= atLeast && value <= atMost;

/** Prints a line a goal; whether all are reached. */
export function reportGoals(goals: readonly Goal[]): boolean {
  for (const goal of goals) {
    const { what, unit, value, atLeast, atMost } = goal;
    const bound = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
    console.log(`${reached(goal) ? 'ok    ' : 'broken'} ${what}: ${value.toFixed(value < 10 ? 2 : 0)}${unit} (goal ${bound}${unit})`);
  }
  return goals.every(reached);
}
