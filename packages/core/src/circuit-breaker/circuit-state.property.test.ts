import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PROCEED } from '../policy/layer.ts';
import { type FakeStep, fakeStep } from '../testing/fake-step.ts';
import { CircuitBreakerLayer, CircuitOpenError } from './circuit-breaker-layer.ts';
import { Consecutive } from './trip-strategy.ts';

const SEED = 20_251_121;

interface Rules {
  readonly failureThreshold: number;
  readonly recoveryTimeoutMs: number;
  readonly successThreshold: number;
  readonly maxProbes: number;
  readonly probeLeaseMs: number;
}

interface ModelCall {
  readonly generation: number;
  /** Infinity for a call that is no probe. */
  readonly leaseEndsMs: number;
  progress: 'running' | 'ended' | 'released';
}

/** A circuit that lives through every millisecond, where the real one looks only when it is asked. */
class Model {
  kind: 'closed' | 'open' | 'half-open' = 'closed';
  generation = 0;
  nowMs = 0;
  openUntilMs = 0;
  inRow = 0;
  successes = 0;
  readonly calls: ModelCall[] = [];
  readonly #rules: Rules;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  /** The probes that have a place. */
  get probes(): readonly ModelCall[] {
    return this.calls.filter((call) => isProbe(call) && call.progress !== 'released' && call.leaseEndsMs > this.nowMs);
  }

  /** For how long a call that is refused now has to wait. */
  get retryAfterMs(): number {
    const { recoveryTimeoutMs } = this.#rules;
    if (this.kind === 'open') return this.openUntilMs - this.nowMs;
    return Math.min(recoveryTimeoutMs, ...this.probes.map(({ leaseEndsMs }) => leaseEndsMs - this.nowMs));
  }

  change(kind: Model['kind']): void {
    this.kind = kind;
    this.generation++;
    this.inRow = 0;
    this.successes = 0;
    if (kind === 'open') this.openUntilMs = this.nowMs + this.#rules.recoveryTimeoutMs;
  }

  tick(): void {
    this.nowMs++;
    if (this.kind === 'open' && this.nowMs === this.openUntilMs) this.change('half-open');
    if (this.kind === 'half-open' && this.calls.some((call) => this.counts(call) && call.leaseEndsMs === this.nowMs)) this.change('open');
  }

  counts(call: ModelCall): boolean {
    return call.progress === 'running' && call.generation === this.generation;
  }

  /** Whether a call may begin now; it has begun, then. */
  begins(): boolean {
    if (this.kind === 'open' || (this.kind === 'half-open' && this.probes.length === this.#rules.maxProbes)) return false;
    const leaseEndsMs = this.kind === 'closed' ? Number.POSITIVE_INFINITY : this.nowMs + this.#rules.probeLeaseMs;
    this.calls.push({ generation: this.generation, leaseEndsMs, progress: 'running' });
    return true;
  }

  ends(call: ModelCall, how: 'success' | 'failure' | 'neutral'): void {
    const counts = this.counts(call);
    call.progress = 'ended';
    if (!counts || how === 'neutral') return;
    if (this.kind === 'half-open') {
      if (how === 'failure') this.change('open');
      else if (++this.successes === this.#rules.successThreshold) this.change('closed');
    } else if (how === 'success') this.inRow = 0;
    else if (++this.inRow === this.#rules.failureThreshold) this.change('open');
  }
}

const isProbe = (call: ModelCall): boolean => call.leaseEndsMs !== Number.POSITIVE_INFINITY;

/** The real one, and its calls in the order of the model's. */
interface Real {
  readonly layer: CircuitBreakerLayer;
  readonly steps: FakeStep[];
  readonly maxProbes: number;
}

abstract class Command implements fc.Command<Model, Real> {
  abstract check(model: Model): boolean;
  abstract act(model: Model, real: Real): void;

  run(model: Model, real: Real): void {
    this.act(model, real);
    const state = real.layer.stateAt(model.nowMs);
    expect(state.kind).toBe(model.kind);
    expect(state.probes).toHaveLength(model.probes.length);
    expect(state.probes.length).toBeLessThanOrEqual(real.maxProbes);
  }
}

class Enter extends Command {
  check(): boolean {
    return true;
  }

  act(model: Model, { layer, steps }: Real): void {
    const step = fakeStep({ nowMs: model.nowMs });
    const verdict = layer.enter(step);
    if (model.begins()) {
      expect(verdict).toBe(PROCEED);
      steps.push(step);
      return;
    }
    const { reject: error } = step.decided(verdict) as { reject: CircuitOpenError };
    expect(error).toBeInstanceOf(CircuitOpenError);
    expect(error.retryAfterMs).toBe(model.retryAfterMs);
    expect(error.retryAfterMs).toBeGreaterThan(0);
  }

  override toString(): string {
    return 'enter';
  }
}

class Pass extends Command {
  readonly #ms: number;

  constructor(ms: number) {
    super();
    this.#ms = ms;
  }

  check(): boolean {
    return true;
  }

  act(model: Model): void {
    for (let i = 0; i < this.#ms; i++) model.tick();
  }

  override toString(): string {
    return `pass ${this.#ms} ms`;
  }
}

type Ending = 'succeed' | 'fail' | 'abandon' | 'release';

/** One of the calls that are as far as they have to be. */
class End extends Command {
  readonly #how: Ending;
  readonly #which: number;

  constructor(how: Ending, which: number) {
    super();
    this.#how = how;
    this.#which = which;
  }

  check(model: Model): boolean {
    return this.#candidates(model).length > 0;
  }

  act(model: Model, { layer, steps }: Real): void {
    const candidates = this.#candidates(model);
    const call = candidates[this.#which % candidates.length] as ModelCall;
    const step = steps[model.calls.indexOf(call)] as FakeStep;
    step.given.nowMs = model.nowMs;
    if (this.#how === 'release') {
      layer.release(step.ticket);
      call.progress = 'released';
    } else if (this.#how === 'succeed') {
      layer.succeed(step, 'value');
      model.ends(call, 'success');
    } else if (this.#how === 'fail') {
      layer.fail(step, new Error('down'));
      model.ends(call, 'failure');
    } else {
      layer.abandon(step);
      model.ends(call, 'neutral');
    }
  }

  #candidates({ calls }: Model): readonly ModelCall[] {
    return calls.filter(({ progress }) => progress === (this.#how === 'release' ? 'ended' : 'running'));
  }

  override toString(): string {
    return `${this.#how} ${this.#which}`;
  }
}

const small = fc.integer({ min: 1, max: 3 });
const rules: fc.Arbitrary<Rules> = fc.record({
  failureThreshold: small,
  recoveryTimeoutMs: fc.integer({ min: 1, max: 20 }),
  successThreshold: small,
  maxProbes: small,
  probeLeaseMs: fc.integer({ min: 1, max: 30 }),
});

const end = (how: Ending): fc.Arbitrary<End> => fc.nat(5).map((which) => new End(how, which));
const commands = fc.commands(
  [
    fc.constant(new Enter()),
    fc.constant(new Enter()),
    fc.integer({ min: 1, max: 25 }).map((ms) => new Pass(ms)),
    end('succeed'),
    end('fail'),
    end('abandon'),
    end('release'),
  ],
  { maxCommands: 60 },
);

test('B1, B2, B3, C8: whatever calls do and whenever, a circuit is as one that lives through every moment, and lets calls through again', () => {
  fc.assert(
    fc.property(rules, commands, (given, script) => {
      const { failureThreshold, ...recovery } = given;
      const layer = new CircuitBreakerLayer({
        name: 'circuit breaker',
        ...recovery,
        strategy: new Consecutive(failureThreshold, Number.POSITIVE_INFINITY),
        handles: undefined,
        handlesResult: undefined,
        options: {},
      });
      const model = new Model(given);
      fc.modelRun(() => ({ model, real: { layer, steps: [], maxProbes: given.maxProbes } }), script);
      const later = fakeStep({ nowMs: model.nowMs + given.probeLeaseMs + given.recoveryTimeoutMs });
      expect(layer.enter(later)).toBe(PROCEED);
    }),
    { seed: SEED, numRuns: 500 },
  );
});
