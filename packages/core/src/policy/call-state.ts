import { ambient } from '../context/ambient.ts';
import { inert } from '../errors/inert.ts';
import { classifyError, classifyValue, type Outcome } from '../outcome/classify.ts';
import { defaultRandom } from '../random/current-random.ts';
import type { PacedQueue } from '../sync/paced-queue.ts';
import type { Parking } from '../sync/wait-queue.ts';
import type { Clock } from '../time/clock.ts';
import { defaultClock } from '../time/current-clock.ts';
import { formatMs } from '../time/duration.ts';
import { LimitNode, type LimitTarget, limitList } from '../time/limit-list.ts';
import { AttemptCall, AttemptExtras, type CallOwner } from './attempt-call.ts';
import { PROCEED, type Step, type Verdict } from './layer.ts';
import { OngoingWork } from './ongoing-work.ts';
import type { Plan, Slot } from './plan.ts';
import type { Attempt, ExecuteOptions, Operation } from './policy.ts';
import { Rare } from './rare.ts';
import { taskOf } from './task-of.ts';
import { AGAIN, CONSULT, PARK, QUEUE, REJECT, REPLACE, RUN, WAIT } from './verdicts.ts';

export const NO_OPTIONS: ExecuteOptions = Object.freeze({});

/** What a call is doing: one thing at a time, a hook, one wait, or one operation (rule 2 of the engine). */
export type Activity = 'deciding' | 'running' | 'waiting' | 'parked' | 'backing-off' | 'consulting' | 'holding' | 'over';

/**
 * The state of one call: what its layers may read of it and decide ({@link Step}), and what its attempts ask of it. The machine, which is
 * built on it, makes it move.
 *
 * Frames are strictly nested: frame i is open while anything inside it runs or waits; `level` counts the open ones. It serves as the
 * {@link Call} of its own first attempt, which spares an object a call. Hot: fields are assigned, not initialised, which saves 15-20 ns.
 */
export abstract class CallState extends AttemptCall implements Step, CallOwner, LimitTarget {
  declare protected readonly plan: Plan;
  declare protected readonly fn: Operation<unknown>;
  declare readonly options: ExecuteOptions;
  declare readonly clock: Clock;
  declare protected activity: Activity;
  /** The layer in whose hook we are. */
  declare protected at: number;
  declare protected level: number;
  /** Bumped by every change: whatever comes back with an older one is late. */
  declare protected epoch: number;
  declare protected limits: LimitNode | null;
  declare protected ticket0: unknown;
  declare protected ticket1: unknown;
  declare protected rare: Rare | null;
  /** What the last verdict carries; read in the same turn. */
  declare protected payload: unknown;

  constructor(plan: Plan, fn: Operation<unknown>, options: ExecuteOptions, attempt: number) {
    super(attempt);
    this.plan = plan;
    this.fn = fn;
    this.options = options;
    this.activity = 'deciding';
    this.at = 0;
    this.level = 0;
    this.epoch = 0;
    this.limits = null;
    this.ticket0 = undefined;
    this.ticket1 = undefined;
    this.rare = null;
    this.payload = undefined;
    const scope = ambient() ?? (options.parent === undefined ? undefined : taskOf(options.parent));
    if (scope === undefined) this.clock = defaultClock();
    else {
      this.clock = scope.clock;
      this.uncommon.scope = scope;
    }
  }

  // ---- what an attempt asks of its call

  override get owner(): CallOwner {
    return this;
  }

  get operation(): string {
    return inert(this.options.name ?? (this.fn.name || 'operation'));
  }

  get parentPath(): string | undefined {
    return this.rare?.parent?.path;
  }

  timeLeftMs(): number {
    let atMs = Number.POSITIVE_INFINITY;
    const innermost = this.activity === 'deciding' ? this.at : Number.POSITIVE_INFINITY; // further in, an attempt is over that only holds
    for (let node = this.limits; node !== null; node = node.outer) {
      if (node.list !== null && node.level <= innermost) atMs = Math.min(atMs, node.dueMs());
    }
    const rare = this.rare;
    if (rare === null) return atMs === Number.POSITIVE_INFINITY ? atMs : Math.max(0, atMs - this.clock.nowMs());
    atMs = Math.min(atMs, rare.deadlineMs, rare.scope?.deadlineMs ?? Number.POSITIVE_INFINITY);
    const ownMs = atMs === Number.POSITIVE_INFINITY ? atMs : Math.max(0, atMs - this.clock.nowMs());
    return rare.parent === null ? ownMs : Math.min(ownMs, rare.parent.remainingMs());
  }

  /** It has left the attempt around this call, too (law R4). */
  committed(): void {
    const rare = this.uncommon;
    rare.hasOutput = true;
    rare.parent?.commit();
  }

  /** Whether output of any attempt has left, also of one that was abandoned. */
  get hasOutput(): boolean {
    return this.rare?.hasOutput === true;
  }

  chargeFor(attempt: AttemptCall, costs: Readonly<Record<string, number>>): void {
    const nowMs = this.clock.nowMs();
    for (const [i, { layer }] of this.plan.slots.entries()) layer.charge?.(this.options, costs, nowMs, this.ticketFor(attempt, i));
  }

  /** What layer i remembers of this call, if `attempt` is still the one it is about. */
  ticketFor(attempt: unknown, i: number): unknown {
    if (attempt !== this.current) return undefined;
    const rare = this.rare;
    return rare !== null && i < rare.base ? rare.above?.ticketFor(rare.parent, i) : this.ticketAt(i);
  }

  holdFor(attempt: AttemptCall, done: PromiseLike<unknown>): void {
    const { extras } = attempt;
    const work = extended(extras?.abandoned) ?? extended(extras?.held) ?? (this.isRunning(attempt) ? this.heldWork(attempt) : undefined);
    if (work === undefined) return; // the attempt is over and has held nothing: there is nothing left to keep
    const settled = (): void => work.settled();
    Promise.resolve(done).then(settled, settled);
  }

  inherit(work: OngoingWork, attempt: AttemptCall): void {
    const { extras } = attempt;
    let mine = extended(extras?.abandoned) ?? (work.isAbandoned ? undefined : extended(extras?.held));
    if (mine === undefined && !work.isAbandoned && this.isRunning(attempt)) mine = this.heldWork(attempt);
    if (mine === undefined) {
      mine = new OngoingWork(this.uncommon.works, this.level, -1, work.isAbandoned);
      if (this.isSettled) this.handOver(mine);
    }
    work.joins(mine);
  }

  private heldWork(attempt: AttemptCall): OngoingWork {
    attempt.extras ??= new AttemptExtras();
    attempt.extras.held = new OngoingWork(this.uncommon.works, this.level, -1, false);
    return attempt.extras.held;
  }

  private isRunning(attempt: AttemptCall): boolean {
    return attempt === this.current && !this.isSettled;
  }

  /** Whether the caller has its outcome. */
  protected get isSettled(): boolean {
    return this.activity === 'over' || this.activity === 'holding';
  }

  /** Work that outlives its call belongs to whatever is around it. */
  protected abstract handOver(work: OngoingWork): void;

  abstract limitReached(node: LimitNode): void;

  // ---- what layers may read

  get ticket(): unknown {
    return this.ticketAt(this.at);
  }

  private ticketAt(i: number): unknown {
    switch (this.slot(i).ticket) {
      case -1:
        return undefined;
      case 0:
        return this.ticket0;
      case 1:
        return this.ticket1;
      default:
        return this.rare?.tickets?.[i];
    }
  }

  set ticket(ticket: unknown) {
    const slot = this.slot(this.at);
    if (slot.ticket < 0) {
      if (ticket === undefined) return; // nothing is remembered, as before
      slot.ticket = this.plan.tickets++;
    }
    if (slot.ticket === 0) this.ticket0 = ticket;
    else if (slot.ticket === 1) this.ticket1 = ticket;
    else {
      const rare = this.uncommon;
      rare.tickets ??= new Array(this.plan.slots.length);
      rare.tickets[this.at] = ticket;
    }
  }

  nowMs(): number {
    return this.clock.nowMs();
  }

  epochMs(): number {
    return this.clock.epochMs();
  }

  random(): number {
    return (this.rare?.scope?.random ?? defaultRandom()).next();
  }

  classifyError(error: unknown): Outcome {
    const { classify } = this.slot(this.at);
    return classify === undefined ? classifyError(error) : classify({ ok: false, error });
  }

  classifyValue(value: unknown): Outcome {
    const { classify } = this.slot(this.at);
    return classify === undefined ? classifyValue(value) : classify({ ok: true, value });
  }

  progress(): string {
    const { maxAttempts } = this.plan;
    const { attempt } = this.current;
    const parts: string[] = [];
    if (maxAttempts !== undefined) parts.push(`attempt ${attempt} of ${maxAttempts}`);
    else if (attempt > 1) parts.push(`attempt ${attempt}`);
    const rare = this.rare;
    if (rare !== null && rare.waitedMs > 0) parts.push(`waited ${formatMs(rare.waitedMs)} for ${rare.waitedFor}`);
    return parts.join(', ');
  }

  get isObserved(): boolean {
    return this.slot(this.at).channel.hasSubscribers;
  }

  publish(type: string, fields: Readonly<Record<string, unknown>>): void {
    const slot = this.slot(this.at);
    slot.channel.publish({ type, policy: slot.name, operation: this.operation, attempt: this.current.attempt, ...fields });
  }

  whenStarted(): void {
    this.uncommon.awaitsStart = true;
  }

  // ---- what layers may decide

  limit(ms: number): Verdict {
    if (ms === Number.POSITIVE_INFINITY) return PROCEED;
    const node = new LimitNode(this, this.at, this.limits);
    this.limits = node;
    const slot = this.slot(this.at);
    let list = slot.list;
    if (list === null || list.durationMs !== ms || list.clock !== this.clock) {
      list = limitList(this.clock, ms);
      slot.list = list;
    }
    list.add(node);
    return PROCEED;
  }

  waitUntil(atMs: number, refusal: () => unknown): Verdict {
    this.uncommon.untilMs = atMs;
    return this.deciding(WAIT, refusal);
  }

  park(queue: Parking): Verdict {
    return this.deciding(PARK, queue);
  }

  queueIn(queue: PacedQueue, expectedMs: number, refusal: () => unknown): Verdict {
    const rare = this.uncommon;
    rare.paced = queue;
    rare.untilMs = expectedMs;
    return this.deciding(QUEUE, refusal);
  }

  reject(error: unknown): Verdict {
    return this.deciding(REJECT, error);
  }

  replace(value: unknown): Verdict {
    return this.deciding(REPLACE, value);
  }

  run(operation: Operation<unknown>): Verdict {
    return this.deciding(RUN, operation);
  }

  again(delayMs: number): Verdict {
    return this.deciding(AGAIN, delayMs);
  }

  consult(operation: Operation<unknown>): Verdict {
    return this.deciding(CONSULT, operation);
  }

  private deciding(verdict: Verdict, payload: unknown): Verdict {
    this.payload = payload;
    return verdict;
  }

  // ---- who is told, and whose doing it was

  /** Tells the layers that have asked for it. */
  operationStarts(): void {
    const { awaitsStart, above, base } = this.uncommon;
    above?.operationStarts();
    if (!awaitsStart) return;
    for (let i = base; i < this.level; i++) {
      this.at = i;
      this.slot(i).layer.started?.(this);
    }
  }

  /** A hook threw: what the caller asked of its layer is wrong, or code of the caller's that it called threw. */
  protected thrown(error: unknown): Verdict {
    this.blame(error, 'caller');
    return this.reject(error);
  }

  /** It is the doing of a policy, or of the caller, that this call fails with `error`. */
  blame(error: unknown, whose: 'policy' | 'caller'): void {
    this.uncommon[whose === 'caller' ? 'callersOwn' : 'refusedWith'] = error;
  }

  /** By whose doing the call failed with `error`. */
  endedBy(error: unknown): Extract<Attempt<unknown>, { ok: false }>['by'] {
    const rare = this.rare;
    if (rare === null) return 'operation';
    if (rare.isCancelledByCaller || error === rare.callersOwn) return 'caller';
    return error === rare.refusedWith ? 'policy' : 'operation';
  }

  get isCancelledByCaller(): boolean {
    return this.rare?.isCancelledByCaller === true;
  }

  // ---- small things

  protected get uncommon(): Rare {
    this.rare ??= new Rare();
    return this.rare;
  }

  protected get base(): number {
    return this.rare === null ? 0 : this.rare.base;
  }

  protected get current(): AttemptCall {
    return this.rare === null || this.rare.later === null ? this : this.rare.later;
  }

  protected slot(i: number): Slot {
    return this.plan.slots[i] as Slot;
  }
}

/** The work, one thing richer; undefined where there is none that still goes on. */
function extended(work: OngoingWork | null | undefined): OngoingWork | undefined {
  if (work === null || work === undefined || work.isOver) return undefined;
  work.extend();
  return work;
}
