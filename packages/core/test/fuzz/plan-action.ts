import type { Dice } from './dice.ts';
import type { Action } from './stack-plan.ts';

/** How many signals and spare calls a plan has. */
export const SIGNALS = 5;
export const SPARES = 4;

export function randomAction(dice: Dice): Action {
  return dice.chance(0.6) ? { do: 'abort', signal: dice.whole(0, SIGNALS - 1) } : { do: 'execute', spare: dice.whole(0, SPARES - 1) };
}
