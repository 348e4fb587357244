import { KeelsonError } from '../errors/keelson-error.ts';

// What a layer does wrong becomes the outcome of the call (rule 13 of the engine).

/** The error that a layer makes; what it throws instead serves as well. */
export function made(error: () => unknown): unknown {
  try {
    return error();
  } catch (thrown) {
    return thrown;
  }
}

/** A layer has decided what its hook cannot decide. */
export const unfitVerdict = (layer: string, hook: string): KeelsonError =>
  new KeelsonError('ERR_UNSUPPORTED', `${layer} gave a verdict that ${hook} cannot give`, { policy: layer });
