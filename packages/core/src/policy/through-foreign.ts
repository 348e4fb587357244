import { CancelledError } from '../errors/cancelled-error.ts';
import type { ForeignPart } from './part.ts';
import type { Call, ExecuteOptions, Operation } from './policy.ts';

/** The part of a call that is inside a foreign policy. */
export interface Branch {
  start(): void;
  cancelled(reason: unknown): void;
  /** Whether it was cancelled before it settled. */
  readonly isCancelledByCaller: boolean;
}

/** Makes a branch that runs the rest of the plan. */
export type MakeBranch = (
  options: ExecuteOptions,
  attempt: number,
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
) => Branch;

/**
 * An operation whose body is a foreign policy around the rest of a plan (rule 16 of the engine). Whatever it does with the operation it is
 * given, each call of that is a branch of ours; those that it leaves behind when it settles are cancelled (rule 17).
 */
export function throughForeign(foreign: ForeignPart['foreign'], options: ExecuteOptions, makeBranch: MakeBranch): Operation<unknown> {
  return (call) => {
    const branches = new Set<Branch>();
    let isOver = false;
    const end = (): void => {
      isOver = true;
      if (branches.size === 0) return; // an error for nobody costs more than all the rest
      const reason = new CancelledError('parent', `${foreign.name} settled before its operation did`);
      for (const branch of [...branches]) branch.cancelled(reason);
    };
    const around: ExecuteOptions = { ...options, timeout: undefined, deadline: undefined, signal: call.signal, parent: call };
    const inner: Operation<unknown> = (foreignCall: Call | undefined) => {
      if (isOver) throw new CancelledError('parent', `${foreign.name} called its operation after it had settled`);
      const signal = foreignCall === undefined || foreignCall === call ? undefined : foreignCall.signal;
      let branch!: Branch;
      const outcome = new Promise<unknown>((resolve, reject) => {
        const ok = (value: unknown): void => {
          branches.delete(branch);
          resolve(value);
        };
        const failed = (error: unknown): void => {
          branches.delete(branch);
          if (branch.isCancelledByCaller) outcome.catch(() => {}); // whoever cancelled it knows
          reject(error);
        };
        branch = makeBranch({ ...around, signal }, foreignCall?.attempt ?? 1, ok, failed);
      });
      branches.add(branch);
      branch.start();
      return outcome;
    };
    return new Promise((resolve) => resolve(foreign.execute(inner, around))).finally(end);
  };
}
