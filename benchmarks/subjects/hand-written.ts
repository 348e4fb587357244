// What a careful developer writes in place of a library, no more than is needed.
import type { Work } from '../harness/loops.ts';

export async function tryAgain(work: Work, maxAttempts: number, baseDelayMs: number): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= maxAttempts) throw error;
      const delayMs = baseDelayMs * 2 ** (attempt - 1) * Math.random();
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
}

export function endAfter(work: Work, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('timed out')), timeoutMs);
    work().then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

export class Circuit {
  readonly #threshold: number;
  readonly #recoveryMs: number;
  #failures = 0;
  #openUntilMs = 0;

  constructor(threshold: number, recoveryMs: number) {
    this.#threshold = threshold;
    this.#recoveryMs = recoveryMs;
  }

  async run(work: Work): Promise<number> {
    if (this.#failures >= this.#threshold && performance.now() < this.#openUntilMs) throw new Error('open');
    try {
      const value = await work();
      this.#failures = 0;
      return value;
    } catch (error) {
      if (++this.#failures >= this.#threshold) this.#openUntilMs = performance.now() + this.#recoveryMs;
      throw error;
    }
  }
}

/** Ends the wait for `work` when `signal` aborts: a listener a call. */
export function endWith(work: Work, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    work({ signal })
      .finally(() => signal.removeEventListener('abort', onAbort))
      .then(resolve, reject);
  });
}
