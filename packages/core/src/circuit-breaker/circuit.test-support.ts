import { expect } from 'vitest';
import { DONE } from '../policy/layer.ts';
import { type Decision, type FakeCircumstances, type FakeStep, fakeStep } from '../testing/fake-step.ts';
import { CircuitBreakerLayer } from './circuit-breaker-layer.ts';
import type { CircuitBreakerRules } from './circuit-breaker-options.ts';
import type { CircuitOpenError } from './circuit-open-error.ts';
import type { RecoveryRules } from './circuit-state.ts';
import { Consecutive } from './trip-strategy.ts';

/** How a circuit recovers that opens for 1 s, always; no call is slow, and nothing ramps up. */
export const PLAIN: RecoveryRules = {
  recoveryTimeoutMs: 1000,
  recoveryFactor: 1,
  maxRecoveryTimeoutMs: 10_000,
  recoveryJitter: 0,
  successThreshold: 1,
  maxProbes: 1,
  probeLeaseMs: 500,
  slowCallMs: Number.POSITIVE_INFINITY,
  rampUp: 0,
};

/** The decider of a breaker that opens after one failure, and its time. */
export class Circuit {
  nowMs = 0;
  readonly layer: CircuitBreakerLayer;

  constructor(rules: Partial<CircuitBreakerRules> = {}) {
    this.layer = new CircuitBreakerLayer({
      name: 'api',
      ...PLAIN,
      strategy: new Consecutive(1, 10_000),
      handles: undefined,
      handlesResult: undefined,
      described: { failureThreshold: 1 },
      ...rules,
    });
  }

  /** As the layer names it. */
  get kind(): string {
    return this.layer.stateAt(this.nowMs).kind;
  }

  get opened(): number {
    return this.layer.stateAt(this.nowMs).opened;
  }

  get failures(): number {
    return this.layer.rules.strategy.counts(this.nowMs).failures;
  }

  enter(given: Partial<FakeCircumstances> = {}): { readonly step: FakeStep; readonly decision: Decision | undefined } {
    const step = fakeStep({ nowMs: this.nowMs, ...given });
    return { step, decision: step.decided(this.layer.enter(step)) };
  }

  /** A call that is let through. */
  call(given: Partial<FakeCircumstances> = {}): FakeStep {
    const step = this.admitted(given);
    this.starts(step);
    return step;
  }

  /** One that is let through, and waits for something inside before its operation starts. */
  admitted(given: Partial<FakeCircumstances> = {}): FakeStep {
    const { step, decision } = this.enter(given);
    expect(decision).toBe('pass');
    return step;
  }

  starts(step: FakeStep): void {
    step.given.nowMs = this.nowMs;
    if (step.awaitsStart) this.layer.started(step);
  }

  /** A call that is not. */
  refusal(given: Partial<FakeCircumstances> = {}): CircuitOpenError {
    const { decision } = this.enter(given);
    return (decision as { reject: CircuitOpenError }).reject;
  }

  fails(step: FakeStep, error: unknown = new Error('down')): void {
    step.given.nowMs = this.nowMs;
    expect(this.layer.fail(step, error)).toBe(DONE);
  }

  returns(step: FakeStep, value: unknown = 'value'): void {
    step.given.nowMs = this.nowMs;
    expect(this.layer.succeed(step, value)).toBe(DONE);
  }

  ends(step: FakeStep): void {
    this.layer.release(step.ticket);
  }

  isLeft(step: FakeStep): void {
    step.given.nowMs = this.nowMs;
    this.layer.abandon(step);
  }

  /** Opens it, and lets its time pass. */
  halfOpen(): this {
    while (this.kind === 'closed') this.fails(this.call());
    this.nowMs += 1000;
    return this;
  }
}
