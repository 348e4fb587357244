import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { Clock } from '../time/clock.ts';
import { defaultClock } from '../time/current-clock.ts';
import type { ContextNode } from './context-node.ts';

const KEY: unique symbol = Symbol.for('keelson.context');

/** Made with the first scope: on Node 22 a storage that was ever entered slows every later await of the process. */
interface Holder {
  storage: AsyncLocalStorage<ContextNode> | undefined;
}
const shared = globalThis as { [KEY]?: Holder };
shared[KEY] ??= { storage: undefined };
const holder: Holder = shared[KEY];

/** The node of the scope or task that this code runs in; undefined outside of any. */
export function ambient(): ContextNode | undefined {
  const { storage } = holder;
  return storage === undefined ? undefined : storage.getStore();
}

/** The clock of the enclosing scope, else the process default: asked at each call, never kept. */
export function currentClock(): Clock {
  return ambient()?.clock ?? defaultClock();
}

/** Runs `body` inside `node`: it and all that it awaits see `node` as {@link ambient}. */
export function runIn<R>(node: ContextNode, body: () => R): R {
  holder.storage ??= new AsyncLocalStorage<ContextNode>();
  return holder.storage.run(node, body);
}

/** The async context of one moment, ours and every other AsyncLocalStorage's, to run code in later. */
export interface CapturedContext {
  run(body: () => void): void;
}

const NO_DESTROY_HOOK = { requireManualDestroy: true };

class Captured extends AsyncResource implements CapturedContext {
  constructor() {
    super('keelson', NO_DESTROY_HOOK);
  }

  run(body: () => void): void {
    this.runInAsyncScope(body);
  }
}

/** Remembers the present async context (law P3). */
export function captureContext(): CapturedContext {
  return new Captured();
}
