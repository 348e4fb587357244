import { AsyncLocalStorage } from 'node:async_hooks';
import { isKeelsonError } from '../../src/errors/keelson-error.ts';
import { EnginePolicy } from '../../src/policy/engine-policy.ts';
import { Machine } from '../../src/policy/machine.ts';
import { PlanFamily } from '../../src/policy/plan-family.ts';
import type { Call, ExecuteOptions, Operation, Policy } from '../../src/policy/policy.ts';
import { Deadline } from '../../src/time/deadline.ts';
import { Builder, type BuildHost } from './build-policy.ts';
import { CallRecord } from './call-record.ts';
import { ForeignSource } from './foreign-source.ts';
import type { FuzzClock } from './fuzz-clock.ts';
import { FuzzScope } from './fuzz-scope.ts';
import { AWAITED, Ledger, runningOf } from './ledger.ts';
import { Performance } from './performance.ts';
import type { Account } from './real-policies.ts';
import type { Action, AsideSpec, CallSpec, LayerSpec, StackPlan } from './stack-plan.ts';
import { LayerError, Replacement } from './test-layers.ts';

/** Everything one run of a plan consists of. */
export class World implements BuildHost {
  readonly clock: FuzzClock;
  readonly ledger = new Ledger();
  readonly records: CallRecord[] = [];
  readonly sources: readonly ForeignSource[];
  readonly accounts: readonly Account[];
  /** The async context of whoever made a call (law P3). */
  readonly caller = new AsyncLocalStorage<string>();
  /** Law P1: a scope is not over before everything that was begun in it. */
  readonly scope = new FuzzScope(() => {
    if (this.running > 0) this.ledger.fault(`${this.running} operations go on after their scope is over (P1)`);
  });
  /** Whether nobody starts an operation anew but those who are bound to the laws. */
  readonly isPlain: boolean;
  /** What operations hold at the moment. */
  readonly held = new Set<{ readonly record: CallRecord; readonly call: Call }>();
  /** Operations of any kind that have not ended. */
  running = 0;
  /** Above 0 while hooks or listeners are called because a call has been ended: it is decided, but not told. */
  #unwinding = 0;
  /** Above 0 while user code acts that something of ours has called. */
  #acting = 0;
  readonly #plan: StackPlan;
  readonly #policy: Policy<unknown, unknown>;
  readonly #family: PlanFamily;
  readonly #usedSpares = new Set<number>();
  #asides = 0;

  constructor(plan: StackPlan, clock: FuzzClock) {
    this.#plan = plan;
    this.clock = clock;
    this.isPlain = !plan.layers.some(startsAnew);
    clock.onHeldTimer = () => {
      if (this.isIdle) this.ledger.fault('a timer holds the process though nothing is left to wait for (T5)');
    };
    this.sources = plan.signals.map((_, index) => new ForeignSource({ signal: index }));
    const builder = new Builder(this);
    this.#policy = builder.build(plan.layers);
    this.accounts = builder.accounts;
    this.#family = new PlanFamily(EnginePolicy.partsOf(this.#policy as EnginePolicy<unknown, unknown>));
  }

  /** Makes a call of the plan. Never throws and never rejects: resolves when the call has settled. */
  call(id: string, spec: CallSpec, nesting?: { readonly parent: Call; readonly isAwaited: boolean }): Promise<CallRecord> {
    const source = spec.signal === undefined ? undefined : this.sources[spec.signal];
    const record = new CallRecord(id, spec, source, this.clock.nowMs());
    record.parent = nesting?.parent;
    this.records.push(record);
    const options: ExecuteOptions = {
      name: id,
      signal: source?.signal,
      timeout: spec.timeoutMs,
      deadline: spec.deadlineMs === undefined ? undefined : Deadline.in(spec.deadlineMs),
      keys: { key: spec.key, [AWAITED]: nesting?.isAwaited === true ? 'yes' : 'no' },
      priority: spec.priority,
      idempotent: spec.idempotent,
      cost: spec.cost === undefined ? undefined : { tokens: spec.cost },
      parent: nesting?.parent,
    };
    const operation: Operation<unknown> = (call) => new Performance(this, record, call).start();
    const settled = this.scope.run(() => this.caller.run(id, () => this.#start(record, operation, options)));
    record.hasReturned = true;
    return settled;
  }

  /** By one of the four ways into the engine. */
  #start(record: CallRecord, operation: Operation<unknown>, options: ExecuteOptions): Promise<CallRecord> {
    const ok = (value: unknown): void => record.end({ ok: true, value }, this.clock.nowMs());
    const failed = (error: unknown): void => record.end({ ok: false, error }, this.clock.nowMs());
    if (record.spec.via !== 'machine') return this.#throughPolicy(record, operation, options, ok, failed).then(() => record);
    return new Promise((resolve) => {
      const over = (settle: (outcome: unknown) => void) => (outcome: unknown) => {
        settle(outcome);
        resolve(record);
      };
      new Machine(this.#family.planFor(options), operation, options, 1, over(ok), over(failed)).start();
    });
  }

  async #throughPolicy(
    record: CallRecord,
    operation: Operation<unknown>,
    options: ExecuteOptions,
    ok: (value: unknown) => void,
    failed: (error: unknown) => void,
  ): Promise<void> {
    if (record.spec.via === 'attempt') {
      const attempt = this.#policy.attempt(operation, options);
      record.promise = attempt;
      const ended = await attempt;
      if (ended.ok) ok(ended.value);
      else failed(ended.error);
      return;
    }
    const promise = record.spec.via === 'wrap' ? this.#policy.wrap(operation, options)() : this.#policy.execute(operation, options);
    record.promise = promise;
    await promise.then(ok, failed);
  }

  /** Whether nothing is going on that the engine could wait for. */
  get isIdle(): boolean {
    return this.running === 0 && this.scope.isOver && this.records.every((record) => record.ended !== undefined);
  }

  act(action: Action): void {
    if (action.do === 'throw') throw new LayerError('a listener threw');
    this.#acting++;
    if (action.do === 'abort') this.abort(action.signal);
    else void this.spare(action.spare);
    this.#acting--;
  }

  /** Makes a spare call, once. */
  spare(index: number, nesting?: { readonly parent: Call; readonly isAwaited: boolean }): Promise<CallRecord> | undefined {
    if (this.#usedSpares.has(index)) return undefined;
    this.#usedSpares.add(index);
    return this.call(`spare ${index}`, this.#plan.spares[index] as CallSpec, nesting);
  }

  /** Aborts a foreign signal: every call under it that has not settled has to end with its reason, at once (law C1). */
  abort(index: number): void {
    const source = this.sources[index] as ForeignSource;
    if (source.signal.aborted) return;
    const under = this.records.filter((record) => record.source === source && record.isPending);
    this.ledger.saw(under.length === 0 ? 'an abort of no call' : 'an abort of a pending call');
    source.abort();
    if (this.#acting === 0) this.#checkHeld(source);
    for (const record of under) {
      const isTold = record.hasReturned && !record.isPending;
      if (isTold || this.#unwinding === 0) record.mustEndWithReason = true; // else it is perhaps just being ended by something else
      if (!isTold && record.hasReturned && this.#unwinding === 0)
        this.ledger.fault(`${record.id} was not ended at once by its signal (C2)`);
    }
  }

  #checkHeld(source: ForeignSource): void {
    for (const { record, call } of this.held) {
      if (record.source === source && !call.signal.aborted) this.ledger.fault(`${record.id}: what it holds was not told of the abort (C7)`);
    }
  }

  /** Runs user code that is called while some call is ended from outside. */
  whileUnwinding(body: () => void): void {
    this.#unwinding++;
    try {
      body();
    } finally {
      this.#unwinding--;
    }
  }

  /** An operation of a layer's own. */
  aside(spec: AsideSpec, layer: string): Operation<unknown> {
    const name = `aside ${++this.#asides} of ${layer}`;
    const ending = spec.fails ? new LayerError(`${name} failed`) : new Replacement(name);
    return (call) => {
      const running = runningOf(call);
      if (this.caller.getStore() !== running.options.name) this.ledger.fault(`${name} runs in the async context of a stranger (P3)`);
      if (spec.waitMs === undefined) {
        if (spec.fails) throw ending;
        return ending;
      }
      const waitMs = spec.waitMs;
      const work = this.ledger.begin(running, this.ledger.asking(running, layer));
      this.running++;
      return new Promise((resolve, reject) => {
        let isOver = false;
        const end = (settle: () => void): void => {
          if (isOver) return;
          isOver = true;
          timer.cancel();
          work.end();
          this.running--;
          settle();
        };
        const timer = this.clock.own(waitMs, () => end(() => (spec.fails ? reject(ending) : resolve(ending))));
        if (spec.obeys) call.signal.addEventListener('abort', () => end(() => reject(call.signal.reason)), { once: true });
      });
    };
  }

  later(ms: number, action: () => void): void {
    this.clock.own(ms, action);
  }

  /** Whether `error` is one that may come out of a call. */
  isKnownError(record: CallRecord, error: unknown): boolean {
    if (record.legitimate.has(error) || error instanceof LayerError || isKeelsonError(error)) return true;
    if (error instanceof RangeError && error.message === 'the classifier threw') return true;
    return this.sources.some((source) => source.reason === error);
  }
}

/** Strangers may call the operation twice, and the deciders of the fuzz say `again` whatever the call is like. */
function startsAnew(spec: LayerSpec): boolean {
  return 'inner' in spec ? spec.inner.some(startsAnew) : ['stranger', 'exit', 'consult-out'].includes(spec.kind);
}
