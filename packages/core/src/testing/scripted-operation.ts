import type { Call, Operation } from '../policy/policy.ts';
import { nextMacrotask } from './next-macrotask.ts';

/** One call of a {@link ScriptedOperation}, for the test to answer. */
export interface ScriptedCall<T> {
  /** What the policy gave to the operation: its signal, its attempt, its remaining time. */
  readonly call: Call;
  /** Whether the test has answered. */
  readonly isSettled: boolean;
  /** Answers with a value. Throws if the call was answered before. */
  resolve(value: T): void;
  /** Answers with an error. Throws if the call was answered before. */
  reject(error: unknown): void;
}

/** An operation whose part the test plays. */
export interface ScriptedOperation<T> {
  /** What to hand to the policy. */
  readonly operation: Operation<T>;
  /** Every call so far, in order. */
  readonly calls: readonly ScriptedCall<T>[];
  /** Every call that the test has not answered yet. */
  readonly open: readonly ScriptedCall<T>[];
  /**
   * The next call that was not handed out yet; waits for one until all that can run without time passing has run, then rejects with a plain
   * `Error`. Move the clock first, where the call comes later.
   */
  expectCall(): Promise<ScriptedCall<T>>;
  /** Rejects with a plain `Error` if there is a call that was not handed out yet, once all that can run without time passing has run. */
  expectNoCall(): Promise<void>;
}

class Played<T> implements ScriptedCall<T> {
  readonly call: Call;
  readonly answer: Promise<T>;
  isSettled = false;
  readonly #number: number;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;

  constructor(call: Call, number: number) {
    this.call = call;
    this.#number = number;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  resolve(value: T): void {
    this.#settle();
    this.#resolve(value);
  }

  reject(error: unknown): void {
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    if (this.isSettled) throw new Error(`call ${this.#number} of the scripted operation was answered twice`);
    this.isSettled = true;
  }
}

/**
 * Makes an operation whose part the test plays: the policy calls it, the test takes each call, looks at it, and answers when it likes.
 *
 * So a test decides what happens and in which order, and there is no stub that asserts on itself. It ignores the signal of its calls, as a
 * disobedient operation would, unless the test answers on an abort.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { retry, useClock } from 'keelson';
 * import { scriptedOperation, VirtualClock } from 'keelson/testing';
 *
 * using clock = useClock(new VirtualClock());
 * const greet = scriptedOperation<string>();
 * const result = retry({ maxAttempts: 2, baseDelay: '1s' }).execute(greet.operation);
 * (await greet.expectCall()).reject(new Error('busy'));
 * await clock.advance('1s');
 * const second = await greet.expectCall();
 * assert.equal(second.call.attempt, 2);
 * second.resolve('world');
 * assert.equal(await result, 'world');
 */
export function scriptedOperation<T>(): ScriptedOperation<T> {
  const calls: Played<T>[] = [];
  let handedOut = 0;
  return {
    calls,
    get open() {
      return calls.filter((played) => !played.isSettled);
    },
    operation: (call) => {
      const played = new Played<T>(call, calls.length + 1);
      calls.push(played);
      return played.answer;
    },
    expectCall: async () => {
      if (calls.length === handedOut) await nextMacrotask();
      const next = calls[handedOut];
      if (next === undefined) throw new Error(`expected call ${handedOut + 1} of the scripted operation, but it has not come`);
      handedOut++;
      return next;
    },
    expectNoCall: async () => {
      await nextMacrotask();
      if (calls.length > handedOut)
        throw new Error(`expected no further call of the scripted operation, but call ${handedOut + 1} has come`);
    },
  };
}
