import { type CircuitBreaker, circuitBreaker, compose, keyed, type Policy, rateLimit, retry, timeout } from 'keelson';
import type { BreakerSettings, PolicySettings, RetrySettings } from '../runtime/policy-settings.ts';
import type { RunStatistics } from '../runtime/run-statistics.ts';
import type { Rate } from '../runtime/values.ts';
import { type BreakerView, ParkingLot } from './parking-lot.ts';
import type { Slots } from './slots.ts';
import { leaveOrigin, waitForOrigin } from './wait-for-origin.ts';

type AnyPolicy = Policy<never, unknown>;

/** The policies of a run as one, and what its breakers do. */
export interface RunPolicy {
  /** For a job that has been called so often already. Each call names its origin: `execute(operation, { keys: { origin } })`. */
  readonly policyAfter: (attempts: number) => AnyPolicy;
  readonly parking: ParkingLot;
  /** How many origins have a breaker that lets no call through. */
  readonly openBreakers: () => number;
}

/** What the policies of a run need beside their settings. */
export interface PolicyContext {
  /** Commands have no origins, and so no breakers and rates by origin. */
  readonly hasOrigins: boolean;
  /** Whether a job keeps its slot while it waits for its origin. */
  readonly keepsSlots: boolean;
  readonly slots: Slots;
  readonly statistics: RunStatistics;
}

const CLOSED: BreakerView = { isClosed: true, retryAfterMs: 0 };

/** Puts the policies of a run together, in the standard order. */
export function composePolicy(settings: PolicySettings, { hasOrigins, keepsSlots, ...context }: PolicyContext): RunPolicy {
  const { rate, ratePerOrigin, timeoutMs, totalTimeoutMs, giveUpAfterMs, circuitBreaker: breaker, concurrency } = settings;
  const limiter = (rate: Rate): AnyPolicy =>
    rateLimit({ limit: rate.limit, period: rate.periodMs, burst: burstOf(rate), maxQueue: concurrency });
  const breakers = breaker === undefined || !hasOrigins ? undefined : keyed('origin', () => breakerOf(breaker, timeoutMs + giveUpAfterMs));
  const breakerFor = (origin: string): CircuitBreaker | undefined => breakers?.get(origin) as CircuitBreaker | undefined;
  const parking = new ParkingLot({ ...context, giveUpAfterMs, totalTimeoutMs, look: (origin) => viewOf(breakerFor(origin)) });
  const policies: (AnyPolicy | undefined)[] = [
    breakers && (keepsSlots ? waitForOrigin(parking, giveUpAfterMs) : leaveOrigin(parking)),
    breakers,
    ratePerOrigin && hasOrigins ? keyed('origin', () => limiter(ratePerOrigin)) : undefined,
    rate && limiter(rate),
    timeout({ timeout: timeoutMs, name: 'attempt timeout' }),
  ];
  const eachAttempt = policies.filter((policy) => policy !== undefined);
  const after = new Map<number, AnyPolicy>();
  const policyAfter = (attempts: number): AnyPolicy => {
    const known = after.get(attempts);
    const policy = known ?? compose(retryOf(settings.retry, giveUpAfterMs, attempts), ...eachAttempt);
    if (known === undefined) after.set(attempts, policy);
    return policy;
  };
  return {
    policyAfter,
    parking,
    openBreakers: () => breakers?.keys().filter((origin) => !viewOf(breakerFor(origin)).isClosed).length ?? 0,
  };
}

/** Calls start late by what their timers are late by; so many may start at once to make up for it. */
const SLACK_MS = 20;

const burstOf = ({ limit, periodMs }: Rate): number => Math.max(1, Math.ceil((limit * SLACK_MS) / periodMs));

/** An origin without a breaker has not been called, or not for long. A breaker that has just closed lets a few calls through at first. */
function viewOf(breaker: CircuitBreaker | undefined): BreakerView {
  if (breaker === undefined) return CLOSED;
  const { state, retryAfterMs = 0 } = breaker.statistics();
  return { isClosed: state === 'closed' && retryAfterMs === 0, retryAfterMs };
}

/** Our own backoff ends at its longest delay; a wait that the origin asks for may take as long as a job waits for its origin at all. */
function retryOf({ maxAttempts, baseDelayMs, maxDelayMs }: RetrySettings, giveUpAfterMs: number, before: number): AnyPolicy {
  const backoff = ({ attempts }: { readonly attempts: number }): number => Math.min(maxDelayMs, baseDelayMs * 2 ** (before + attempts - 1));
  return retry({ maxAttempts: maxAttempts - before, backoff, jitter: 'full', maxDelay: Math.max(maxDelayMs, giveUpAfterMs) });
}

/**
 * A probe may wait for a token before its attempt begins; nobody waits for its lease, since refused jobs ask again by themselves. The time it is open does
 * not grow: a job that waits for its origin must not miss that it is back.
 */
function breakerOf({ failureThreshold, recoveryTimeoutMs, successThreshold }: BreakerSettings, probeLeaseMs: number): CircuitBreaker {
  return circuitBreaker({
    failureThreshold,
    recoveryTimeout: recoveryTimeoutMs,
    recoveryFactor: 1,
    successThreshold,
    probeLease: probeLeaseMs,
  });
}
