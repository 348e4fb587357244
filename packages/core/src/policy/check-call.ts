import { abortSignal, type Check } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';
import type { ExecuteOptions } from './policy.ts';

const withRemainingMs = (expected: string): Check => ({
  expected,
  accepts: (value) => typeof value === 'object' && value !== null && typeof (value as { remainingMs?: unknown }).remainingMs === 'function',
});
const parentCall = withRemainingMs('the call that an operation was given');
const deadlineCheck = withRemainingMs('a Deadline');

/** Throws ERR_OPTION for what a call was given and cannot be used. Durations are looked at where they are read. */
export function checkCall(options: ExecuteOptions): void {
  if (typeof options !== 'object' || options === null) throw optionError('execute', 'options', options, 'an object');
  const { signal, parent, deadline } = options;
  if (signal !== undefined && !abortSignal.accepts(signal)) throw optionError('execute', 'signal', signal, abortSignal.expected);
  if (parent !== undefined && !parentCall.accepts(parent)) throw optionError('execute', 'parent', parent, parentCall.expected);
  if (deadline !== undefined && !deadlineCheck.accepts(deadline))
    throw optionError('execute', 'deadline', deadline, deadlineCheck.expected);
}
