/** What may go wrong with a request, each with its share of all requests. */
export const FAULTS = {
  /** The connection is reset before an answer. */
  reset: 0.03,
  /** 429 with Retry-After. */
  throttled: 0.03,
  /** 503 with Retry-After. */
  unavailable: 0.03,
  /** The body ends half-way through what Content-Length promised. */
  truncated: 0.02,
  /** The answer takes a hundred times as long as most. */
  slow: 0.03,
} as const;

export type Fault = keyof typeof FAULTS;

/** How often each fault has fired; `outage` counts the requests that fell into the outage. */
export type FaultCounts = Readonly<Record<Fault | 'outage', number>>;

/** A number from 0 to below 1 that depends on nothing but the arguments: FNV-1a over the text, then one round of splitmix32. */
export function chance(seed: number, text: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}

/** The fault that a number from 0 to 1 stands for; undefined for most. */
export function faultOf(roll: number): Fault | undefined {
  let left = roll;
  return (Object.keys(FAULTS) as Fault[]).find((fault) => {
    left -= FAULTS[fault];
    return left < 0;
  });
}
