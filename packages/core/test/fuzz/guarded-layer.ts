import type { Answer, Layer, Step, Verdict } from '../../src/policy/layer.ts';
import { AGAIN, CONSULT, PARK, QUEUE, REJECT, REPLACE, RUN, WAIT } from '../../src/policy/verdicts.ts';
import { type Entry, Gate, type Ledger, type Running } from './ledger.ts';
import type { HookName } from './stack-plan.ts';

/** User code that a hook calls. */
export type Meddler = (hook: HookName, when: 'before' | 'after') => void;

const VERDICTS = new Map<Verdict, string>([
  [WAIT, 'wait'],
  [PARK, 'park'],
  [QUEUE, 'queue'],
  [REJECT, 'reject'],
  [REPLACE, 'replace'],
  [RUN, 'run'],
  [AGAIN, 'again'],
  [CONSULT, 'consult'],
]);

/** The step a guarded layer sees: the machine's, with the ticket of its own entry. */
class GuardedStep implements Step {
  readonly #step: Step;
  readonly #entry: Entry;

  constructor(step: Step, entry: Entry) {
    this.#step = step;
    this.#entry = entry;
  }

  get ticket(): unknown {
    return this.#entry.ticket;
  }

  set ticket(ticket: unknown) {
    this.#entry.ticket = ticket;
  }

  get operation(): string {
    return this.#step.operation;
  }

  get options(): Step['options'] {
    return this.#step.options;
  }

  get hasOutput(): boolean {
    return this.#step.hasOutput;
  }

  whenStarted(): void {
    this.#step.whenStarted();
  }

  get isObserved(): boolean {
    return this.#step.isObserved;
  }

  nowMs = (): number => this.#step.nowMs();
  epochMs = (): number => this.#step.epochMs();
  timeLeftMs = (): number => this.#step.timeLeftMs();
  random = (): number => this.#step.random();
  progress = (): string => this.#step.progress();
  classifyError: Step['classifyError'] = (error) => this.#step.classifyError(error);
  classifyValue: Step['classifyValue'] = (value) => this.#step.classifyValue(value);
  publish: Step['publish'] = (type, fields) => this.#step.publish(type, fields);
  limit: Step['limit'] = (ms) => this.#step.limit(ms);
  waitUntil: Step['waitUntil'] = (atMs, refusal) => this.#step.waitUntil(atMs, refusal);
  park: Step['park'] = (queue) => this.#step.park(queue);
  queueIn: Step['queueIn'] = (queue, expectedMs, refusal) => this.#step.queueIn(queue, expectedMs, refusal);
  reject: Step['reject'] = (error) => this.#step.reject(error);
  replace: Step['replace'] = (value) => this.#step.replace(value);
  run: Step['run'] = (operation) => this.#step.run(operation);
  again: Step['again'] = (delayMs) => this.#step.again(delayMs);
  consult: Step['consult'] = (operation) => this.#step.consult(operation);
}

/** Holds the machine to the contract of {@link Layer}, on behalf of one layer, and keeps its accounts in `ledger`. */
export class GuardedLayer implements Layer {
  readonly kind: string;
  readonly name: string;
  readonly runsCallerCode: boolean;
  readonly maxAttempts: number | undefined;
  readonly waitsFor: string | undefined;
  readonly describe: Layer['describe'];
  readonly charge?: NonNullable<Layer['charge']>;
  readonly isIdle?: NonNullable<Layer['isIdle']>;
  readonly expire?: NonNullable<Layer['expire']>;
  readonly #inner: Layer;
  readonly #ledger: Ledger;
  readonly #meddle: Meddler;
  readonly #gate: Gate | undefined;

  constructor(inner: Layer, ledger: Ledger, meddle: Meddler | undefined, maxOpen?: number) {
    this.#gate = maxOpen === undefined ? undefined : new Gate(maxOpen, (what) => ledger.fault(what));
    this.#inner = inner;
    this.#ledger = ledger;
    this.#meddle = meddle ?? (() => {});
    this.kind = inner.kind;
    this.name = inner.name;
    this.runsCallerCode = meddle !== undefined || inner.runsCallerCode === true;
    this.maxAttempts = inner.maxAttempts;
    this.waitsFor = inner.waitsFor;
    this.describe = () => inner.describe();
    if (inner.charge !== undefined)
      this.charge = (options, costs, nowMs, ticket) => inner.charge?.(options, costs, nowMs, (ticket as Entry | undefined)?.ticket);
    if (inner.isIdle !== undefined) this.isIdle = (nowMs) => inner.isIdle?.(nowMs) === true;
    if (inner.expire !== undefined) this.expire = (step) => this.#expire(step);
  }

  get lingering(): number {
    return this.#inner.lingering ?? 0;
  }

  set lingering(lingering: number) {
    this.#inner.lingering = lingering;
  }

  enter(step: Step): Verdict {
    const entry = this.#ledger.open(step as unknown as Running, this.name, this.#gate);
    if (step.ticket !== undefined) this.#fault(entry, 'entered with a stale ticket');
    step.ticket = entry;
    entry.state = 'nothing'; // so it stays if the hook throws
    return this.#entering(step, entry, 'enter', (guarded) => this.#inner.enter?.(guarded));
  }

  succeed(step: Step, value: unknown): Verdict {
    const entry = this.#comingOut(step, 'succeed');
    return this.#leaving(step, entry, 'succeed', (guarded) => this.#inner.succeed?.(guarded, value));
  }

  fail(step: Step, error: unknown): Verdict {
    const entry = this.#comingOut(step, 'fail');
    return this.#leaving(step, entry, 'fail', (guarded) => this.#inner.fail?.(guarded, error));
  }

  started(step: Step): void {
    const entry = step.ticket as Entry;
    if (entry.state === 'ended' || entry.state === 'nothing' || entry.state === 'asking')
      this.#fault(entry, `told of a start while '${entry.state}'`);
    this.#ledger.saw('told of a start');
    this.#inner.started?.(new GuardedStep(step, entry));
  }

  due(step: Step): Verdict {
    const entry = step.ticket as Entry;
    if (entry.state !== 'waiting') this.#fault(entry, `asked whether it is due while '${entry.state}'`);
    entry.state = 'nothing';
    return this.#entering(step, entry, 'due', (guarded) => this.#inner.due?.(guarded));
  }

  consulted(step: Step, answer: Answer): Verdict {
    const entry = step.ticket as Entry;
    const decide = (guarded: Step): Verdict | undefined => {
      if (this.#inner.consulted === undefined) throw new Error(`${this.name} consulted without a hook for the answer`);
      return this.#inner.consulted(guarded, answer);
    };
    if (entry.state === 'asking') return this.#leaving(step, entry, 'consulted', decide);
    if (entry.state !== 'waiting') this.#fault(entry, `consulted while '${entry.state}'`);
    entry.state = 'nothing';
    return this.#entering(step, entry, 'consulted', decide);
  }

  abandon(step: Step, waiting: boolean): void {
    const entry = step.ticket as Entry;
    if (entry.state === 'ended' || entry.state === 'nothing') this.#fault(entry, `abandoned while '${entry.state}'`);
    if (waiting && entry.state === 'open') this.#fault(entry, 'abandoned as waiting when its wait was over');
    if (!waiting && entry.state === 'again' && this.#ledger.isComplete) this.#fault(entry, 'abandoned as not waiting in its backoff');
    if (!waiting && entry.state === 'asking') this.#fault(entry, 'abandoned as not waiting while it consulted');
    this.#ledger.saw(`abandoned while '${entry.state}'`);
    entry.state = waiting && entry.state === 'waiting' ? 'nothing' : 'ended';
    this.#meddle('abandon', 'before');
    this.#inner.abandon?.(new GuardedStep(step, entry), waiting);
    this.#meddle('abandon', 'after');
  }

  release(ticket: unknown): void {
    const entry = ticket as Entry;
    if (entry.state !== 'ended') this.#fault(entry, `released while '${entry.state}'`);
    if (entry.live > 0) this.#fault(entry, `released while ${entry.live} pieces of work went on beneath it (P1)`);
    entry.state = 'nothing';
    this.#meddle('release', 'before');
    this.#inner.release?.(entry.ticket);
    this.#meddle('release', 'after');
  }

  #expire(step: Step): unknown {
    const entry = step.ticket as Entry;
    this.#ledger.saw(entry.state === 'ended' ? 'a limit passed over what is held' : 'a limit passed');
    if (entry.state !== 'ended') {
      if (entry.state === 'nothing') this.#fault(entry, 'expired when it was over');
      entry.state = 'ended';
    } // else: what the attempt holds has outlived the limit
    this.#meddle('expire', 'before');
    const error = this.#inner.expire?.(new GuardedStep(step, entry));
    this.#meddle('expire', 'after');
    return error;
  }

  #entering(step: Step, entry: Entry, hook: HookName, decide: (step: Step) => Verdict | undefined): Verdict {
    this.#meddle(hook, 'before');
    const verdict = decide(new GuardedStep(step, entry)) ?? (0 as Verdict);
    this.#meddle(hook, 'after');
    if (entry.state !== 'nothing') this.#fault(entry, `became '${entry.state}' within its own ${hook}`);
    this.#ledger.saw(`${hook}: ${VERDICTS.get(verdict) ?? 'proceed'}`);
    if (verdict === 0) entry.state = 'open';
    else if (verdict === WAIT || verdict === PARK || verdict === QUEUE || verdict === CONSULT) entry.state = 'waiting';
    return verdict;
  }

  #comingOut(step: Step, hook: HookName): Entry {
    const entry = step.ticket as Entry;
    if (entry.state === 'ended' || entry.state === 'nothing' || entry.state === 'asking')
      this.#fault(entry, `${hook} while '${entry.state}'`);
    return entry;
  }

  #leaving(step: Step, entry: Entry, hook: HookName, decide: (step: Step) => Verdict | undefined): Verdict {
    entry.state = 'ended'; // so it stays if the hook throws
    this.#meddle(hook, 'before');
    const verdict = decide(new GuardedStep(step, entry)) ?? (0 as Verdict);
    this.#meddle(hook, 'after');
    if (entry.state !== 'ended') this.#fault(entry, `became '${entry.state}' within its own ${hook}`);
    this.#ledger.saw(`${hook}: ${VERDICTS.get(verdict) ?? 'done'}`);
    if (verdict === AGAIN) entry.state = 'again';
    else if (verdict === CONSULT) entry.state = 'asking';
    return verdict;
  }

  #fault(entry: Entry, what: string): void {
    this.#ledger.fault(`${entry.layer}, ${entry.call}: ${what}`);
  }
}
