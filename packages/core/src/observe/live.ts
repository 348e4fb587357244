/** A stateful object that can be looked at. */
export interface Live {
  readonly name: string;
  /** A frozen, JSON-safe snapshot. */
  statistics(): object;
}

const KEY: unique symbol = Symbol.for('keelson.live');

interface Registry {
  watchers: number;
  readonly objects: Set<WeakRef<Live>>;
}

const shared = globalThis as { [KEY]?: Registry };
shared[KEY] ??= { watchers: 0, objects: new Set() };
const registry = shared[KEY];

/**
 * Makes `object` visible to whoever looks; nothing is kept while nobody does. Held weakly.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { enlist, watchLive } from 'keelson';
 *
 * using view = watchLive();
 * const door = { name: 'door', statistics: () => Object.freeze({ isOpen: true }) };
 * enlist(door);
 * assert(view.objects().includes(door));
 */
export function enlist(object: Live): void {
  if (registry.watchers > 0) registry.objects.add(new WeakRef(object));
}

/** One who looks at all live objects made since. */
export interface LiveView extends Disposable {
  /** Everything enlisted since the first view was opened and not collected yet, in order of making. */
  objects(): readonly Live[];
}

/**
 * Opens a view on the live objects; the registry empties when the last view is disposed.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { Semaphore, watchLive } from 'keelson';
 *
 * using view = watchLive();
 * const connections = new Semaphore(10, { name: 'connections' });
 * assert.deepEqual(view.objects(), [connections]);
 * assert.deepEqual(view.objects()[0]?.statistics(), connections.statistics());
 */
export function watchLive(): LiveView {
  registry.watchers++;
  let open = true;
  return {
    objects: () => {
      const found: Live[] = [];
      for (const ref of registry.objects) {
        const object = ref.deref();
        if (object === undefined) registry.objects.delete(ref);
        else found.push(object);
      }
      return found;
    },
    [Symbol.dispose]: () => {
      if (!open) return;
      open = false;
      registry.watchers--;
      if (registry.watchers === 0) registry.objects.clear();
    },
  };
}
