import { setImmediate } from 'node:timers';

/** One macrotask from now: by then every microtask and `nextTick` that was due has run, however deep their chains are. */
export function nextMacrotask(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
