import type { Layer } from '../../src/policy/layer.ts';
import { LayerPolicy } from '../../src/policy/layer-policy.ts';

class Layered extends LayerPolicy<never, unknown> {}

/** A policy of one layer that is an object of its own. */
export const layered = (layer: Layer): LayerPolicy<never, unknown> => new Layered(layer);
