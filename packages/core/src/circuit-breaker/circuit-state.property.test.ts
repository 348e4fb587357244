import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ClosedError } from '../errors/closed-error.ts';
import { OUTCOME } from '../outcome/classify.ts';
import { PROCEED } from '../policy/layer.ts';
import { type FakeStep, fakeStep } from '../testing/fake-step.ts';
import { CircuitBreakerLayer } from './circuit-breaker-layer.ts';
import { CHANCE, CircuitModel, type ModelCall, type ModelRules } from './circuit-model.test-support.ts';
import { CircuitOpenError } from './circuit-open-error.ts';
import type { Hold } from './circuit-state.ts';
import { rampLimit } from './circuit-state.ts';
import { Consecutive } from './trip-strategy.ts';

const SEED = 20_251_121;

/** The real one, and its calls in the order of the model's. */
interface Real {
  readonly layer: CircuitBreakerLayer;
  readonly steps: FakeStep[];
  readonly holds: Hold[];
}

function agree(model: CircuitModel, { layer }: Real): void {
  const state = layer.stateAt(model.nowMs);
  expect(state.kind).toBe(model.kind);
  expect(state.probes).toHaveLength(model.probes.length);
  expect(state.probes.length).toBeLessThanOrEqual(layer.rules.maxProbes);
  expect(layer.inFlight).toBe(model.inFlight);
  expect(state.opened).toBe(model.openings.length);
  if (state.kind !== 'ramping') return;
  const limit = rampLimit(state, model.nowMs, layer.rules);
  expect(limit).toBeGreaterThanOrEqual(1);
  expect(state.inFlight).toBeLessThanOrEqual(limit);
  expect(state.inFlight).toBe(model.inRamp);
}

abstract class Command implements fc.Command<CircuitModel, Real> {
  check(_model: CircuitModel): boolean {
    return true;
  }

  abstract act(model: CircuitModel, real: Real): void;

  run(model: CircuitModel, real: Real): void {
    this.act(model, real);
    agree(model, real);
  }

  toString(): string {
    return this.constructor.name;
  }
}

class Enter extends Command {
  act(model: CircuitModel, { layer, steps }: Real): void {
    const step = fakeStep({ nowMs: model.nowMs, random: CHANCE });
    const verdict = layer.enter(step);
    if (model.begins()) {
      expect(verdict).toBe(PROCEED);
      if (step.awaitsStart) layer.started(step);
      steps.push(step);
      return;
    }
    const { reject: error } = step.decided(verdict) as { reject: CircuitOpenError };
    expect(error).toBeInstanceOf(model.isShut ? ClosedError : CircuitOpenError);
    if (model.isShut) return;
    if (model.retryAfterMs === undefined) expect(error.retryAfterMs).toBeUndefined();
    else expect(error.retryAfterMs).toBeCloseTo(model.retryAfterMs, 9);
    expect(error.retryAfterMs ?? 1).toBeGreaterThan(0);
  }
}

class Pass extends Command {
  readonly #ms: number;

  constructor(ms: number) {
    super();
    this.#ms = ms;
  }

  act(model: CircuitModel): void {
    for (let i = 0; i < this.#ms; i++) model.tick();
  }

  override toString(): string {
    return `pass ${this.#ms} ms`;
  }
}

type Ending = 'succeed' | 'fail' | 'abandon' | 'release';

function end(model: CircuitModel, { layer, steps }: Real, call: ModelCall, how: Ending, askedMs: number): void {
  const step = steps[model.calls.indexOf(call)] as FakeStep;
  step.given.nowMs = model.nowMs;
  switch (how) {
    case 'release':
      layer.release(step.ticket);
      call.progress = 'released';
      break;
    case 'succeed':
      layer.succeed(step, 'value');
      model.ends(call, 'success');
      break;
    case 'fail':
      layer.fail(step, Object.assign(new Error('down'), { [OUTCOME]: { kind: 'overloaded', retryAfterMs: askedMs } }));
      model.ends(call, 'failure', askedMs);
      break;
    case 'abandon':
      layer.abandon(step);
      model.ends(call, 'neutral');
  }
}

const candidates = ({ calls }: CircuitModel, how: Ending): readonly ModelCall[] =>
  calls.filter(({ progress }) => progress === (how === 'release' ? 'ended' : 'running'));

/** One of the calls that are as far as they have to be. */
class End extends Command {
  readonly #how: Ending;
  readonly #which: number;
  readonly #askedMs: number;

  constructor(how: Ending, which: number, askedMs: number) {
    super();
    this.#how = how;
    this.#which = which;
    this.#askedMs = askedMs;
  }

  override check(model: CircuitModel): boolean {
    return candidates(model, this.#how).length > 0;
  }

  act(model: CircuitModel, real: Real): void {
    const able = candidates(model, this.#how);
    end(model, real, able[this.#which % able.length] as ModelCall, this.#how, this.#askedMs);
  }

  override toString(): string {
    return `${this.#how} ${this.#which}, asks for ${this.#askedMs} ms`;
  }
}

class Isolate extends Command {
  act(model: CircuitModel, { layer, holds }: Real): void {
    const hold = { reason: 'deploying' };
    holds.push(hold);
    layer.isolate(hold, model.nowMs);
    model.isolate();
  }
}

class LetGo extends Command {
  override check({ holds }: CircuitModel): boolean {
    return holds > 0;
  }

  act(model: CircuitModel, { layer, holds }: Real): void {
    layer.letGo(holds.pop() as Hold, model.nowMs);
    model.letGo();
  }
}

class Shut extends Command {
  act(model: CircuitModel, { layer }: Real): void {
    layer.admission.close();
    model.isShut = true;
  }
}

const small = fc.integer({ min: 1, max: 3 });
const rules: fc.Arbitrary<ModelRules> = fc
  .record({
    failureThreshold: small,
    recoveryTimeoutMs: fc.integer({ min: 1, max: 20 }),
    recoveryFactor: fc.constantFrom(1, 2),
    maxRecoveryTimeoutMs: fc.integer({ min: 0, max: 60 }),
    recoveryJitter: fc.constantFrom(0, 0.5, 1),
    successThreshold: small,
    maxProbes: small,
    probeLeaseMs: fc.integer({ min: 1, max: 30 }),
    slowCallMs: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 30 })),
    rampUp: fc.nat(4),
  })
  .map((given) => ({ ...given, maxRecoveryTimeoutMs: given.recoveryTimeoutMs + given.maxRecoveryTimeoutMs }));

const ended = (how: Ending): fc.Arbitrary<End> =>
  fc.tuple(fc.nat(5), fc.oneof(fc.constant(0), fc.nat(90))).map(([which, askedMs]) => new End(how, which, askedMs));

const commands = (rare: readonly fc.Arbitrary<Command>[]): fc.Arbitrary<Iterable<fc.Command<CircuitModel, Real>>> =>
  fc.commands<CircuitModel, Real>(
    [
      fc.constant(new Enter()),
      fc.constant(new Enter()),
      fc.constant(new Enter()),
      fc.integer({ min: 1, max: 25 }).map((ms) => new Pass(ms)),
      ended('succeed'),
      ended('succeed'),
      ended('fail'),
      ended('abandon'),
      ended('release'),
      ended('release'),
      ...rare,
    ],
    { maxCommands: 80, size: 'max' },
  );

const isolations = [fc.constant(new Isolate()), fc.constant(new LetGo()), fc.constant(new LetGo())];

test.each([
  ['', []],
  [', also where it is isolated', isolations],
  [', also where it is closed by its owner', [...isolations, fc.constant(new Shut())]],
])('B1-B4, B6, C8: whatever calls do and whenever, a circuit is as one that lives through every moment%s', (_name, rare) => {
  fc.assert(
    fc.property(rules, commands(rare), (given, script) => {
      const { failureThreshold, ...recovery } = given;
      const layer = new CircuitBreakerLayer({
        name: 'circuit breaker',
        ...recovery,
        strategy: new Consecutive(failureThreshold, Number.POSITIVE_INFINITY),
        handles: undefined,
        handlesResult: undefined,
        described: {},
      });
      const model = new CircuitModel(given);
      const real: Real = { layer, steps: [], holds: [] };
      fc.modelRun(() => ({ model, real }), script);
      const leastMs = given.recoveryTimeoutMs * (1 - given.recoveryJitter * CHANCE);
      for (const openMs of model.openings) {
        expect(openMs).toBeGreaterThanOrEqual(leastMs);
        expect(openMs).toBeLessThanOrEqual(given.maxRecoveryTimeoutMs);
      }
      for (const hold of real.holds.splice(0)) {
        layer.letGo(hold, model.nowMs);
        model.letGo();
      }
      for (const how of ['abandon', 'release'] as const) for (const call of candidates(model, how)) end(model, real, call, how, 0);
      agree(model, real);
      expect([layer.inFlight, layer.stateAt(model.nowMs).probes.length]).toEqual([0, 0]);
      for (let i = 0; i < given.maxRecoveryTimeoutMs; i++) model.tick();
      new Enter().run(model, real);
      expect(real.steps.length - model.calls.length).toBe(0);
      expect(model.inFlight).toBe(model.isShut ? 0 : 1); // it lets calls through again
    }),
    { seed: SEED, numRuns: 300 },
  );
});
