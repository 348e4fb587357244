import { expect } from 'vitest';
import { DONE } from '../policy/layer.ts';
import { type Decision, type FakeCircumstances, type FakeStep, fakeStep } from '../testing/fake-step.ts';
import { CircuitBreakerLayer, type CircuitBreakerRules, type CircuitOpenError } from './circuit-breaker-layer.ts';
import { Consecutive } from './trip-strategy.ts';

/** The decider of a breaker that opens after one failure, for 1 s, and its time. */
export class Circuit {
  nowMs = 0;
  readonly layer: CircuitBreakerLayer;

  constructor(rules: Partial<CircuitBreakerRules> = {}) {
    this.layer = new CircuitBreakerLayer({
      name: 'api',
      recoveryTimeoutMs: 1000,
      successThreshold: 1,
      maxProbes: 1,
      probeLeaseMs: 500,
      strategy: new Consecutive(1, 10_000),
      handles: undefined,
      handlesResult: undefined,
      options: { failureThreshold: 1 },
      ...rules,
    });
  }

  get kind(): string {
    return this.layer.stateAt(this.nowMs).kind;
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
    const { step, decision } = this.enter(given);
    expect(decision).toBe('pass');
    return step;
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

  isLeft(step: FakeStep): void {
    step.given.nowMs = this.nowMs;
    this.layer.abandon(step);
  }

  /** Opens it, and lets its time pass. */
  halfOpen(): this {
    this.fails(this.call());
    this.nowMs += 1000;
    return this;
  }
}
