import { type PolicyWishes, policyDefaults, wishesOf } from './policy-document.ts';
import type { Rate } from './values.ts';

/** The policies of a run, in force. */
export interface PolicySettings {
  readonly concurrency: number;
  readonly rate: Rate | undefined;
  readonly ratePerOrigin: Rate | undefined;
  /** Of one attempt. */
  readonly timeoutMs: number;
  /** Of a job, from its start, waits included; Infinity for none. */
  readonly totalTimeoutMs: number;
  /** How long a job waits for an origin whose breaker stays open, or that asks it to wait. */
  readonly giveUpAfterMs: number;
  readonly retry: RetrySettings;
  /** Undefined: no breakers. */
  readonly circuitBreaker: BreakerSettings | undefined;
}

export interface RetrySettings {
  readonly maxAttempts: number;
  /** Whether somebody asked for retries, so that calls are repeated too that HTTP does not call repeatable (law R5). */
  readonly isAskedFor: boolean;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}

export interface BreakerSettings {
  /** Failures in a row that open an origin's breaker. */
  readonly failureThreshold: number;
  readonly recoveryTimeoutMs: number;
  /** Successes that close it again. */
  readonly successThreshold: number;
}

/** What has no default: without it there is no such limit. */
type Limit = 'rate' | 'ratePerOrigin' | 'totalTimeoutMs';
type CompleteWishes = Pick<PolicyWishes, Limit> & { readonly [K in Exclude<keyof PolicyWishes, Limit>]: NonNullable<PolicyWishes[K]> };

/** Settles the policies; of two sources that say something, the one named first wins, and the defaults come last. */
export function settlePolicy(...sources: readonly PolicyWishes[]): PolicySettings {
  const said: PolicyWishes = Object.assign({}, ...sources.toReversed().map(withoutUndefined));
  const wishes = { ...wishesOf(policyDefaults), ...said } as CompleteWishes;
  const { failureThreshold, recoveryTimeoutMs, successThreshold } = wishes;
  return {
    concurrency: wishes.concurrency,
    rate: wishes.rate,
    ratePerOrigin: wishes.ratePerOrigin,
    timeoutMs: wishes.timeoutMs,
    totalTimeoutMs: wishes.totalTimeoutMs ?? Number.POSITIVE_INFINITY,
    giveUpAfterMs: wishes.giveUpAfterMs,
    retry: {
      maxAttempts: wishes.maxAttempts,
      isAskedFor: said.maxAttempts !== undefined,
      baseDelayMs: wishes.baseDelayMs,
      maxDelayMs: wishes.maxDelayMs,
    },
    circuitBreaker: wishes.breaker === 'off' ? undefined : { failureThreshold, recoveryTimeoutMs, successThreshold },
  };
}

function withoutUndefined(wishes: PolicyWishes): PolicyWishes {
  return Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined));
}
