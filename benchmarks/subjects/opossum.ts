import Opossum from 'opossum';
import type { Settings } from '../harness/case.ts';
import type { Work } from '../harness/loops.ts';

export type OpossumBreaker = Opossum<[], number>;

/** It has no count of failures in a row; this opens it after as many as the others when there was no success. */
const tripping = ({ failureThreshold, recoveryMs }: Settings): Opossum.Options<[]> => ({
  volumeThreshold: failureThreshold,
  errorThresholdPercentage: 50,
  resetTimeout: recoveryMs,
});

/** As it comes: it has a timeout of its own, and keeps percentiles. */
export const opossum = (work: Work, settings: Settings): OpossumBreaker =>
  new Opossum(() => work(), { ...tripping(settings), timeout: settings.timeoutMs });

/** Without a timeout and percentiles. */
export const tunedOpossum = (work: Work, settings: Settings): OpossumBreaker =>
  new Opossum(() => work(), { ...tripping(settings), timeout: false, rollingPercentilesEnabled: false });

/** With its timeout, without percentiles. */
export const tunedOpossumWithTimeout = (work: Work, settings: Settings): OpossumBreaker =>
  new Opossum(() => work(), { ...tripping(settings), timeout: settings.timeoutMs, rollingPercentilesEnabled: false });
