import { type Channel, channel } from 'node:diagnostics_channel';

/** What every event carries; each kind adds its own fields. */
export interface KeelsonEvent {
  /** What happened: `'retrying'`, `'rejected'`, `'opened'` … */
  readonly type: string;
  /** Name of the policy or object that decided. */
  readonly policy: string;
  /** Name of the operation, where there is one. */
  readonly operation?: string | undefined;
}

/** Where events of one kind are published: ask `hasSubscribers` before building one. */
export type EventChannel = Channel;

/** The channel `keelson:<kind>` on which one kind of policy or object publishes. */
export function eventChannel(kind: string): EventChannel {
  return channel(`keelson:${kind}`);
}

/**
 * Calls `listener` with every event of one kind of policy (`'retry'`, `'circuit-breaker'` …) until the returned handle is disposed.
 *
 * Events are built only while somebody listens. They are published on the diagnostics channel `keelson:<kind>`, which may be subscribed
 * to directly as well. A listener that throws changes no outcome: the error becomes a process warning.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { listen, withRetry } from 'keelson';
 *
 * const delays: unknown[] = [];
 * using listening = listen('retry', (event) => delays.push(event));
 * let n = 0;
 * await withRetry(() => { if (n++ === 0) throw new Error('once'); }, { baseDelay: 1 });
 * assert.equal(delays.length, 1);
 */
export function listen(kind: string, listener: (event: KeelsonEvent) => void): Disposable {
  const target = eventChannel(kind);
  const isolated = (message: unknown): void => {
    try {
      listener(message as KeelsonEvent);
    } catch (error) {
      process.emitWarning(`a listener of keelson:${kind} threw: ${String(error)}`, { code: 'KEELSON_LISTENER' });
    }
  };
  target.subscribe(isolated);
  return { [Symbol.dispose]: () => void target.unsubscribe(isolated) };
}
