import { type Duration, duration, KeelsonError, type Policy } from 'keelson';
import type { Agent, Dispatcher } from 'undici';

/** How an `AsyncHttpClient` behaves. */
export interface AsyncHttpClientOptions<R = never> {
  /** For errors and statistics. Default `'http'`. */
  readonly name?: string | undefined;
  /** Every request runs under it; put several together with `compose`. Keyed policies are given `origin` and `host`. */
  readonly policy?: Policy<R, unknown> | undefined;
  /** Connections to one origin, each with one exchange at a time. Default 64. */
  readonly connectionsPerOrigin?: number | undefined;
  /** Requests that may wait for a connection to one origin; one more is refused with ERR_BULKHEAD_FULL. `Infinity` is allowed. Default 10,000. */
  readonly maxQueuePerOrigin?: number | undefined;
  /** Redirections that are followed; the response to one more comes back as it is. Default 0. Credentials stay with their origin. */
  readonly maxRedirections?: number | undefined;
  /** The `user-agent` of a request that has none. Default `'keelson'`. */
  readonly userAgent?: string | undefined;
  /** How long a connection is kept after its last exchange, unless the server names a time. Default `'4s'`. */
  readonly keepAliveTimeout?: Duration | undefined;
  /** Longest silence before the head of a response, to within a second; `Infinity` for no limit. Default `'5m'`. */
  readonly headersTimeout?: Duration | undefined;
  /** Longest silence within a body, to within a second; `Infinity` for no limit. Default `'5m'`. */
  readonly bodyTimeout?: Duration | undefined;
  /** An undici dispatcher of your own (a proxy, HTTP/2, a mock), with its own timeouts. It stays open when the client closes. */
  readonly dispatcher?: Dispatcher | undefined;
}

type Defaulted = 'name' | 'connectionsPerOrigin' | 'maxQueuePerOrigin' | 'maxRedirections' | 'userAgent';

/** The options in force. */
export type ClientSettings<R> = Omit<AsyncHttpClientOptions<R>, Defaulted> & {
  readonly [K in Defaulted]: NonNullable<AsyncHttpClientOptions<R>[K]>;
};

/** The defaults of `AsyncHttpClient`. */
export const asyncHttpClientDefaults: {
  readonly name: string;
  readonly connectionsPerOrigin: number;
  readonly maxQueuePerOrigin: number;
  readonly maxRedirections: number;
  readonly userAgent: string;
  readonly keepAliveTimeout: Duration;
  readonly headersTimeout: Duration;
  readonly bodyTimeout: Duration;
} = Object.freeze({
  name: 'http',
  connectionsPerOrigin: 64,
  maxQueuePerOrigin: 10_000,
  maxRedirections: 0,
  userAgent: 'keelson',
  keepAliveTimeout: '4s',
  headersTimeout: '5m',
  bodyTimeout: '5m',
});

interface Check {
  /** Completes "must be …". */
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
}

const wholeNumber = (min: number): Check => ({
  expected: `a whole number of at least ${min}`,
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= min,
});
const orInfinity = ({ expected, accepts }: Check): Check => ({
  expected: `${expected} or Infinity`,
  accepts: (value) => value === Number.POSITIVE_INFINITY || accepts(value),
});
const text: Check = { expected: 'a text that is not empty', accepts: (value) => typeof value === 'string' && value !== '' };
const object = (method: string): Check => ({
  expected: `an object with the method ${method}`,
  accepts: (value) => typeof (value as Record<string, unknown> | null)?.[method] === 'function',
});
const durationAbove0 = (longestMs: number): Check => ({
  expected: `a duration above 0${longestMs < Number.POSITIVE_INFINITY ? ' and finite' : ''} (milliseconds, or '250ms', '5s', '2m', '1h')`,
  accepts: (value) => {
    const ms = durationMs(value);
    return ms > 0 && ms <= longestMs;
  },
});
const CHECKS: { readonly [K in keyof AsyncHttpClientOptions]-?: Check } = {
  name: text,
  policy: object('execute'),
  connectionsPerOrigin: wholeNumber(1),
  maxQueuePerOrigin: orInfinity(wholeNumber(0)),
  maxRedirections: wholeNumber(0),
  userAgent: { expected: 'a text for one header line', accepts: (value) => typeof value === 'string' && /^[\x20-\x7e]+$/.test(value) },
  keepAliveTimeout: durationAbove0(Number.MAX_SAFE_INTEGER),
  headersTimeout: durationAbove0(Number.POSITIVE_INFINITY),
  bodyTimeout: durationAbove0(Number.POSITIVE_INFINITY),
  dispatcher: object('dispatch'),
};
const OF_OUR_AGENT = ['keepAliveTimeout', 'headersTimeout', 'bodyTimeout'] as const;

/** NaN for what is no duration. */
function durationMs(value: unknown): number {
  if (typeof value !== 'string') return typeof value === 'number' ? value : Number.NaN;
  try {
    return duration(value);
  } catch {
    return Number.NaN;
  }
}

/** The options in force; throws ERR_OPTION for the first that is unknown or wrong. */
export function checkClientOptions<R>(options: AsyncHttpClientOptions<R>): ClientSettings<R> {
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(CHECKS, key)) throw wrong(`unknown option ${key}; there are ${Object.keys(CHECKS).join(', ')}`);
    const { expected, accepts } = CHECKS[key as keyof AsyncHttpClientOptions];
    if (value !== undefined && !accepts(value)) throw wrong(`${key} must be ${expected}, got ${shown(value)}`);
  }
  const useless = options.dispatcher === undefined ? undefined : OF_OUR_AGENT.find((key) => options[key] !== undefined);
  if (useless !== undefined) throw wrong(`${useless} has no meaning beside dispatcher, which keeps its own`);
  return {
    ...options,
    name: options.name ?? asyncHttpClientDefaults.name,
    connectionsPerOrigin: options.connectionsPerOrigin ?? asyncHttpClientDefaults.connectionsPerOrigin,
    maxQueuePerOrigin: options.maxQueuePerOrigin ?? asyncHttpClientDefaults.maxQueuePerOrigin,
    maxRedirections: options.maxRedirections ?? asyncHttpClientDefaults.maxRedirections,
    userAgent: options.userAgent ?? asyncHttpClientDefaults.userAgent,
  };
}

/** What an agent of ours is made of. HTTP/1.1, one exchange at a time on a connection: closing one then ends one exchange, no other. */
export function agentOptions<R>(settings: ClientSettings<R>): Agent.Options {
  const ms = (key: (typeof OF_OUR_AGENT)[number]): number => durationMs(settings[key] ?? asyncHttpClientDefaults[key]);
  return {
    connections: settings.connectionsPerOrigin,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: ms('keepAliveTimeout'),
    headersTimeout: forUndici(ms('headersTimeout')),
    bodyTimeout: forUndici(ms('bodyTimeout')),
  };
}

/** Undici's word for "no limit" is 0. */
function forUndici(ms: number): number {
  return ms === Number.POSITIVE_INFINITY ? 0 : ms;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function wrong(message: string): KeelsonError {
  return new KeelsonError('ERR_OPTION', `AsyncHttpClient: ${message}`);
}
