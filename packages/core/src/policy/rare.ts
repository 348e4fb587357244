import type { CancelLink } from '../cancel/cancel-token.ts';
import type { ContextNode } from '../context/context-node.ts';
import type { AttemptRecord } from '../errors/history.ts';
import type { PacedNode, PacedQueue } from '../sync/paced-queue.ts';
import type { WaitNode } from '../sync/wait-queue.ts';
import type { ScheduledTimer } from '../time/clock.ts';
import type { LaterAttempt } from './attempt-call.ts';
import type { Answer } from './layer.ts';
import type { OngoingWork } from './ongoing-work.ts';
import type { Call } from './policy.ts';

/** What most calls never need; made on demand so that the others stay small. */
export class Rare {
  // the wait that is going on
  timer: ScheduledTimer | null = null;
  node: WaitNode | PacedNode | null = null;
  /** The one it waits in, if that is a paced one. */
  paced: PacedQueue | null = null;
  wake: () => void = nothing;
  untilMs = 0;
  sinceMs = 0;
  /** How a parked call was woken. */
  parked: 'waiting' | 'granted' | { readonly refusal: unknown } = 'waiting';

  /** The layer in whose wait the call was ended, until somebody was told; -1 for none. */
  dropped = -1;

  // waits so far, for messages
  waitedMs = 0;
  waitedFor = 'its turn';

  /** Tickets of the third layer and on, of those that remember something. */
  tickets: unknown[] | null = null;
  /** The current attempt, once it is not the first. */
  later: LaterAttempt | null = null;
  history: AttemptRecord[] | null = null;
  hasOutput = false;
  /** Whether a layer wants to know when the operation starts. */
  awaitsStart = false;
  readonly works: OngoingWork[] = [];

  /** The outcome that waits while a layer consults on the way out; null when it does on the way in. */
  pending: Answer | null = null;
  consulting: LaterAttempt | null = null;

  /** The last error a layer made for this call: tells a policy's refusal from the operation's own failure. */
  refusedWith: unknown = nothing;
  /** The error made because the caller's own limit had passed, or its options were wrong. */
  callersOwn: unknown = nothing;
  isCancelledByCaller = false;

  /** Number of the outermost frame that belongs to this machine: more than 0 beneath a foreign policy. */
  base = 0;
  /** The call above a foreign policy. */
  above: {
    blame(error: unknown, whose: 'policy' | 'caller'): void;
    ticketFor(attempt: unknown, i: number): unknown;
    operationStarts(): void;
  } | null = null;

  scope: ContextNode | undefined = undefined;
  parent: Call | null = null;
  signalLink: CancelLink | null = null;
  parentLink: CancelLink | null = null;
  scopeLink: CancelLink | null = null;
  /** The call is a child of its scope until it ends (law S2). */
  leaveScope: (() => void) | null = null;
  /** What was left when the call's own limit was set. */
  wholeMs = 0;
  deadlineMs: number = Number.POSITIVE_INFINITY;
  deadlineTimer: ScheduledTimer | null = null;
}

function nothing(): void {}
