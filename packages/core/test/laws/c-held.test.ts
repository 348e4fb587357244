import { expect, test } from 'vitest';
import { compose } from '../../src/policy/compose.ts';
import type { Call, Policy } from '../../src/policy/policy.ts';
import { policyFrom } from '../../src/policy/policy-from.ts';
import { onVirtualTime } from '../../src/policy/virtual-time.test-support.ts';
import { inTime } from '../support/work.ts';

const time = onVirtualTime();
const REASON = { reason: 'the caller left' };

/** Takes whatever comes first of two calls. */
const racer = (): Policy<unknown, unknown> =>
  policyFrom('racer', (operation, options) => Promise.race([1, 2].map(async () => await operation(options.parent as Call))));

test('C7 what the winner of a race holds is cancelled by its caller, though the losers were left behind with theirs', async () => {
  const controller = new AbortController();
  const signals: AbortSignal[] = [];
  const winner = await Promise.all([
    compose(racer(), racer()).execute(
      async (call) => {
        const number = signals.push(call.signal);
        call.hold(inTime(500, 'a body'));
        return await inTime(10 * number, number);
      },
      { signal: controller.signal },
    ),
    time.clock.advance(50),
  ]);
  expect(winner[0]).toBe(1);
  expect(signals).toHaveLength(4);
  expect(signals[0]?.aborted).toBe(false);
  controller.abort(REASON);
  expect(signals[0]?.reason).toBe(REASON);
  await time.clock.advance(500);
});
