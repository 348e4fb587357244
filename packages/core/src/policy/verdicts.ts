import type { Verdict } from './layer.ts';

// What the verdicts of a Step are to the machine. PROCEED and DONE are 0.
export const WAIT: Verdict = 1 as Verdict;
export const PARK: Verdict = 2 as Verdict;
export const REJECT: Verdict = 3 as Verdict;
export const REPLACE: Verdict = 4 as Verdict;
export const RUN: Verdict = 5 as Verdict;
export const AGAIN: Verdict = 6 as Verdict;
export const CONSULT: Verdict = 7 as Verdict;
export const QUEUE: Verdict = 8 as Verdict;
