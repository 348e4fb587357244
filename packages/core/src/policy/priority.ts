/** The priorities of calls, the most urgent first. */
export const PRIORITIES: readonly ['critical', 'high', 'normal', 'low', 'background'] = Object.freeze([
  'critical',
  'high',
  'normal',
  'low',
  'background',
]);

/** How urgent a call is, where calls wait for one another. */
export type Priority = (typeof PRIORITIES)[number];
