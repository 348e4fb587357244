import { after, nowMs } from './host-time.ts';

/** The signals that end a run, with the exit code each gives. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof EXIT_CODES;
const SIGNALS = Object.keys(EXIT_CODES) as StopSignal[];

/** A parent like npm hands on the Ctrl-C that the terminal has sent to both: that is one signal. */
const SAME_SIGNAL_MS = 50;
/** How long a run that was told to stop at once may take to close its files. */
const CLOSING_MS = 1000;

/**
 * How a run is asked to end: the first SIGINT or SIGTERM aborts `draining`, and `stopped` follows after the time to drain, or at once with a
 * second signal, which also ends the process should closing hang.
 */
export class StopSignals implements Disposable {
  readonly #drainMs: number;
  readonly #draining = new AbortController();
  readonly #stopped = new AbortController();
  #first: { readonly signal: StopSignal; readonly atMs: number } | undefined;
  #cancelTimer: () => void = () => {};

  constructor(drainMs: number) {
    this.#drainMs = drainMs;
    for (const signal of SIGNALS) process.on(signal, this.#receive);
  }

  /** Nothing new begins. */
  get draining(): AbortSignal {
    return this.#draining.signal;
  }

  /** What runs is ended. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Of the signal that came first; undefined while none has. */
  get exitCode(): number | undefined {
    return this.#first === undefined ? undefined : EXIT_CODES[this.#first.signal];
  }

  [Symbol.dispose](): void {
    this.#cancelTimer();
    for (const signal of SIGNALS) process.off(signal, this.#receive);
  }

  readonly #receive = (signal: StopSignal): void => {
    if (this.#first === undefined) {
      this.#first = { signal, atMs: nowMs() };
      this.#cancelTimer = after(this.#drainMs, () => this.#stopped.abort(new Error('the time to drain is over')));
      this.#draining.abort(new Error(`the run was asked to end by ${signal}`));
    } else if (nowMs() - this.#first.atMs > SAME_SIGNAL_MS) {
      this.#cancelTimer();
      const exitCode = EXIT_CODES[this.#first.signal];
      this.#cancelTimer = after(CLOSING_MS, () => process.exit(exitCode));
      this.#stopped.abort(new Error(`the run was stopped by a second signal, ${signal}`));
    }
  };
}
