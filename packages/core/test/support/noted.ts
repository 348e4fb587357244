import type { Layer } from '../../src/policy/layer.ts';
import { policyOf } from '../../src/policy/test-layers.test-support.ts';

/** A policy that notes in `log` which of its hooks are called, under its name. */
export function noted(log: string[], hooks: Partial<Layer> = {}): ReturnType<typeof policyOf> {
  const prefix = hooks.name === undefined ? '' : `${hooks.name}: `;
  const note = (what: string): void => void log.push(`${prefix}${what}`);
  return policyOf({
    runsCallerCode: true,
    ...hooks,
    abandon: (step, waiting) => {
      note(waiting ? 'abandoned waiting' : 'abandoned');
      hooks.abandon?.(step, waiting);
    },
    release: (ticket) => {
      note('released');
      hooks.release?.(ticket);
    },
  });
}
