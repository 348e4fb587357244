import { currentClock } from '../context/ambient.ts';
import { checkOptions, text, wholeNumber } from '../errors/check-options.ts';
import type { KeelsonError } from '../errors/keelson-error.ts';
import { optionError } from '../errors/option-error.ts';
import { eventChannel } from '../observe/events.ts';
import { enlist } from '../observe/live.ts';
import { EnginePolicy } from '../policy/engine-policy.ts';
import type { KeyedPart } from '../policy/part.ts';
import type { ExecuteOptions, Policy, PolicyDescription } from '../policy/policy.ts';
import { KeyEntries } from './key-entries.ts';

/** What {@link keyed} may be told. */
export interface KeyedOptions {
  /** How many keys are kept; beyond, those unused for long go with which nothing would be lost. Default 1000. */
  readonly maxKeys?: number | undefined;
  /** Default: `keyed <key>`. */
  readonly name?: string | undefined;
}

/**
 * The defaults of {@link keyed}.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { keyedDefaults } from 'keelson';
 *
 * assert.equal(keyedDefaults.maxKeys, 1000);
 */
export const keyedDefaults: { readonly maxKeys: number } = Object.freeze({ maxKeys: 1000 });

/** A keyed policy, looked at. */
export interface KeyedStatistics {
  readonly name: string;
  readonly keys: number;
  readonly maxKeys: number;
  /** Calls over all keys that are under way, or whose work still is. */
  readonly inFlight: number;
  /** Of these, calls that are over while their abandoned work goes on. */
  readonly abandoned: number;
  /** Keys dropped so far because they were idle. */
  readonly evicted: number;
}

const CHECKS = { maxKeys: wholeNumber({ min: 1 }), name: text };
const channel = eventChannel('keyed');

/**
 * One policy for each value of a key: what {@link keyed} makes.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { circuitBreaker, Keyed } from 'keelson';
 *
 * const breakers = new Keyed('host', (host) => circuitBreaker({ name: `breaker of ${host}` }));
 * await breakers.execute(() => 'ok', { keys: { host: 'a.example' } });
 * assert.equal(breakers.get('a.example')?.name, 'breaker of a.example');
 * assert.equal(breakers.get('b.example'), undefined);
 */
export class Keyed<R = never, E = KeelsonError> extends EnginePolicy<R, E> {
  readonly name: string;
  readonly #key: string;
  readonly #maxKeys: number;
  readonly #entries: KeyEntries;

  constructor(key: string, make: (key: string) => Policy<R, E>, options: KeyedOptions = {}) {
    if (!text.accepts(key)) throw optionError('keyed', 'key', key, text.expected);
    if (typeof make !== 'function') throw optionError('keyed', 'make', make, 'a function that makes a policy');
    checkOptions<KeyedOptions>('keyed', options, CHECKS);
    const { name = `keyed ${key}`, maxKeys = keyedDefaults.maxKeys } = options;
    const entries = new KeyEntries(make, maxKeys, (evicted) => {
      if (channel.hasSubscribers) channel.publish({ type: 'evicted', policy: name, key: evicted });
    });
    const part: KeyedPart = { choose: (call) => entries.use(keyOf(call, key), currentClock().nowMs()), classify: undefined };
    super([part]);
    this.name = name;
    this.#key = key;
    this.#maxKeys = maxKeys;
    this.#entries = entries;
    enlist(this);
  }

  /** The policy of `key`, if there is one. */
  get(key: string): Policy<R, E> | undefined {
    return this.#entries.get(key) as Policy<R, E> | undefined;
  }

  /** The keys kept, in the order in which they are looked at when room is needed: the one unused for longest first. */
  keys(): readonly string[] {
    return this.#entries.keys();
  }

  /** Its only child is the policy of one of the keys, as all are made by one function; none while there is no key. */
  describe(): PolicyDescription {
    const [first] = this.#entries.policies();
    const children = first === undefined ? [] : [first.describe()];
    return { name: this.name, kind: 'keyed', options: { key: this.#key, maxKeys: this.#maxKeys }, children };
  }

  statistics(): KeyedStatistics {
    return Object.freeze({ name: this.name, maxKeys: this.#maxKeys, ...this.#entries.count() });
  }
}

function keyOf({ keys }: ExecuteOptions, key: string): string {
  const value = keys?.[key];
  if (typeof value === 'string') return value;
  throw optionError('keyed', `keys.${key}`, value, `a text, given with each call: execute(operation, { keys: { ${key}: … } })`);
}

/**
 * One policy for each value of a key: `keyed('host', () => circuitBreaker())` gives every host a breaker of its own.
 *
 * Each call names its key: `execute(operation, { keys: { host: 'a.example' } })`. `make` is called for a key that is new; what it throws, the
 * call rejects with, and the next call tries again. Where more than `maxKeys` would be kept, keys unused for long go whose policy is not in use
 * and remembers nothing (law B7); where there is none among those looked at, the number grows beyond `maxKeys` rather than forget what a
 * failing host has done, and shrinks again as they become idle. Throws ERR_OPTION for wrong options; a call without the key rejects with
 * ERR_OPTION. It changes nothing about cancellation.
 *
 * Of a foreign policy (`policyFrom`) only its calls are known: with none in flight it may go, whatever it remembers.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { bulkhead, keyed } from 'keelson';
 *
 * const perTenant = keyed('tenant', () => bulkhead({ maxConcurrency: 2 }), { maxKeys: 100 });
 * await perTenant.execute(() => 'ok', { keys: { tenant: 'a' } });
 * await perTenant.execute(() => 'ok', { keys: { tenant: 'b' } });
 * assert.deepEqual(perTenant.keys(), ['a', 'b']);
 */
export function keyed<R = never, E = KeelsonError>(key: string, make: (key: string) => Policy<R, E>, options?: KeyedOptions): Keyed<R, E> {
  return new Keyed(key, make, options);
}
