import { formatCount, formatCountOf, formatLatency, formatRoughTime } from './format-numbers.ts';
import { every, nowMs } from './host-time.ts';
import type { RunStatistics } from './run-statistics.ts';

/** Where progress is shown. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** What progress shows besides the counts. */
export interface ProgressFacts {
  readonly statistics: RunStatistics;
  /** How many origins have a breaker that lets no call through. */
  readonly openBreakers: () => number;
}

const REDRAW_MS = 200;
const PLAIN_MS = 5000;
/** The rate is that of the last ten seconds. */
const RATE_WINDOW_MS = 10_000;
const CLEAR_BELOW = '\x1b[J';

interface Sample {
  readonly atMs: number;
  readonly finished: number;
}

/** Shows how far a run is: redrawn in place on a terminal, a line every few seconds elsewhere. */
export class Progress implements Disposable {
  readonly #facts: ProgressFacts;
  readonly #stream: ProgressStream;
  readonly #samples: Sample[] = [];
  readonly #stop: () => void;
  #drawnLines = 0;

  constructor(facts: ProgressFacts, stream: ProgressStream) {
    this.#facts = facts;
    this.#stream = stream;
    this.#sample();
    this.#stop = every(stream.isTTY === true ? REDRAW_MS : PLAIN_MS, () => this.#show());
  }

  [Symbol.dispose](): void {
    this.#stop();
    this.#stream.write(this.#eraser());
  }

  #show(): void {
    const lines = progressLines(this.#facts.statistics, this.#sample(), this.#facts.openBreakers());
    if (this.#stream.isTTY !== true) {
      this.#stream.write(`${lines.join('  ')}\n`);
      return;
    }
    const width = this.#stream.columns ?? 80;
    this.#stream.write(this.#eraser() + lines.map((line) => `${line.slice(0, width - 1)}\n`).join(''));
    this.#drawnLines = lines.length;
  }

  #eraser(): string {
    return this.#drawnLines === 0 ? '' : `\x1b[${this.#drawnLines}A\r${CLEAR_BELOW}`;
  }

  /** Jobs finished a second, of late. */
  #sample(): number {
    const { done, failed } = this.#facts.statistics;
    const last = { atMs: nowMs(), finished: done + failed };
    this.#samples.push(last);
    while (this.#samples.length > 2 && last.atMs - (this.#samples[1]?.atMs ?? 0) >= RATE_WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0] ?? last;
    return last.atMs === first.atMs ? 0 : ((last.finished - first.finished) * 1000) / (last.atMs - first.atMs);
  }
}

/** Progress as text; `rate` in jobs a second. */
export function progressLines(statistics: RunStatistics, rate: number, openBreakers: number): [string, string] {
  const { jobs, done, failed, doneBefore, failedBefore, remaining, retries, calling, waitingForOrigin, parked } = statistics;
  const finished = jobs - remaining;
  const share = jobs === 0 ? 100 : Math.floor((finished / jobs) * 100);
  const eta = remaining === 0 ? '0s' : rate === 0 ? '?' : formatRoughTime(remaining / rate);
  return [
    [
      `${formatCount(done + doneBefore)} of ${formatCount(jobs)} done (${share} %)`,
      `${formatCount(failed + failedBefore)} failed`,
      `${formatCount(rate)}/s`,
      `ETA ${eta}`,
    ].join('  '),
    [
      `${formatCount(calling)} calling`,
      formatCountOf(retries, 'retry', 'retries'),
      openBreakers === 0 ? 'no breaker open' : `${formatCountOf(openBreakers, 'breaker')} open`,
      waitingForOrigin + parked === 0 ? undefined : `${formatCount(waitingForOrigin + parked)} parked`,
      `p50 ${formatLatency(statistics.latencyMs(50))}`,
      `p99 ${formatLatency(statistics.latencyMs(99))}`,
    ]
      .filter((part) => part !== undefined)
      .join('  '),
  ];
}
