import type { Work } from '../harness/loops.ts';

/** async takes async functions wherever it takes functions with a callback; its types, of which `F` is one, know that for some only. */
export const asAsyncFunction = <F>(work: Work): F => (async () => await work()) as unknown as F;
