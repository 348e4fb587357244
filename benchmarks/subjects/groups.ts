import type { Group } from '../harness/case.ts';
import { backlogGroup, bulkheadGroup } from './bulkhead.ts';
import { circuitBreakerGroup, openCircuitGroup } from './circuit-breaker.ts';
import { signalGroup, standardGroup, threeGroup } from './compositions.ts';
import { rateLimitGroup } from './rate-limit.ts';
import { retryGroup } from './retry.ts';
import { timeoutGroup } from './timeout.ts';

/** Everything that is compared, in the order it is told. */
export const GROUPS: readonly Group[] = [
  retryGroup,
  timeoutGroup,
  circuitBreakerGroup,
  bulkheadGroup,
  rateLimitGroup,
  threeGroup,
  standardGroup,
  openCircuitGroup,
  signalGroup,
  backlogGroup,
];
