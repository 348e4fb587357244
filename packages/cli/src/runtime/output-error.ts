import { OUTCOME, type Outcome } from 'keelson';
import { systemReason } from './system-reason.ts';

const NO_FAULT_OF_THE_CALLEE: Outcome = { kind: 'permanent', origin: 'local' };

/** A result could not be written: the run ends with exit code 3, and the journal is whole to its last line. */
export class OutputError extends Error {
  constructor(path: string, cause: unknown) {
    super(`cannot write ${path}: ${systemReason(cause)}`, { cause });
    this.name = 'OutputError';
    Object.defineProperty(this, OUTCOME, { value: NO_FAULT_OF_THE_CALLEE });
  }
}
