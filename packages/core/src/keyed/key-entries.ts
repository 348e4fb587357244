import { optionError } from '../errors/option-error.ts';
import { EnginePolicy } from '../policy/engine-policy.ts';
import { isPolicy } from '../policy/is-policy.ts';
import { type Layer, PROCEED, type Verdict } from '../policy/layer.ts';
import type { Choice, StaticPart } from '../policy/part.ts';
import type { Policy, PolicyDescription } from '../policy/policy.ts';

type AnyPolicy = Policy<unknown, unknown>;

/** Counts the calls of one key, from their start until all their work has ended. */
class Presence implements Layer {
  readonly kind = 'keyed';
  readonly name = 'keyed';
  inFlight = 0;
  lingering = 0;

  enter(): Verdict {
    this.inFlight++;
    return PROCEED;
  }

  release(): void {
    this.inFlight--;
  }

  describe(): PolicyDescription {
    return { name: this.name, kind: this.kind, options: {} };
  }
}

/** The policy of one key. */
class KeyEntry implements Choice {
  readonly policy: AnyPolicy;
  readonly parts: readonly StaticPart[];
  readonly presence: Presence = new Presence();

  constructor(policy: AnyPolicy) {
    this.policy = policy;
    this.parts = staticParts(policy);
  }

  /** Law B7: what is in use, open, or remembers anything stays. */
  isIdle(nowMs: number): boolean {
    return this.presence.inFlight === 0 && this.parts.every((part) => !('layer' in part) || part.layer.isIdle?.(nowMs) !== false);
  }
}

function staticParts(policy: AnyPolicy): readonly StaticPart[] {
  if (!isPolicy(policy)) throw optionError('keyed', 'make', policy, 'a function that makes a policy');
  if (!(policy instanceof EnginePolicy)) return [{ foreign: policy }];
  return EnginePolicy.partsOf(policy).map((part) => {
    if ('choose' in part) throw optionError('keyed', 'make', policy, 'a function that makes policies which are not keyed themselves');
    return part;
  });
}

/** So many keys are looked at for one that is idle: a flood of new keys must not make each call a scan. */
const MAX_LOOKED_AT = 16;

/**
 * The policies of many keys, bounded where nothing is lost by it (law B7).
 *
 * They stand in the order of their last use, which is the order of a Map's setting. Where room is needed, the first few are looked at: what is
 * idle goes, what is not moves to the end (the second chance of the CLOCK algorithm; F. J. Corbató, 1968). So each new key costs a bounded time,
 * and no block of busy keys at the front can hide idle ones behind it for ever.
 */
export class KeyEntries {
  readonly #make: (key: string) => AnyPolicy;
  readonly #maxKeys: number;
  readonly #onEvicted: (key: string) => void;
  readonly #entries: Map<string, KeyEntry> = new Map();
  #evicted = 0;
  /** The one used last. */
  #last: KeyEntry | undefined = undefined;

  constructor(make: (key: string) => AnyPolicy, maxKeys: number, onEvicted: (key: string) => void) {
    this.#make = make;
    this.#maxKeys = maxKeys;
    this.#onEvicted = onEvicted;
  }

  /** The entry of `key`, made if it is new; from now on the one used last. */
  use(key: string, nowMs: number): Choice {
    const known = this.#entries.get(key);
    const entry = known ?? new KeyEntry(this.#make(key));
    if (known === undefined) this.#makeRoom(nowMs);
    this.#moveToEnd(key, entry);
    return entry;
  }

  get(key: string): AnyPolicy | undefined {
    return this.#entries.get(key)?.policy;
  }

  keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  *policies(): Iterable<AnyPolicy> {
    for (const entry of this.#entries.values()) yield entry.policy;
  }

  count(): { readonly keys: number; readonly inFlight: number; readonly abandoned: number; readonly evicted: number } {
    let inFlight = 0;
    let abandoned = 0;
    for (const { presence } of this.#entries.values()) {
      inFlight += presence.inFlight;
      abandoned += presence.lingering;
    }
    return { keys: this.#entries.size, inFlight, abandoned, evicted: this.#evicted };
  }

  #makeRoom(nowMs: number): void {
    let lookedAt = 0;
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size < this.#maxKeys || lookedAt++ === MAX_LOOKED_AT) return;
      if (entry.isIdle(nowMs)) {
        this.#entries.delete(key);
        if (this.#last === entry) this.#last = undefined;
        this.#evicted++;
        this.#onEvicted(key);
      } else this.#moveToEnd(key, entry);
    }
  }

  /** Who is there already stays: each move makes the Map grow, and be made anew from time to time. */
  #moveToEnd(key: string, entry: KeyEntry): void {
    if (this.#last === entry) return;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#last = entry;
  }
}
