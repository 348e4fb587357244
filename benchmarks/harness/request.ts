import type { Spread } from './statistics.ts';

/** One subject of one group. */
export interface Chosen {
  readonly group: string;
  readonly subject: string;
}

/** What a measuring process is asked for. */
export type Request =
  | { readonly what: 'check'; readonly chosen: readonly Chosen[] }
  | { readonly what: 'ratios'; readonly shape: string; readonly rounds?: number; readonly chosen: readonly Chosen[] }
  | { readonly what: 'bytes'; readonly chosen: readonly Chosen[] };

/** How many times as long as the bare work a call takes. */
export interface Ratio extends Chosen, Spread {
  readonly shape: string;
}

/** How much a call allocates; null where it is too much to tell. */
export interface Bytes extends Chosen {
  readonly bytes: number | null;
}

/** What a measuring process answers. */
export interface Answer {
  readonly clock: string;
  readonly ratios: readonly Ratio[];
  readonly bytes: readonly Bytes[];
  /** Of subjects that do not do what they are there for. */
  readonly failures: readonly string[];
}
