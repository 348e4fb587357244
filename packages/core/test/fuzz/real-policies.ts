import { type Bulkhead, bulkhead } from '../../src/bulkhead/bulkhead.ts';
import { type CircuitBreaker, circuitBreaker } from '../../src/circuit-breaker/circuit-breaker.ts';
import { fallback } from '../../src/fallback/fallback.ts';
import type { FallbackOperation } from '../../src/fallback/fallback-layer.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { type RetryBudget, retryBudget } from '../../src/policy/retry-budget.ts';
import { type RetryQuota, retryQuota } from '../../src/policy/retry-quota.ts';
import type { BeforeRetry } from '../../src/retry/before-retry.ts';
import { retry } from '../../src/retry/retry.ts';
import { timeout } from '../../src/timeout/timeout.ts';
import type { Ledger } from './ledger.ts';
import { makeLimiter } from './real-limiter.ts';
import type { Action, AsideSpec, BreakerAct, BulkheadChange, PredicateSpec, RealSpec } from './stack-plan.ts';
import { type LayerHost, Replacement } from './test-layers.ts';

/** What the shipped policies need of the fuzz. */
export interface RealHost extends LayerHost {
  readonly ledger: Ledger;
  act(action: Action): void;
}

/** Something that must be empty at the end. */
export interface Account {
  readonly name: string;
  leftOver(): string | undefined;
}

/** A shipped policy of a spec; what has to be empty at the end goes to `accounts`. */
export function makeRealPolicy(spec: RealSpec, name: string, host: RealHost, accounts: Account[]): Policy<unknown, unknown> {
  const account = <P extends Policy<unknown, unknown> & { statistics(): object }>(policy: P): P => {
    accounts.push({ name, leftOver: () => countersIn(policy.statistics()) });
    return policy;
  };
  switch (spec.kind) {
    case 'retry':
      return retry({
        name,
        maxAttempts: spec.maxAttempts,
        baseDelay: spec.baseDelayMs,
        maxDelay: 200,
        jitter: spec.jitter,
        nested: spec.nested,
        budget: makeBudget(spec.budget),
        beforeRetry: spec.before && before(spec.before, name, host),
        handles: predicate(spec.predicate, host),
      });
    case 'breaker':
      return account(makeBreaker(spec, name, host, accounts));
    case 'limiter':
      return account(makeLimiter(spec, name, host));
    case 'bulkhead':
      return account(makeBulkhead(spec, name, host));
    case 'timeout':
      return timeout({ name, timeout: spec.timeoutMs });
    case 'fallback':
      return fallback(replacement(spec.operation, name, host), { name, handles: predicate(spec.predicate, host) });
  }
}

const before =
  (spec: AsideSpec, name: string, host: RealHost): BeforeRetry =>
  (_info, call) =>
    host.aside(spec, name)(call);

function makeBudget(kind: Extract<RealSpec, { kind: 'retry' }>['budget']): RetryBudget | RetryQuota | undefined {
  switch (kind) {
    case 'none':
      return undefined;
    case 'budget':
      return retryBudget({ ratio: 0.2, minPerSecond: 20, ttl: 100 });
    case 'quota':
      return retryQuota({ capacity: 50 });
  }
}

const windows = {
  consecutive: { failureThreshold: 3 },
  'count window': { window: { calls: 4 } },
  'time window': { window: { period: 60 }, minimumCalls: 3 },
} as const;

function makeBulkhead(spec: Extract<RealSpec, { kind: 'bulkhead' }>, name: string, host: RealHost): Bulkhead {
  const { max: maxConcurrency, maxQueue, maxAbandoned, overflow, agingMs: agingPeriod, isFair, change, closesAtMs } = spec;
  const fairBy = isFair ? 'key' : undefined;
  const policy = bulkhead({ name, maxConcurrency, maxQueue, maxAbandoned, overflow, agingPeriod, fairBy });
  if (change !== undefined) host.later(change.atMs, () => reconfigure(policy, change, host));
  if (closesAtMs !== undefined) host.later(closesAtMs, () => close(policy, host));
  return policy;
}

function makeBreaker(
  spec: Extract<RealSpec, { kind: 'breaker' }>,
  name: string,
  host: RealHost,
  accounts: { push(account: Account): void },
): CircuitBreaker {
  const { trips, recoveryFactor, recoveryJitter, successThreshold, maxProbes, rampUp } = spec;
  const breaker = circuitBreaker({
    name,
    ...windows[trips],
    slowCallDuration: spec.slowCallMs,
    recoveryTimeout: spec.recoveryMs,
    recoveryFactor,
    recoveryJitter,
    successThreshold,
    maxProbes,
    probeLease: spec.probeLeaseMs,
    rampUp,
    handles: predicate(spec.predicate, host),
  });
  for (const act of spec.owner) host.later(act.atMs, () => own(breaker, act, host));
  accounts.push({ name: `${name}, its ramp`, leftOver: () => countersIn(breaker.statistics().ramp ?? {}) });
  return breaker;
}

/** Its owner does something to it, whatever its calls are at. */
function own(breaker: CircuitBreaker, act: BreakerAct, host: RealHost): void {
  switch (act.do) {
    case 'isolate': {
      const isolation = breaker.isolate('by its owner');
      host.later(act.forMs, () => isolation[Symbol.dispose]());
      return;
    }
    case 'reconfigure':
      breaker.reconfigure({ slowCallDuration: act.slowCallMs, recoveryTimeout: act.recoveryMs, rampUp: act.rampUp });
      return;
    case 'restore':
      breaker.restore(breaker.snapshot());
      return;
    case 'close':
      breaker.close();
  }
}

function replacement(spec: AsideSpec | undefined, name: string, host: RealHost): Replacement | FallbackOperation<unknown> {
  if (spec === undefined) return new Replacement(name);
  return (_failure, call) => host.aside(spec, name)(call);
}

function reconfigure(policy: Bulkhead, { max, maxQueue }: BulkheadChange, host: RealHost): void {
  policy.reconfigure({ maxConcurrency: max, maxQueue });
  const { inFlight, waiting } = policy.statistics();
  if (waiting > 0 && inFlight < max) host.ledger.fault(`${policy.name}: somebody waits though a permit is free (P2)`);
}

function close(policy: Bulkhead, host: RealHost): void {
  policy.close();
  if (policy.statistics().waiting > 0) host.ledger.fault(`${policy.name}: somebody waits though it was closed (P5)`);
}

/** A predicate that takes every error, and calls user code. */
function predicate(spec: PredicateSpec | undefined, host: RealHost): (() => boolean) | undefined {
  if (spec === undefined) return undefined;
  let seen = 0;
  return () => {
    if (++seen === spec.nth) host.act(spec.action);
    return true;
  };
}

/** The counters that must be 0 at the end, by the names that `statistics()` uses everywhere. */
export function countersIn(statistics: object): string | undefined {
  const left = Object.entries(statistics).filter(
    ([field, value]) => ['inFlight', 'probes', 'waiting', 'abandoned'].includes(field) && value !== 0,
  );
  return left.length === 0 ? undefined : left.map(([field, value]) => `${field} ${value}`).join(', ');
}
