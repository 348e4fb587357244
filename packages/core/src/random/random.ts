/** Where chance comes from; jitter, sampling and shuffles draw from here only, so that a test can seed it. */
export interface Random {
  /** A number at or above 0 and below 1. */
  next(): number;
}
