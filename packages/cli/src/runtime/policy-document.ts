import { parseDuration, parseRate, type Rate } from './values.ts';

/** A policy file as it is written; `schema/policy.schema.json` says the same in JSON Schema. */
export interface PolicyDocument {
  readonly concurrency?: number;
  readonly rate?: string;
  readonly ratePerOrigin?: string;
  readonly timeout?: string;
  readonly totalTimeout?: string;
  readonly giveUpAfter?: string;
  readonly retry?: { readonly maxAttempts?: number; readonly baseDelay?: string; readonly maxDelay?: string };
  readonly circuitBreaker?:
    | 'off'
    | { readonly failureThreshold?: number; readonly recoveryTimeout?: string; readonly successThreshold?: number };
}

/** What one source, the command line or a policy file, says about the policies; the rest is left to the next source. */
export interface PolicyWishes {
  readonly concurrency?: number | undefined;
  readonly rate?: Rate | undefined;
  readonly ratePerOrigin?: Rate | undefined;
  readonly timeoutMs?: number | undefined;
  readonly totalTimeoutMs?: number | undefined;
  readonly giveUpAfterMs?: number | undefined;
  readonly maxAttempts?: number | undefined;
  readonly baseDelayMs?: number | undefined;
  readonly maxDelayMs?: number | undefined;
  readonly breaker?: 'on' | 'off' | undefined;
  readonly failureThreshold?: number | undefined;
  readonly recoveryTimeoutMs?: number | undefined;
  readonly successThreshold?: number | undefined;
}

/** What holds where nobody wished otherwise. */
export const policyDefaults: {
  readonly concurrency: number;
  readonly timeout: string;
  readonly giveUpAfter: string;
  readonly retry: { readonly maxAttempts: number; readonly baseDelay: string; readonly maxDelay: string };
  readonly circuitBreaker: { readonly failureThreshold: number; readonly recoveryTimeout: string; readonly successThreshold: number };
} = Object.freeze({
  concurrency: 64,
  timeout: '10s',
  giveUpAfter: '10m',
  retry: { maxAttempts: 5, baseDelay: '200ms', maxDelay: '30s' },
  circuitBreaker: { failureThreshold: 5, recoveryTimeout: '5s', successThreshold: 2 },
});

/** What a document that is in order says. */
export function wishesOf(document: PolicyDocument): PolicyWishes {
  const { retry, circuitBreaker } = document;
  const breaker = circuitBreaker === 'off' ? undefined : circuitBreaker;
  return {
    concurrency: document.concurrency,
    rate: given(parseRate, document.rate),
    ratePerOrigin: given(parseRate, document.ratePerOrigin),
    timeoutMs: given(parseDuration, document.timeout),
    totalTimeoutMs: given(parseDuration, document.totalTimeout),
    giveUpAfterMs: given(parseDuration, document.giveUpAfter),
    maxAttempts: retry?.maxAttempts,
    baseDelayMs: given(parseDuration, retry?.baseDelay),
    maxDelayMs: given(parseDuration, retry?.maxDelay),
    breaker: circuitBreaker === undefined ? undefined : circuitBreaker === 'off' ? 'off' : 'on',
    failureThreshold: breaker?.failureThreshold,
    recoveryTimeoutMs: given(parseDuration, breaker?.recoveryTimeout),
    successThreshold: breaker?.successThreshold,
  };
}

function given<T>(parse: (text: string) => T, text: string | undefined): T | undefined {
  return text === undefined ? undefined : parse(text);
}
