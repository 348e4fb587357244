import type { Cancellable } from '../cancel/cancel-token.ts';
import { tokenOf } from '../cancel/foreign-signal.ts';
import { isCausedBy } from '../cancel/is-caused-by.ts';
import { type CapturedContext, captureContext } from '../context/ambient.ts';
import type { ContextNode } from '../context/context-node.ts';
import { CancelledError } from '../errors/cancelled-error.ts';
import { addAttempt, recordAttempts, suppress } from '../errors/history.ts';
import { KeelsonError } from '../errors/keelson-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import type { PacedQueue } from '../sync/paced-queue.ts';
import type { Parking } from '../sync/wait-queue.ts';
import { formatMs, toMs } from '../time/duration.ts';
import { LimitNode, limitList } from '../time/limit-list.ts';
import { AttemptCall, AttemptExtras, LaterAttempt } from './attempt-call.ts';
import { CallPromise } from './call-promise.ts';
import { discard } from './discard.ts';
import { type Answer, DONE, PROCEED, type Verdict } from './layer.ts';
import { made, unfitVerdict } from './layer-faults.ts';
import { OngoingWork, releaseAfter, releaseNow, reportBug } from './ongoing-work.ts';
import type { ForeignPart } from './part.ts';
import type { Plan, Slot } from './plan.ts';
import type { ExecuteOptions, Operation } from './policy.ts';
import type { Rare } from './rare.ts';
import { runOperation } from './run-operation.ts';
import { taskOf } from './task-of.ts';
import { type Branch, throughForeign } from './through-foreign.ts';
import { AGAIN, CONSULT, PARK, QUEUE, REJECT, REPLACE, RUN, WAIT } from './verdicts.ts';

/**
 * Runs one call of a composition: the only thing in the library that waits, cancels, keeps deadlines, hands permits back and tracks abandoned
 * work. Layers decide, the machine acts; so a law of cancellation or permits holds for every layer in every order.
 */
export class Machine extends CallPromise implements Branch, Cancellable {
  declare private readonly context: CapturedContext | null;

  constructor(
    plan: Plan,
    fn: Operation<unknown>,
    options: ExecuteOptions,
    attempt: number,
    resolve: ((value: unknown) => void) | null,
    rejectWith: ((error: unknown) => void) | null,
  ) {
    super(plan, fn, options, attempt, resolve, rejectWith);
    this.context = plan.carriesContext ? captureContext() : null;
  }

  // ---- the start

  /** Starts the call, and gives the promise of its outcome. */
  begin(): Promise<unknown> {
    if (this.isPlain) {
      this.enterFrom(0);
      return this.promise();
    }
    const own = this.ownPromise();
    this.start();
    return own;
  }

  /** Starts a call whose outcome goes to whoever made it. */
  start(): void {
    if (this.isPlain || this.joins()) this.enterFrom(this.base);
  }

  /** Makes it the part of a call that is inside a foreign policy: the layers from `base` on. */
  private beneath(above: Machine, base: number): void {
    const rare = this.uncommon;
    rare.above = above;
    rare.base = base;
    this.level = base;
  }

  /** An option of the call that is wrong ends it before it has begun. */
  private joins(): boolean {
    try {
      return this.joinTree();
    } catch (error) {
      this.failNow(error);
      return false;
    }
  }

  /** Looked at before any permit is taken (law C2). False: the call is over. */
  private joinTree(): boolean {
    const { signal, parent, timeout, deadline } = this.options;
    const timeoutMs = timeout === undefined ? Number.POSITIVE_INFINITY : toMs(timeout, 'execute', 'timeout');
    const deadlineLeftMs = deadline?.remainingMs();
    const rare = this.uncommon;
    if (signal !== undefined) {
      const token = tokenOf(signal);
      if (signal.aborted) return this.endedBefore(signal.reason);
      rare.signalLink = token.link(this);
    }
    if (parent !== undefined) {
      rare.parent = parent;
      const task = taskOf(parent);
      if (task === undefined) {
        const token = parent instanceof AttemptCall ? parent : tokenOf(parent.signal);
        if (token.isCancelled) return this.endedBefore(token.reason);
        rare.parentLink = token.link(this);
      } else if (task !== rare.scope && !this.joinNode(task, 'parentLink')) return false;
    }
    if (rare.scope !== undefined) {
      if (!this.joinNode(rare.scope, 'scopeLink')) return false;
      rare.leaveScope = rare.scope.keepOpen(this.operation);
    }
    return this.limitWhole(timeoutMs, deadlineLeftMs);
  }

  /** The call belongs to the scope or task `node`, which may end it; nothing can be started in one that is over (law S5). */
  private joinNode({ token, isClosed, path }: ContextNode, link: 'parentLink' | 'scopeLink'): boolean {
    if (token.isCancelled) return this.endedBefore(token.reason);
    if (isClosed) {
      const message = `${this.operation} was not started: scope ${path} is over`;
      this.failNow(new KeelsonError('ERR_SCOPE_CLOSED', message, { operation: this.operation }));
      return false;
    }
    this.uncommon[link] = token.link(this);
    return true;
  }

  private limitWhole(timeoutMs: number, deadlineLeftMs: number = Number.POSITIVE_INFINITY): boolean {
    const ms = Math.min(timeoutMs, deadlineLeftMs);
    if (ms === Number.POSITIVE_INFINITY) return true;
    const rare = this.uncommon;
    rare.wholeMs = ms;
    if (ms <= 0) {
      this.failNow(this.wholeTimedOut());
      return false;
    }
    if (timeoutMs <= deadlineLeftMs) {
      this.limits = new LimitNode(this, rare.base - 1, null);
      limitList(this.clock, ms).add(this.limits);
    } else {
      rare.deadlineMs = this.clock.nowMs() + ms;
      this.armDeadline(rare);
    }
    return true;
  }

  private armDeadline(rare: Rare): void {
    rare.deadlineTimer = this.clock.schedule(rare.deadlineMs - this.clock.nowMs(), () => {
      if (this.clock.nowMs() < rare.deadlineMs) this.armDeadline(rare);
      else this.limitPassed(rare.base - 1);
    });
  }

  private endedBefore(reason: unknown): false {
    this.cancelled(reason);
    return false;
  }

  /** What the caller asked for cannot be, or not any more. */
  private failNow(error: unknown): void {
    this.uncommon.callersOwn = error;
    this.finish();
    this.fail(error);
  }

  // ---- inwards

  private enterFrom(from: number): void {
    const { slots } = this.plan;
    const epoch = this.epoch;
    for (let i = from; i < slots.length; i++) {
      const slot = slots[i] as Slot;
      this.level = i;
      this.at = i;
      if (slot.enter === undefined) {
        if (slot.foreign === undefined) continue;
        this.invoke(this.throughForeign(slot.foreign, i));
        return;
      }
      let verdict: Verdict;
      try {
        verdict = slot.enter.call(slot.layer, this);
      } catch (error) {
        verdict = this.thrown(error);
      }
      if (epoch !== this.epoch) {
        this.undoEntry(slot, i, verdict);
        return;
      }
      if (verdict !== PROCEED) {
        this.entryDecided(slot, i, verdict);
        return;
      }
    }
    this.level = slots.length;
    if (this.rare !== null) this.operationStarts();
    this.invoke(this.fn);
  }

  /** Code of the caller's that ran inside `enter` has ended the call: what the layer took goes back. */
  private undoEntry(slot: Slot, i: number, verdict: Verdict): void {
    this.dropLimits(i);
    const isWait = verdict === WAIT || verdict === PARK || verdict === QUEUE || verdict === CONSULT;
    if (isWait || verdict === PROCEED) this.leave(slot, i, isWait);
    if (verdict === PROCEED) this.giveBack(slot, i);
  }

  private entryDecided(slot: Slot, i: number, verdict: Verdict): void {
    const { payload } = this;
    switch (verdict) {
      case REJECT:
        this.refuse(slot, i, payload);
        return;
      case REPLACE:
        this.exitOk(payload, i - 1);
        return;
      case WAIT:
        this.awaitTime(slot, i, payload as () => unknown);
        return;
      case PARK:
        this.parkIn(payload as Parking, slot, i);
        return;
      case QUEUE:
        this.awaitTurn(slot, i, payload as () => unknown);
        return;
      case CONSULT:
        this.uncommon.pending = null;
        this.consultOperation(payload as Operation<unknown>);
        return;
      default:
        this.refuse(slot, i, unfitVerdict(slot.name, 'enter'));
    }
  }

  private refuse(slot: Slot, i: number, error: unknown): void {
    if (this.activity === 'over') return;
    if (error !== this.uncommon.callersOwn) this.blame(error, 'policy');
    this.at = i;
    if (slot.channel.hasSubscribers) this.publish('rejected', { error });
    this.exitFail(error, i - 1);
  }

  /** A wait of layer i is over, and the layer proceeds. */
  private admitted(slot: Slot, i: number): void {
    this.countWait(slot);
    this.activity = 'deciding';
    this.enterFrom(i + 1);
  }

  /** Refused at once where the wait cannot fit what remains (law T4). */
  private awaitTime(slot: Slot, i: number, refusal: () => unknown): void {
    const waitMs = this.uncommon.untilMs - this.clock.nowMs();
    if (this.fits(waitMs)) {
      this.sleep('waiting', waitMs, () => this.admitted(slot, i));
      if (slot.channel.hasSubscribers) this.publish('waiting', { waitMs });
    } else {
      this.leave(slot, i, true);
      this.refuse(slot, i, made(refusal));
    }
  }

  private parkIn(queue: Parking, slot: Slot, i: number): void {
    const rare = this.startParking();
    this.whenWoken(() => this.unparkedIn(slot, i));
    const ahead = queue.size;
    rare.node = queue.add(this, rare.sinceMs);
    if (slot.channel.hasSubscribers) this.publish('queued', { ahead });
  }

  private unparkedIn(slot: Slot, i: number): void {
    const { parked } = this.uncommon;
    if (typeof parked === 'string') this.admitted(slot, i);
    else this.dropped(slot, i, parked.refusal);
  }

  private dropped(slot: Slot, i: number, error: unknown): void {
    this.countWait(slot);
    this.activity = 'deciding';
    this.leave(slot, i, true);
    this.paceOthers(this.uncommon);
    this.refuse(slot, i, error);
  }

  private awaitTurn(slot: Slot, i: number, refusal: () => unknown): void {
    const { paced, untilMs } = this.uncommon;
    const waitMs = untilMs - this.clock.nowMs();
    if (!this.fits(waitMs)) {
      this.leave(slot, i, true);
      this.refuse(slot, i, made(refusal));
      return;
    }
    const rare = this.startParking();
    this.whenWoken(() => this.turnCame(slot, i));
    rare.node = (paced as PacedQueue).add(this);
    if (slot.channel.hasSubscribers) this.publish('waiting', { waitMs });
  }

  /** Asked when the call can start at once, since what counts is when it really does (law L1). Until it does, it keeps its place. */
  private turnCame(slot: Slot, i: number): void {
    const rare = this.uncommon;
    if (typeof rare.parked !== 'string') {
      this.dropped(slot, i, rare.parked.refusal);
      return;
    }
    const { epoch } = this;
    this.activity = 'deciding';
    this.at = i;
    const verdict = this.askIfDue(slot);
    if (verdict === QUEUE && epoch === this.epoch) {
      this.activity = 'parked';
      this.whenWoken(() => this.turnCame(slot, i));
      rare.paced?.pace();
      return;
    }
    this.leaveQueue(rare);
    if (epoch !== this.epoch) this.undoEntry(slot, i, verdict);
    this.paceOthers(rare);
    if (epoch !== this.epoch) return;
    if (verdict === PROCEED) this.admitted(slot, i);
    else this.entryDecided(slot, i, verdict);
  }

  private askIfDue(slot: Slot): Verdict {
    try {
      if (slot.due === undefined) throw unfitVerdict(slot.name, 'queueIn without due');
      return slot.due.call(slot.layer, this);
    } catch (error) {
      return this.thrown(error);
    }
  }

  // ---- operations

  private invoke(operation: Operation<unknown>): void {
    this.activity = 'running';
    const { epoch } = this;
    const reaction = runOperation(
      operation,
      this.current,
      (value) => {
        this.succeeded(value, epoch);
        return this.delivered();
      },
      (error) => {
        this.failed(error, epoch);
        return this.delivered();
      },
    );
    if (reaction !== null) this.mayServe(reaction);
  }

  private succeeded(value: unknown, epoch: number): void {
    if (epoch !== this.epoch) {
      this.lateWork(epoch)?.settled();
      discard(value);
      return;
    }
    this.activity = 'deciding';
    this.exitOk(value, this.level - 1);
  }

  private failed(error: unknown, epoch: number): void {
    if (epoch !== this.epoch) {
      this.lateFailure(error, this.lateWork(epoch));
      return;
    }
    this.activity = 'deciding';
    this.exitFail(error, this.level - 1);
  }

  private lateWork(epoch: number): OngoingWork | undefined {
    return this.rare?.works.find((work) => work.epoch === epoch);
  }

  /** An API's own error around the reason it was given is attached to the reason (law C1). */
  private lateFailure(error: unknown, work: OngoingWork | undefined): void {
    if (work === undefined) return;
    const { reason } = work;
    if (error !== reason && isCausedBy(error, reason)) suppress(reason, error);
    work.settled();
  }

  private throughForeign(foreign: ForeignPart['foreign'], i: number): Operation<unknown> {
    const options = { ...this.options, name: this.operation };
    return throughForeign(foreign, options, (own, attempt, resolve, reject) => {
      const branch = new Machine(this.plan, this.fn, own, attempt, resolve, reject);
      branch.beneath(this, i + 1);
      return branch;
    });
  }

  /** The one asynchronous verdict: raced against cancel and deadline like any operation. */
  private consultOperation(operation: Operation<unknown>): void {
    const rare = this.uncommon;
    const i = this.at;
    this.activity = 'consulting';
    const epoch = this.epoch;
    const call = new LaterAttempt(this, this.current.attempt);
    rare.consulting = call;
    const answered = (answer: Answer): void => {
      if (epoch !== this.epoch) {
        if (answer.ok) {
          this.lateWork(epoch)?.settled();
          discard(answer.value);
        } else this.lateFailure(answer.error, this.lateWork(epoch));
        return;
      }
      rare.consulting = null;
      this.activity = 'deciding';
      this.consulted(i, answer);
    };
    void runOperation(
      operation,
      call,
      (value) => answered({ ok: true, value }),
      (error) => answered({ ok: false, error }),
    );
  }

  private consulted(i: number, answer: Answer): void {
    const slot = this.slot(i);
    const { epoch } = this;
    const rare = this.uncommon;
    const { pending } = rare;
    rare.pending = null;
    this.at = i;
    this.level = i;
    let verdict: Verdict;
    try {
      if (slot.consulted === undefined) throw unfitVerdict(slot.name, 'consult without consulted');
      verdict = slot.consulted.call(slot.layer, this, answer);
    } catch (error) {
      verdict = this.thrown(error);
    }
    if (epoch !== this.epoch) {
      if (pending === null) this.undoEntry(slot, i, verdict);
      else this.undoExit(slot, i, verdict, pending);
      return;
    }
    if (pending === null) {
      if (verdict === PROCEED) this.enterFrom(i + 1);
      else this.entryDecided(slot, i, verdict);
    } else this.exitDecided(slot, i, verdict, pending);
  }

  // ---- outwards

  private exitOk(value: unknown, from: number): void {
    if (this.activity === 'over') {
      discard(value);
      return;
    }
    const { slots } = this.plan;
    const { base, epoch } = this;
    for (let i = from; i >= base; i--) {
      const slot = slots[i] as Slot;
      if (slot.succeed !== undefined) {
        this.at = i;
        this.level = i;
        let verdict: Verdict;
        try {
          verdict = slot.succeed.call(slot.layer, this, value);
        } catch (error) {
          verdict = this.thrown(error);
        }
        if (epoch !== this.epoch) {
          this.undoExit(slot, i, verdict, { ok: true, value });
          return;
        }
        if (verdict !== DONE) {
          this.exitDecided(slot, i, verdict, { ok: true, value });
          return;
        }
      }
      this.closeFrame(slot, i);
      if (epoch !== this.epoch) {
        discard(value);
        return;
      }
    }
    this.succeedWith(value);
  }

  private exitFail(error: unknown, from: number): void {
    this.endHeld(error);
    if (this.activity === 'over') return;
    const { slots } = this.plan;
    const { base, epoch } = this;
    for (let i = from; i >= base; i--) {
      const slot = slots[i] as Slot;
      if (slot.fail !== undefined) {
        this.at = i;
        this.level = i;
        let verdict: Verdict;
        try {
          verdict = slot.fail.call(slot.layer, this, error);
        } catch (thrown) {
          suppress(thrown, error);
          verdict = this.thrown(thrown);
        }
        if (epoch !== this.epoch) {
          this.undoExit(slot, i, verdict, { ok: false, error });
          return;
        }
        if (verdict !== DONE) {
          this.exitDecided(slot, i, verdict, { ok: false, error });
          return;
        }
      }
      this.closeFrame(slot, i);
      if (epoch !== this.epoch) return;
    }
    this.failWith(error);
  }

  /** Code of the caller's that ran inside a hook on the way out has ended the call: what the layer asked for is not to be. */
  private undoExit(slot: Slot, i: number, verdict: Verdict, outcome: Answer): void {
    if (verdict === AGAIN || verdict === CONSULT) this.leave(slot, i, true);
    this.giveBack(slot, i);
    if (outcome.ok) discard(outcome.value);
  }

  /**
   * A layer did not simply let the outcome pass. In every case our own books come first; listeners and disposers, which are strangers and may
   * end the call, come last.
   */
  private exitDecided(slot: Slot, i: number, verdict: Verdict, outcome: Answer): void {
    const { payload } = this;
    this.level = i + 1;
    this.at = i;
    switch (verdict) {
      case DONE:
        this.letPass(slot, i, outcome);
        return;
      case REJECT:
        this.uncommon.refusedWith = payload;
        this.closeFrame(slot, i);
        this.discardOutcome(this.current, outcome);
        this.exitFail(payload, i - 1);
        return;
      case CONSULT:
        this.uncommon.pending = outcome;
        this.consultOperation(payload as Operation<unknown>);
        return;
      case AGAIN:
        this.tryAgain(slot, i, payload as number, outcome);
        return;
      case REPLACE:
        this.replaceWith(slot, i, payload, outcome);
        return;
      case RUN:
        this.runInstead(slot, i, payload as Operation<unknown>, outcome);
        return;
      default:
        this.payload = unfitVerdict(slot.name, outcome.ok ? 'succeed' : 'fail');
        this.exitDecided(slot, i, REJECT, outcome);
    }
  }

  private letPass(slot: Slot, i: number, outcome: Answer): void {
    this.closeFrame(slot, i);
    if (outcome.ok) this.exitOk(outcome.value, i - 1);
    else this.exitFail(outcome.error, i - 1);
  }

  private tryAgain(slot: Slot, i: number, delayMs: number, outcome: Answer): void {
    const failed = this.current;
    if (this.hasOutput || !this.fits(delayMs)) {
      this.letStand(slot, i, outcome);
      return;
    }
    const rare = this.uncommon;
    rare.history ??= [];
    addAttempt(rare.history, {
      attempt: failed.attempt,
      outcome: outcome.ok ? { value: outcome.value } : { error: outcome.error },
      delayMs,
    });
    this.blankTickets(i + 1);
    this.nextAttempt(i + 1, i === this.plan.innermostRetry ? failed.attempt + 1 : 1);
    this.sleep('backing-off', delayMs, () => {
      this.activity = 'deciding';
      if (this.hasOutput) this.letStand(slot, i, outcome);
      else this.enterFrom(i + 1);
    });
    if (slot.channel.hasSubscribers) this.publish('retrying', { delayMs, outcome });
    this.discardOutcome(failed, outcome);
  }

  /** The attempt that layer i asked for is not made: output has left, of what failed or of what it left running (law R4), or time is short. */
  private letStand(slot: Slot, i: number, outcome: Answer): void {
    this.level = i;
    this.leave(slot, i, true);
    this.letPass(slot, i, outcome);
  }

  private replaceWith(slot: Slot, i: number, value: unknown, outcome: Answer): void {
    const failed = this.current;
    if (this.hasOutput) {
      this.letPass(slot, i, outcome);
      return;
    }
    this.closeFrame(slot, i);
    if (slot.channel.hasSubscribers) this.publish('replaced', { outcome });
    this.discardOutcome(failed, outcome);
    this.exitOk(value, i - 1);
  }

  private runInstead(slot: Slot, i: number, operation: Operation<unknown>, outcome: Answer): void {
    const failed = this.current;
    if (this.hasOutput) {
      this.letPass(slot, i, outcome);
      return;
    }
    this.closeFrame(slot, i);
    this.nextAttempt(i, failed.attempt);
    if (slot.channel.hasSubscribers) this.publish('replaced', { outcome });
    this.discardOutcome(failed, outcome);
    if (this.activity !== 'over') this.invoke(operation);
  }

  /** What was abandoned so far covers only frames that stay open. */
  private nextAttempt(openFrames: number, attempt: number): void {
    const rare = this.uncommon;
    for (const work of rare.works) work.depth = Math.min(work.depth, openFrames);
    this.epoch++;
    rare.later = new LaterAttempt(this, attempt);
  }

  private blankTickets(from: number): void {
    const { slots } = this.plan;
    for (let i = from; i < slots.length; i++) {
      if (this.slot(i).ticket === 0) this.ticket0 = undefined;
      else if (this.slot(i).ticket === 1) this.ticket1 = undefined;
    }
    this.rare?.tickets?.fill(undefined, from);
  }

  /** Nobody will receive the outcome: a value is disposed of, and whatever the attempt holds is told to end. */
  private discardOutcome(attempt: AttemptCall, outcome: Answer): void {
    this.dropLimits(this.level);
    if (outcome.ok) discard(outcome.value);
    if (isHolding(attempt)) attempt.cancel(new CancelledError('discarded', `${this.operation} was tried again or replaced`));
  }

  private endHeld(reason: unknown): void {
    if (isHolding(this.current)) this.current.cancel(reason);
  }

  /** Frame i is over: its limit goes, and its permit goes back now or when the work beneath it has ended. */
  private closeFrame(slot: Slot, i: number): void {
    this.level = i;
    const limit = this.limits;
    if (limit !== null && limit.level === i && !isHolding(this.current)) this.popLimit(limit);
    this.giveBack(slot, i);
  }

  private giveBack(slot: Slot, i: number): void {
    if (slot.release === undefined) return;
    this.at = i;
    if (this.rare !== null && this.rare.works.length > 0) releaseAfter(this.rare.works, i, slot.layer, slot.release, this.ticket);
    else releaseNow(slot.layer, slot.release, this.ticket);
  }

  private popLimit(limit: LimitNode): void {
    this.limits = limit.outer;
    limit.list?.remove(limit);
  }

  /** Drops the limits of frames from `level` on. */
  private dropLimits(level: number): void {
    for (let limit = this.limits; limit !== null && limit.level >= level; limit = this.limits) this.popLimit(limit);
  }

  /** Tells a layer that its frame ends from outside. */
  private leave(slot: Slot, i: number, waiting: boolean): void {
    const { layer } = slot;
    if (layer.abandon === undefined) return;
    this.at = i;
    try {
      layer.abandon(this, waiting);
    } catch (error) {
      reportBug(error);
    }
  }

  // ---- the end

  private succeedWith(value: unknown): void {
    if (isHolding(this.current)) {
      this.activity = 'holding';
      this.epoch++;
      this.handOverAll();
      this.current.extras?.held?.whenOver(() => this.finish());
    } else this.finish();
    this.deliver(value);
  }

  private failWith(error: unknown): void {
    this.finish();
    this.fail(error);
  }

  private fail(error: unknown): void {
    const rare = this.rare;
    if (rare !== null) {
      if (rare.history !== null && !rare.isCancelledByCaller) recordAttempts(error, rare.history);
      if (error === rare.callersOwn) rare.above?.blame(error, 'caller');
      else if (error === rare.refusedWith) rare.above?.blame(error, 'policy');
    }
    this.deliverFailure(error);
  }

  private finish(): void {
    if (this.activity === 'over') return;
    const wasHolding = this.activity === 'holding';
    this.activity = 'over';
    this.epoch++;
    this.dropLimits(Number.NEGATIVE_INFINITY);
    const rare = this.rare;
    if (rare === null) return;
    rare.deadlineTimer?.cancel();
    rare.signalLink?.unlink();
    rare.parentLink?.unlink();
    rare.scopeLink?.unlink();
    if (!wasHolding) this.handOverAll();
    rare.leaveScope?.();
  }

  private handOverAll(): void {
    for (const work of this.uncommon.works) this.handOver(work);
  }

  /** What a call leaves running belongs to the call or scope around it (law P1, rule 19 of the engine). */
  protected override handOver(work: OngoingWork): void {
    const rare = this.uncommon;
    if (rare.parent instanceof AttemptCall) rare.parent.owner.inherit(work, rare.parent);
    if (rare.scope !== undefined) work.whenOver(rare.scope.keepOpen(this.operation));
  }

  // ---- ended from outside

  /** The caller, a scope or a parent call has ended this call: everything inside is left, at once and with the same reason (law C1). */
  override cancelled(reason: unknown): void {
    if (this.activity === 'over') return;
    if (this.activity === 'holding') {
      this.finish();
      this.current.cancel(reason);
      return;
    }
    const rare = this.uncommon;
    if (rare.isCancelledByCaller) return; // it is just being cancelled: the first reason stands
    rare.isCancelledByCaller = true;
    const { at } = this;
    const attempt = this.unwind(this.base - 1);
    this.finish();
    this.abort(attempt ?? this.current, reason);
    this.at = at; // we may be inside a hook
    this.fail(reason);
  }

  override limitReached(node: LimitNode): void {
    this.limitPassed(node.level);
  }

  /** A limit that fires at layer i unwinds only what is inside; outside it is an ordinary error (rule 4 of the engine). */
  private limitPassed(i: number): void {
    if (this.activity === 'over') return;
    const isWhole = i < this.base;
    if (this.activity === 'holding' || (!isWhole && i >= this.level)) {
      this.endHeldLate(i, isWhole);
      return;
    }
    const attempt = this.unwind(i);
    if (this.cancelledMeanwhile(attempt)) return;
    this.at = i;
    if (!isWhole) this.level = i;
    const error = isWhole ? this.wholeTimedOut() : this.expire(i);
    if (!isWhole) {
      this.dropLimits(i);
      this.closeFrame(this.slot(i), i);
    }
    if (this.cancelledMeanwhile(attempt)) return;
    this.uncommon[isWhole ? 'callersOwn' : 'refusedWith'] = error;
    this.inContext(() => {
      if (isWhole) this.finish();
      this.abort(attempt, error);
      if (isWhole) this.fail(error);
      else {
        this.at = i;
        if (this.slot(i).channel.hasSubscribers) this.publish('timed-out', { error });
        this.exitFail(error, i - 1);
      }
    });
  }

  /** Code of the caller's that ran while a limit was unwound has ended the call; to it, the attempt was over already. */
  private cancelledMeanwhile(attempt: AttemptCall | null): boolean {
    if (this.activity !== 'over') return false;
    this.abort(attempt, this.current.reason);
    return true;
  }

  /** What the attempt holds has outlived a limit of its own: the outcome stands, the rest is told to end. */
  private endHeldLate(i: number, isWhole: boolean): void {
    if (!isHolding(this.current)) return; // what it held is over
    this.at = i;
    const error = isWhole ? this.wholeTimedOut() : this.expire(i);
    if (this.activity === 'holding') this.finish();
    else this.dropLimits(this.level);
    this.current.cancel(error);
  }

  private expire(i: number): unknown {
    const { layer, name } = this.slot(i);
    return made(() => layer.expire?.(this) ?? unfitVerdict(name, 'expire'));
  }

  private wholeTimedOut(): TimeoutError {
    const { operation } = this;
    const { wholeMs } = this.uncommon;
    const limit =
      this.options.timeout === undefined
        ? `did not finish by its deadline, ${formatMs(wholeMs)} after it was called`
        : `timed out after ${formatMs(wholeMs)}`;
    const progress = this.progress();
    return new TimeoutError(`${operation} ${limit}${progress === '' ? '' : ` (${progress})`}`, { operation, timeoutMs: wholeMs });
  }

  /** Tells strangers that `attempt`, if there was one, and the wait that was going on are over: last of all at every end (rule 5 of the engine). */
  private abort(attempt: AttemptCall | null, reason: unknown): void {
    if (attempt !== null) {
      const work = attempt.extras?.abandoned;
      if (work !== null && work !== undefined && !attempt.isCancelled) work.reason = reason;
      attempt.cancel(reason);
    }
    this.endHeld(reason);
    const rare = this.uncommon;
    const { pending, dropped } = rare;
    rare.pending = null;
    rare.dropped = -1;
    if (pending?.ok === true) discard(pending.value);
    if (dropped === -1 || !this.slot(dropped).channel.hasSubscribers) return;
    this.at = dropped;
    this.publish('dropped', { by: rare.isCancelledByCaller ? 'caller' : 'timeout' });
  }

  /**
   * Leaves everything inside frame `to`, innermost first: registers the work that goes on, tells the layers, hands permits back. Returns the
   * attempt to abort.
   */
  private unwind(to: number): AttemptCall | null {
    const { activity } = this;
    const rare = this.uncommon;
    let attempt: AttemptCall | null = null;
    /** Whether the frame at `level` asked for the wait we are in, and is not open yet. */
    let isEntering = activity === 'waiting' || activity === 'parked';
    /** The open frame that asked for it. */
    let waiter = activity === 'backing-off' ? this.level - 1 : -1;
    if (activity === 'running') attempt = this.current;
    else if (activity === 'consulting') {
      attempt = rare.consulting;
      if (rare.pending === null) isEntering = true;
      else waiter = this.level - 1;
    }
    if (attempt !== null) this.abandonRunning(attempt, this.epoch);
    else if (activity !== 'deciding' && this.stopWaiting(rare) === 'granted' && activity === 'parked') {
      isEntering = false;
      this.level++;
    }
    const epoch = ++this.epoch;
    this.activity = 'deciding';
    if (isEntering) {
      rare.dropped = activity === 'consulting' ? -1 : this.level;
      this.leave(this.slot(this.level), this.level, true);
      this.paceOthers(rare);
    }
    while (epoch === this.epoch && this.level - 1 > to) {
      this.level--;
      const i = this.level;
      this.leave(this.slot(i), i, i === waiter);
      this.giveBack(this.slot(i), i);
    }
    if (epoch === this.epoch) this.dropLimits(to + 1);
    return attempt;
  }

  private abandonRunning(attempt: AttemptCall, epoch: number): void {
    attempt.extras ??= new AttemptExtras();
    attempt.extras.abandoned = new OngoingWork(this.uncommon.works, this.level, epoch, true);
  }

  /** Code of the caller's may run in `body`, and we may be in a shared timer's or a closer's async context. */
  private inContext(body: () => void): void {
    if (this.context === null) body();
    else this.context.run(body);
  }
}

const isHolding = (attempt: AttemptCall): boolean => attempt.extras?.held?.isOver === false && !attempt.isCancelled;
