import type { FaultCounts } from './faults.ts';
import type { FaultyServer } from './faulty-server.ts';
import { quantile } from './verify.ts';

/** What a server has done to its clients, and what it should have done and has not. */
export interface FaultReport {
  /** For people, a line each. */
  readonly lines: readonly string[];
  readonly problems: readonly string[];
}

/** So many times the median the 99th percentile of the latencies has to be. */
const LEAST_SPREAD = 20;
const MEANING: Readonly<Record<keyof FaultCounts, string>> = {
  reset: 'connections reset before an answer',
  throttled: 'answers of 429 with Retry-After',
  unavailable: 'answers of 503 with Retry-After',
  truncated: 'bodies that broke off half-way',
  slow: 'answers that took a hundred times as long',
  outage: 'requests that fell into the outage',
};

/** Says what fired; a run proves nothing about a fault that it has not met. */
export function faultReport(server: FaultyServer): FaultReport {
  const counts = Object.entries(server.counts()) as [keyof FaultCounts, number][];
  const latenciesMs = server.latenciesMs();
  const p50 = quantile(latenciesMs, 0.5);
  const p99 = quantile(latenciesMs, 0.99);
  const spread = p99 / p50;
  const silent = counts.filter(([, count]) => count === 0).map(([fault]) => `no ${fault} fired`);
  return {
    lines: [
      'Faults that fired:',
      ...counts.map(([fault, count]) => `  ${String(count).padStart(5)}  ${MEANING[fault]}`),
      `Latency as the origin dealt it: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${spread.toFixed(0)} times as much.`,
    ],
    problems: spread >= LEAST_SPREAD ? silent : [...silent, `p99 is only ${spread.toFixed(1)} times the median`],
  };
}
