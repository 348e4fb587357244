import type { Classify } from '../outcome/classify.ts';
import type { Layer } from './layer.ts';
import type { ExecuteOptions, Policy } from './policy.ts';

/** A layer of ours in a composition. */
export interface LayerPart {
  readonly layer: Layer;
  /** How this layer classifies outcomes; undefined: as everybody does. */
  readonly classify: Classify | undefined;
}

/** Somebody else's policy in a composition. */
export interface ForeignPart {
  readonly foreign: Pick<Policy<unknown, unknown>, 'name' | 'execute'>;
}

/** What one key of a keyed part stands for. */
export interface Choice {
  readonly parts: readonly StaticPart[];
  /** Counts the calls that use this choice, from their start until all their work has ended. */
  readonly presence: Layer;
}

/** A part that each call chooses by its options. */
export interface KeyedPart {
  readonly choose: (options: ExecuteOptions) => Choice;
  /** How its layers classify outcomes that have no classifier of their own. */
  readonly classify: Classify | undefined;
}

/** What needs no choosing. */
export type StaticPart = LayerPart | ForeignPart;

/** One part of a composition, as the engine takes it. */
export type Part = StaticPart | KeyedPart;
