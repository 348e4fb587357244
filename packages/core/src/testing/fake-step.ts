import { type Classify, classify, type Outcome } from '../outcome/classify.ts';
import type { Step, Verdict } from '../policy/layer.ts';
import type { ExecuteOptions, Operation } from '../policy/policy.ts';
import type { PacedQueue } from '../sync/paced-queue.ts';
import type { Parking } from '../sync/wait-queue.ts';

/** A verdict as plain data; `'pass'` stands for PROCEED and for DONE. */
export type Decision =
  | 'pass'
  | { readonly limit: number }
  | { readonly waitUntil: number; readonly refusal: unknown }
  | { readonly park: Parking }
  | { readonly queueIn: PacedQueue; readonly expectedMs: number; readonly refusal: unknown }
  | { readonly reject: unknown }
  | { readonly replace: unknown }
  | { readonly run: Operation<unknown> }
  | { readonly again: number }
  | { readonly consult: Operation<unknown> };

/** What the layer under test is told; may be changed between two hooks. */
export interface FakeCircumstances {
  nowMs: number;
  epochMs: number;
  timeLeftMs: number;
  random: number;
  operation: string;
  options: ExecuteOptions;
  progress: string;
  hasOutput: boolean;
  isObserved: boolean;
  classify: Classify;
}

/** An event that a layer published. */
export interface FakeEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A {@link Step} without an engine: says what the test says, and keeps what the layer decided. */
export class FakeStep implements Step {
  ticket: unknown = undefined;
  /** Whether the layer has asked to be told when the operation starts. */
  awaitsStart = false;
  readonly given: FakeCircumstances;
  readonly events: FakeEvent[] = [];
  readonly #decisions: Decision[] = ['pass'];

  constructor(given: FakeCircumstances) {
    this.given = given;
  }

  /** What `verdict`, given by a hook that was handed this step, says. */
  decided(verdict: Verdict | undefined): Decision | undefined {
    return verdict === undefined ? undefined : this.#decisions[verdict];
  }

  get operation(): string {
    return this.given.operation;
  }

  get options(): ExecuteOptions {
    return this.given.options;
  }

  get hasOutput(): boolean {
    return this.given.hasOutput;
  }

  whenStarted(): void {
    this.awaitsStart = true;
  }

  get isObserved(): boolean {
    return this.given.isObserved;
  }

  nowMs(): number {
    return this.given.nowMs;
  }

  epochMs(): number {
    return this.given.epochMs;
  }

  timeLeftMs(): number {
    return this.given.timeLeftMs;
  }

  random(): number {
    return this.given.random;
  }

  progress(): string {
    return this.given.progress;
  }

  classifyError(error: unknown): Outcome {
    return this.given.classify({ ok: false, error });
  }

  classifyValue(value: unknown): Outcome {
    return this.given.classify({ ok: true, value });
  }

  publish(type: string, fields: Readonly<Record<string, unknown>>): void {
    this.events.push({ type, ...fields });
  }

  limit(ms: number): Verdict {
    return this.#verdict({ limit: ms });
  }

  waitUntil(atMs: number, refusal: () => unknown): Verdict {
    return this.#verdict({ waitUntil: atMs, refusal: refusal() });
  }

  park(queue: Parking): Verdict {
    return this.#verdict({ park: queue });
  }

  queueIn(queue: PacedQueue, expectedMs: number, refusal: () => unknown): Verdict {
    return this.#verdict({ queueIn: queue, expectedMs, refusal: refusal() });
  }

  reject(error: unknown): Verdict {
    return this.#verdict({ reject: error });
  }

  replace(value: unknown): Verdict {
    return this.#verdict({ replace: value });
  }

  run(operation: Operation<unknown>): Verdict {
    return this.#verdict({ run: operation });
  }

  again(delayMs: number): Verdict {
    return this.#verdict({ again: delayMs });
  }

  consult(operation: Operation<unknown>): Verdict {
    return this.#verdict({ consult: operation });
  }

  #verdict(decision: Decision): Verdict {
    return (this.#decisions.push(decision) - 1) as Verdict;
  }
}

/**
 * Makes what a layer's hook takes, so that a decider is tested as the pure function of time and chance it is: no engine, no clock, no wait.
 *
 * Unless told otherwise it is time 0, without any limit, chance says 0.5, and somebody listens to events.
 *
 *     const step = fakeStep({ timeLeftMs: 100 });
 *     expect(step.decided(layer.fail(step, new Error('reset')))).toEqual({ again: 50 });
 */
export function fakeStep(given: Partial<FakeCircumstances> = {}): FakeStep {
  return new FakeStep({
    nowMs: 0,
    epochMs: 0,
    timeLeftMs: Number.POSITIVE_INFINITY,
    random: 0.5,
    operation: 'operation',
    options: {},
    progress: '',
    hasOutput: false,
    isObserved: true,
    classify,
    ...given,
  });
}
