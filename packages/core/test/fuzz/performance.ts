import { type CalleeQuota, OUTCOME } from '../../src/outcome/classify.ts';
import type { Call } from '../../src/policy/policy.ts';
import type { CallRecord, Ended } from './call-record.ts';
import { runningOf, type Work } from './ledger.ts';
import type { RunSpec } from './stack-plan.ts';
import type { World } from './world.ts';

/** One start of an operation, as its spec wants it; watches the engine while it runs. */
export class Performance {
  readonly #world: World;
  readonly #record: CallRecord;
  readonly #call: Call;
  readonly #spec: RunSpec;
  readonly #ending: Ended;
  readonly #work: Work;

  constructor(world: World, record: CallRecord, call: Call) {
    this.#world = world;
    this.#record = record;
    this.#call = call;
    this.#lookAround();
    const { runs } = record.spec;
    this.#spec = runs[Math.min(record.starts, runs.length - 1)] as RunSpec;
    record.starts++;
    this.#ending = this.#makeEnding(`${record.id}, start ${record.starts}`);
    this.#work = world.ledger.begin(runningOf(call));
  }

  /** What must be so at every start of an operation. */
  #lookAround(): void {
    const { id, spec, source, startedMs, isPending } = this.#record;
    const fault = (what: string): void => this.#world.ledger.fault(`${id}: ${what}`);
    if (!isPending) fault('started after the call had settled (C2)');
    if (source?.signal.aborted === true) fault('started although its signal was aborted (C2)');
    if (this.#world.caller.getStore() !== id) fault('started in the async context of a stranger (P3)');
    if (this.#world.isPlain && this.#record.isCommitted) fault('started again after output had left (R4)');
    if (this.#world.isPlain && this.#record.starts > 0 && !spec.idempotent) fault('started again though it is not idempotent (R5)');
    if (spec.timeoutMs !== undefined && this.#world.clock.nowMs() > startedMs + spec.timeoutMs) fault('started after its timeout');
    try {
      this.#call.throwIfCancelled();
    } catch {
      fault('started under a cancelled call');
    }
  }

  #makeEnding(name: string): Ended {
    const ended = endings[this.#spec.ends](name);
    this.#record.legitimate.add(ended.ok ? ended.value : ended.error);
    return ended;
  }

  start(): unknown {
    const { commits, charges, hold, atStart, nested, waitMs, shape, ends } = this.#spec;
    this.#world.running++;
    this.#world.ledger.saw(`an operation: ${waitMs === undefined ? 'at once' : 'later'}, ${shape}, ${ends}`);
    const isAwaited = nested?.isAwaited === true && waitMs !== undefined;
    const inner = nested === undefined ? undefined : this.#world.spare(nested.spare, { parent: this.#call, isAwaited });
    if (commits) {
      this.#call.commit();
      this.#record.isCommitted = true;
    }
    if (charges) this.#call.charge({ tokens: 2 });
    if (hold !== undefined) this.#hold(hold.ms, hold.obeys);
    else if (nested === undefined && this.#ending.ok && this.#ending.value !== undefined)
      this.#record.signals.set(this.#ending.value, this.#call.signal);
    if (atStart !== undefined) this.#world.act(atStart);
    if (waitMs === undefined) {
      this.#over();
      if (!this.#ending.ok) throw this.#ending.error;
      return this.#shaped(this.#ending.value);
    }
    return this.#shaped(this.#later(waitMs, isAwaited ? inner : undefined));
  }

  #shaped(outcome: unknown): unknown {
    if (this.#spec.shape === 'native') return outcome;
    const promise = Promise.resolve(outcome);
    // biome-ignore lint/suspicious/noThenProperty: law F1 is about thenables
    return { then: (ok: (value: unknown) => void, failed: (error: unknown) => void) => void promise.then(ok, failed) };
  }

  #over(): void {
    this.#work.end();
    this.#world.running--;
  }

  async #later(waitMs: number, inner: Promise<unknown> | undefined): Promise<unknown> {
    const { onAbort, inAbort } = this.#spec;
    try {
      const own = new Promise((resolve, reject) => {
        const timer = this.#world.clock.own(waitMs, () => (this.#ending.ok ? resolve(this.#ending.value) : reject(this.#ending.error)));
        if (onAbort === 'ignore' && inAbort === undefined) return;
        this.#whenAborted((reason) => {
          if (inAbort !== undefined) this.#world.act(inAbort);
          if (onAbort === 'ignore') return;
          timer.cancel();
          if (onAbort === 'resolve') resolve('given up');
          else reject(onAbort === 'reject' ? reason : new Error('aborted', { cause: reason }));
        });
      });
      return await own;
    } finally {
      await inner; // which never rejects
      this.#over();
    }
  }

  #hold(ms: number, obeys: boolean): void {
    this.#world.ledger.saw('held work');
    const held = this.#work.more();
    const mine = { record: this.#record, call: this.#call };
    this.#world.held.add(mine);
    this.#world.running++;
    this.#call.hold(
      new Promise<void>((resolve) => {
        const end = (): void => {
          if (!this.#world.held.delete(mine)) return;
          timer.cancel();
          held.end();
          this.#world.running--;
          resolve();
        };
        const timer = this.#world.clock.own(ms, end);
        if (obeys) this.#whenAborted(end);
      }),
    );
  }

  #whenAborted(listener: (reason: unknown) => void): void {
    const { signal } = this.#call;
    const aborted = (): void => {
      this.#world.ledger.saw('an abort listener');
      if (this.#call.remainingMs() !== 0) this.#world.ledger.fault(`${this.#record.id}: time is left to an attempt that was aborted (C8)`);
      this.#world.whileUnwinding(() => listener(signal.reason));
    };
    signal.addEventListener('abort', aborted, { once: true });
  }
}

const outcome = (kind: string, retryAfterMs?: number, quotas?: readonly CalleeQuota[]): object => ({
  [OUTCOME]: { kind, retryAfterMs, quotas },
});

const endings: Readonly<Record<RunSpec['ends'], (name: string) => Ended>> = {
  value: (name) => ({ ok: true, value: { of: name } }),
  undefined: () => ({ ok: true, value: undefined }),
  disposable: (name) => ({
    ok: true,
    value: {
      of: name,
      [Symbol.dispose]: () => {},
      ...outcome('ok', undefined, [{ remaining: 2, resetMs: 30, limit: 20, periodMs: 1000 }]),
    },
  }),
  'throttled value': (name) => ({ ok: true, value: { of: name, ...outcome('throttled', 10) } }),
  error: (name) => ({ ok: false, error: new Error(name) }),
  text: (name) => ({ ok: false, error: name }),
  'throttled error': (name) => ({ ok: false, error: Object.assign(new Error(name), outcome('throttled', 20)) }),
  'permanent error': (name) => ({
    ok: false,
    error: Object.assign(new Error(name), outcome('permanent', undefined, [{ remaining: 0, resetMs: 25, cost: 'tokens' }])),
  }),
  'abort-like error': (name) => ({ ok: false, error: new DOMException(name, 'AbortError') }),
};
