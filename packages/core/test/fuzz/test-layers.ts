import { type Answer, DONE, type Layer, PROCEED, type Step, type Verdict } from '../../src/policy/layer.ts';
import type { Operation, PolicyDescription } from '../../src/policy/policy.ts';
import { AGAIN, WAIT } from '../../src/policy/verdicts.ts';
import { PacedQueue } from '../../src/sync/paced-queue.ts';
import { WaitQueue } from '../../src/sync/wait-queue.ts';
import type { AsideSpec, EntryVerdict, ExitVerdict, TestLayerSpec } from './stack-plan.ts';

/** An error that a layer of the fuzz made. */
export class LayerError extends Error {}

/** A value that a layer of the fuzz put in place of another. */
export class Replacement {
  readonly by: string;

  constructor(by: string) {
    this.by = by;
  }
}

/** What layers of the fuzz need of their surroundings. */
export interface LayerHost {
  /** Makes an operation of a layer's own, which the fuzz keeps account of. */
  aside(spec: AsideSpec, layer: string): Operation<unknown>;
  later(ms: number, action: () => void): void;
}

/** A layer that can say what it has left over at the end. */
export interface AccountingLayer extends Layer {
  readonly leftOver: string | undefined;
}

abstract class TestLayer<Spec extends TestLayerSpec> implements AccountingLayer {
  abstract readonly kind: string;
  readonly name: string;
  readonly spec: Spec;
  readonly host: LayerHost;
  lingering = 0;

  constructor(name: string, spec: Spec, host: LayerHost) {
    this.name = name;
    this.spec = spec;
    this.host = host;
  }

  get leftOver(): string | undefined {
    return this.lingering === 0 ? undefined : `lingering ${this.lingering}`;
  }

  describe(): PolicyDescription {
    return { name: this.name, kind: this.kind, options: {} };
  }

  error(what: string): LayerError {
    return new LayerError(`${this.name} ${what}`);
  }
}

/** A bulkhead without finesse: its permits show whether the engine keeps its word. */
class Permits extends TestLayer<Extract<TestLayerSpec, { kind: 'permits' }>> {
  readonly kind = 'permits';
  readonly waitsFor = 'a permit';
  readonly #queue = new WaitQueue();
  #taken = 0;

  constructor(name: string, spec: Extract<TestLayerSpec, { kind: 'permits' }>, host: LayerHost) {
    super(name, spec, host);
    if (spec.refusesAtMs !== undefined) host.later(spec.refusesAtMs, () => this.#queue.refuseAll(() => this.error('refused')));
  }

  enter(step: Step): Verdict {
    if (this.#taken < this.spec.max) {
      this.#taken++;
      return PROCEED;
    }
    return this.#queue.size < this.spec.maxQueue ? step.park(this.#queue) : step.reject(this.error('is full'));
  }

  release(): void {
    if (!this.#queue.grant()) this.#taken--;
  }

  override get leftOver(): string | undefined {
    if (this.#taken === 0 && this.#queue.size === 0) return super.leftOver;
    return `${this.#taken} permits taken, ${this.#queue.size} waiting`;
  }
}

/** Makes each call wait, and takes a reservation back where the wait was not to be. */
class Pause extends TestLayer<Extract<TestLayerSpec, { kind: 'pause' }>> {
  readonly kind = 'pause';
  #reserved = 0;

  enter(step: Step): Verdict {
    this.#reserved++;
    return step.waitUntil(step.nowMs() + this.spec.ms, () => {
      const error = this.error('could not wait');
      if (this.spec.refusal === 'throws') throw error;
      return error;
    });
  }

  abandon(_step: Step, waiting: boolean): void {
    if (waiting) this.#reserved--;
  }

  release(): void {
    this.#reserved--;
  }

  override get leftOver(): string | undefined {
    return this.#reserved === 0 ? super.leftOver : `${this.#reserved} reserved`;
  }
}

/** Lets one through after the other, with some time between; now and then one that is called finds that it is not its turn after all. */
class Turns extends TestLayer<Extract<TestLayerSpec, { kind: 'turns' }>> {
  readonly kind = 'turns';
  readonly #queue: PacedQueue = new PacedQueue(() => this.#nextMs);
  readonly #parked = new WaitQueue();
  #nextMs = 0;
  #asked = 0;
  #waiting = 0;

  constructor(name: string, spec: Extract<TestLayerSpec, { kind: 'turns' }>, host: LayerHost) {
    super(name, spec, host);
    if (spec.refusesAtMs !== undefined) host.later(spec.refusesAtMs, () => this.#queue.refuseAll(() => this.error('refused')));
  }

  enter(step: Step): Verdict {
    this.#waiting++;
    step.ticket = 'in line';
    return this.#queued(step);
  }

  due(step: Step): Verdict {
    const nowMs = step.nowMs();
    if (this.spec.hesitates && ++this.#asked % 3 === 0) this.#nextMs = nowMs + 5;
    if (this.#nextMs > nowMs) return this.#queued(step);
    this.#waiting--;
    step.ticket = undefined;
    this.#nextMs = nowMs + this.spec.everyMs;
    return entryVerdict(this, step, this.spec.verdict, this.#parked);
  }

  abandon(step: Step, waiting: boolean): void {
    if (waiting && step.ticket === 'in line') this.#waiting--;
  }

  expire(): unknown {
    return this.error('timed out');
  }

  override get leftOver(): string | undefined {
    return this.#waiting + this.#queue.size === 0 ? super.leftOver : `${this.#waiting} waiting, ${this.#queue.size} in line`;
  }

  #queued(step: Step): Verdict {
    return step.queueIn(this.#queue, Math.max(step.nowMs(), this.#nextMs), () => this.error('could not wait'));
  }
}

class Limit extends TestLayer<Extract<TestLayerSpec, { kind: 'limit' }>> {
  readonly kind = 'limit';

  enter(step: Step): Verdict {
    return step.limit(this.spec.ms);
  }

  expire(): unknown {
    const error = this.error('timed out');
    if (this.spec.expires === 'throws') throw error;
    return error;
  }
}

/** A retry with a budget that comes back when a backoff is ended from outside. */
class Again extends TestLayer<Extract<TestLayerSpec, { kind: 'again' }>> {
  readonly kind = 'again';
  readonly runsCallerCode = true;
  #inBackoff = 0;

  get maxAttempts(): number {
    return this.spec.maxAttempts;
  }

  enter(step: Step): Verdict {
    step.ticket = { starts: 1, inBackoff: false };
    return PROCEED;
  }

  succeed(step: Step): Verdict {
    return this.spec.onValues ? this.#again(step) : this.#over(step);
  }

  fail(step: Step): Verdict {
    return this.#again(step);
  }

  abandon(step: Step): void {
    this.#over(step);
  }

  #over(step: Step): Verdict {
    const ticket = step.ticket as { starts: number; inBackoff: boolean };
    if (ticket.inBackoff) this.#inBackoff--;
    ticket.inBackoff = false;
    return DONE;
  }

  #again(step: Step): Verdict {
    this.#over(step);
    const ticket = step.ticket as { starts: number; inBackoff: boolean };
    if (ticket.starts >= this.spec.maxAttempts || step.options.idempotent === false) return DONE;
    ticket.starts++;
    ticket.inBackoff = true;
    this.#inBackoff++;
    return step.again(this.spec.delayMs);
  }

  override get leftOver(): string | undefined {
    return this.#inBackoff === 0 ? super.leftOver : `${this.#inBackoff} in backoff`;
  }
}

/** What a layer that only decides may decide on the way in. */
function entryVerdict(layer: TestLayer<TestLayerSpec>, step: Step, verdict: EntryVerdict, queue: WaitQueue): Verdict {
  switch (verdict) {
    case 'proceed':
      return PROCEED;
    case 'reject':
      return step.reject(layer.error('rejected'));
    case 'replace':
      return step.replace(new Replacement(layer.name));
    case 'wait':
      return step.waitUntil(step.nowMs() + 15, () => layer.error('could not wait'));
    case 'park':
      layer.host.later(10, () => void queue.grant());
      return step.park(queue);
    case 'limit':
      return step.limit(25);
    case 'throw':
      throw layer.error('threw');
    case 'unfit':
      return AGAIN;
  }
}

/** What a layer that only decides may decide on the way out. */
function exitVerdict(layer: TestLayer<TestLayerSpec>, step: Step, verdict: ExitVerdict, aside: AsideSpec): Verdict {
  switch (verdict) {
    case 'done':
      return DONE;
    case 'reject':
      return step.reject(layer.error('rejected'));
    case 'replace':
      return step.replace(new Replacement(layer.name));
    case 'run':
      return step.run(layer.host.aside(aside, layer.name));
    case 'again':
      return step.again(5);
    case 'throw':
      throw layer.error('threw');
    case 'unfit':
      return WAIT;
  }
}

class ConsultIn extends TestLayer<Extract<TestLayerSpec, { kind: 'consult-in' }>> {
  readonly kind = 'consult';
  readonly runsCallerCode = true;
  readonly #queue = new WaitQueue();

  enter(step: Step): Verdict {
    step.ticket = { asked: 1 };
    return step.consult(this.host.aside(this.spec.aside, this.name));
  }

  consulted(step: Step, answer: Answer): Verdict {
    const ticket = step.ticket as { asked: number };
    if (this.spec.twice && ticket.asked++ === 1) return step.consult(this.host.aside(this.spec.aside, this.name));
    if (!answer.ok) return step.reject(this.error('got no answer'));
    return entryVerdict(this, step, this.spec.verdict, this.#queue);
  }

  expire(): unknown {
    return this.error('timed out');
  }

  release(): void {}
}

class ConsultOut extends TestLayer<Extract<TestLayerSpec, { kind: 'consult-out' }>> {
  readonly kind = 'consult';
  readonly runsCallerCode = true;

  enter(step: Step): Verdict {
    step.ticket = { asked: 0, again: 0 };
    return PROCEED;
  }

  succeed(step: Step): Verdict {
    return this.#ask(step);
  }

  fail(step: Step): Verdict {
    return this.#ask(step);
  }

  consulted(step: Step): Verdict {
    const ticket = step.ticket as { asked: number; again: number };
    if (this.spec.twice && ticket.asked === 1) return this.#ask(step);
    if (this.spec.verdict === 'again' && ticket.again++ > 1) return DONE;
    return exitVerdict(this, step, this.spec.verdict, this.spec.aside);
  }

  #ask(step: Step): Verdict {
    (step.ticket as { asked: number }).asked++;
    return step.consult(this.host.aside(this.spec.aside, this.name));
  }

  release(): void {}
}

class EntryDecider extends TestLayer<Extract<TestLayerSpec, { kind: 'entry' }>> {
  readonly kind = 'entry';
  readonly #queue = new WaitQueue();
  #seen = 0;

  enter(step: Step): Verdict {
    return ++this.#seen % this.spec.every === 0 ? entryVerdict(this, step, this.spec.verdict, this.#queue) : PROCEED;
  }

  expire(): unknown {
    return this.error('timed out');
  }
}

class ExitDecider extends TestLayer<Extract<TestLayerSpec, { kind: 'exit' }>> {
  readonly kind = 'exit';
  readonly runsCallerCode = true;
  readonly maxAttempts = 2;
  #seen = 0;

  enter(step: Step): Verdict {
    step.ticket = { again: 0 };
    return PROCEED;
  }

  succeed(step: Step): Verdict {
    return this.spec.hook === 'succeed' ? this.#decide(step) : DONE;
  }

  fail(step: Step): Verdict {
    return this.spec.hook === 'fail' ? this.#decide(step) : DONE;
  }

  #decide(step: Step): Verdict {
    if (++this.#seen % this.spec.every !== 0) return DONE;
    const ticket = step.ticket as { again: number };
    if (this.spec.verdict === 'again' && ticket.again++ > 1) return DONE;
    return exitVerdict(this, step, this.spec.verdict, this.spec.aside);
  }
}

const classes = {
  permits: Permits,
  pause: Pause,
  turns: Turns,
  limit: Limit,
  again: Again,
  'consult-in': ConsultIn,
  'consult-out': ConsultOut,
  entry: EntryDecider,
  exit: ExitDecider,
} as const;

/** The layer of a test-only spec. */
export function makeTestLayer(spec: TestLayerSpec, name: string, host: LayerHost): AccountingLayer {
  const Class = classes[spec.kind] as unknown as new (name: string, spec: TestLayerSpec, host: LayerHost) => AccountingLayer;
  return new Class(name, spec, host);
}

export const isTestLayerSpec = (spec: { readonly kind: string }): spec is TestLayerSpec => spec.kind in classes;
