import type { KeelsonError } from '../errors/keelson-error.ts';
import { EnginePolicy } from './engine-policy.ts';
import type { Layer } from './layer.ts';
import type { PolicyDescription } from './policy.ts';

/** A built-in policy: one layer that also works alone. */
export abstract class LayerPolicy<R = never, E = KeelsonError> extends EnginePolicy<R, E> {
  readonly #layer: Layer;

  constructor(layer: Layer) {
    super([{ layer, classify: undefined }]);
    this.#layer = layer;
  }

  get name(): string {
    return this.#layer.name;
  }

  describe(): PolicyDescription {
    return this.#layer.describe();
  }
}
