import { inspect } from 'node:util';
import type { Call } from '../../src/policy/policy.ts';
import type { ForeignSource } from './foreign-source.ts';
import type { CallSpec } from './stack-plan.ts';

export type Ended = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

/** One call, and what became of it. */
export class CallRecord {
  readonly id: string;
  readonly spec: CallSpec;
  readonly source: ForeignSource | undefined;
  readonly startedMs: number;
  readonly wasAborted: boolean;
  /** Values and errors that its own runs have ended with. */
  readonly legitimate: Set<unknown> = new Set();
  /** The call inside which it was made. */
  parent: Call | undefined;
  /** The signals that its runs were given, by the values they ended with, where they held nothing. */
  readonly signals: Map<unknown, AbortSignal> = new Map();
  starts = 0;
  /** Output of one of its attempts has left. */
  isCommitted = false;
  settlements = 0;
  ended: Ended | undefined;
  endedMs = 0;
  /** Undefined until it has returned, and where settlement is told directly. */
  promise: Promise<unknown> | undefined;
  hasReturned = false;
  /** Its signal was aborted while it had not settled. */
  mustEndWithReason = false;

  constructor(id: string, spec: CallSpec, source: ForeignSource | undefined, nowMs: number) {
    this.id = id;
    this.spec = spec;
    this.source = source;
    this.startedMs = nowMs;
    this.wasAborted = source?.signal.aborted === true;
  }

  /** Whether it is pending at this very moment; a promise does not tell before its reactions run, but Node does. */
  get isPending(): boolean {
    if (this.ended !== undefined) return false;
    return this.promise === undefined || inspect(this.promise, { depth: 0 }).includes('<pending>');
  }

  end(ended: Ended, nowMs: number): void {
    this.settlements++;
    this.ended ??= ended;
    this.endedMs = nowMs;
  }
}
