import { type RateLimiter, rateLimit } from '../../src/rate-limiter/rate-limiter.ts';
import type { RealHost } from './real-policies.ts';
import type { LimiterAct, RealSpec } from './stack-plan.ts';

/** A rate limiter whose owner does what the spec says. */
export function makeLimiter(spec: Extract<RealSpec, { kind: 'limiter' }>, name: string, host: RealHost): RateLimiter {
  const { algorithm, limit, burst, maxQueue, overflow, counts, adaptive } = spec;
  const shape = algorithm === 'gcra' ? { algorithm, burst } : { algorithm };
  const cost = counts === 'tokens' ? 'tokens' : undefined;
  const limiter = rateLimit({ name, ...shape, limit, period: '1s', maxQueue, overflow, cost, adaptive });
  for (const act of spec.owner) host.later(act.atMs, () => own(limiter, act, algorithm, host));
  return limiter;
}

function own(limiter: RateLimiter, act: LimiterAct, algorithm: 'gcra' | 'sliding-window', host: RealHost): void {
  switch (act.do) {
    case 'reconfigure': {
      const { limit, burst, maxQueue } = act;
      limiter.reconfigure({ limit, maxQueue, burst: algorithm === 'gcra' ? burst : undefined });
      return;
    }
    case 'restore':
      limiter.restore(limiter.snapshot());
      return;
    case 'close':
      limiter.close();
      if (limiter.statistics().waiting > 0) host.ledger.fault(`${limiter.name}: somebody waits though it was closed (P5)`);
  }
}
