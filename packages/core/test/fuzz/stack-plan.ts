// What one run of the fuzz does, as plain data: so that a failing one can be printed, run again and made smaller.
import type { Jitter } from '../../src/policy/backoff.ts';
import type { Priority } from '../../src/policy/priority.ts';

/** What user code does while it is called back. */
export type Action =
  | { readonly do: 'abort'; readonly signal: number }
  | { readonly do: 'execute'; readonly spare: number }
  | { readonly do: 'throw' };

export type HookName = 'enter' | 'due' | 'succeed' | 'fail' | 'consulted' | 'abandon' | 'release' | 'expire';

/** User code inside the `nth` call of a layer's hook, before or after the layer itself has decided. */
export interface Meddle {
  readonly hook: HookName;
  readonly nth: number;
  readonly when: 'before' | 'after';
  readonly action: Action;
}

export type EntryVerdict = 'proceed' | 'reject' | 'replace' | 'wait' | 'park' | 'limit' | 'throw' | 'unfit';
export type ExitVerdict = 'done' | 'reject' | 'replace' | 'run' | 'again' | 'throw' | 'unfit';

/** A consulted or replacing operation of a layer. */
export interface AsideSpec {
  /** Undefined: answers in the same turn. */
  readonly waitMs: number | undefined;
  readonly fails: boolean;
  readonly obeys: boolean;
}

/** Layers that exist only here: every verdict in every hook, with accounts of their own. */
export type TestLayerSpec =
  | { readonly kind: 'permits'; readonly max: number; readonly maxQueue: number; readonly refusesAtMs: number | undefined }
  | { readonly kind: 'pause'; readonly ms: number; readonly refusal: 'error' | 'throws' }
  | {
      readonly kind: 'turns';
      readonly everyMs: number;
      readonly hesitates: boolean;
      readonly verdict: EntryVerdict;
      readonly refusesAtMs: number | undefined;
    }
  | { readonly kind: 'limit'; readonly ms: number; readonly expires: 'error' | 'throws' }
  | { readonly kind: 'again'; readonly maxAttempts: number; readonly delayMs: number; readonly onValues: boolean }
  | { readonly kind: 'consult-in'; readonly aside: AsideSpec; readonly twice: boolean; readonly verdict: EntryVerdict }
  | { readonly kind: 'consult-out'; readonly aside: AsideSpec; readonly twice: boolean; readonly verdict: ExitVerdict }
  | { readonly kind: 'entry'; readonly every: number; readonly verdict: EntryVerdict }
  | {
      readonly kind: 'exit';
      readonly hook: 'succeed' | 'fail';
      readonly every: number;
      readonly verdict: ExitVerdict;
      readonly aside: AsideSpec;
    };

export type StrangerManner = 'obedient' | 'own-call' | 'double' | 'retrying' | 'late' | 'never' | 'early' | 'afterwards' | 'throwing';

export interface StrangerSpec {
  readonly kind: 'stranger';
  readonly manner: StrangerManner;
  readonly waitMs: number;
  readonly obeys: boolean;
}

/** User code in a predicate of a policy: acts in its `nth` call. */
export interface PredicateSpec {
  readonly nth: number;
  readonly action: Action;
}

/** What the owner of a breaker does to it. */
export type BreakerAct =
  | { readonly do: 'isolate'; readonly atMs: number; readonly forMs: number }
  | { readonly do: 'reconfigure'; readonly atMs: number; readonly slowCallMs: number; readonly recoveryMs: number; readonly rampUp: number }
  | { readonly do: 'restore' | 'close'; readonly atMs: number };

/** A bulkhead gets other bounds while it works. */
export interface BulkheadChange {
  readonly atMs: number;
  readonly max: number;
  readonly maxQueue: number;
}

/** What its owner does to a limiter while it works. */
export type LimiterAct =
  | { readonly do: 'reconfigure'; readonly atMs: number; readonly limit: number; readonly burst: number; readonly maxQueue: number }
  | { readonly do: 'restore'; readonly atMs: number }
  | { readonly do: 'close'; readonly atMs: number };

/** The policies that are shipped. */
export type RealSpec =
  | {
      readonly kind: 'retry';
      readonly maxAttempts: number;
      readonly baseDelayMs: number;
      readonly jitter: Jitter;
      readonly nested: 'bounded' | 'multiply';
      readonly budget: 'none' | 'budget' | 'quota';
      readonly before: AsideSpec | undefined;
      readonly predicate: PredicateSpec | undefined;
    }
  | { readonly kind: 'timeout'; readonly timeoutMs: number }
  | {
      readonly kind: 'breaker';
      readonly trips: 'consecutive' | 'count window' | 'time window';
      readonly slowCallMs: number | undefined;
      readonly recoveryMs: number;
      readonly recoveryFactor: number;
      readonly recoveryJitter: number;
      readonly successThreshold: number;
      readonly maxProbes: number;
      readonly probeLeaseMs: number | undefined;
      readonly rampUp: number;
      readonly owner: readonly BreakerAct[];
      readonly predicate: PredicateSpec | undefined;
    }
  | {
      readonly kind: 'limiter';
      readonly algorithm: 'gcra' | 'sliding-window';
      readonly limit: number;
      readonly burst: number;
      readonly maxQueue: number;
      readonly overflow: 'reject' | 'dropOldest';
      readonly counts: 'calls' | 'tokens';
      readonly adaptive: boolean;
      readonly owner: readonly LimiterAct[];
    }
  | {
      readonly kind: 'bulkhead';
      readonly max: number;
      readonly maxQueue: number;
      readonly maxAbandoned: number | undefined;
      readonly overflow: 'reject' | 'dropOldest' | 'dropNewest';
      readonly agingMs: number;
      readonly isFair: boolean;
      readonly change: BulkheadChange | undefined;
      readonly closesAtMs: number | undefined;
    }
  | { readonly kind: 'fallback'; readonly operation: AsideSpec | undefined; readonly predicate: PredicateSpec | undefined };

export interface KeyedSpec {
  readonly kind: 'keyed';
  readonly inner: readonly LayerSpec[];
}

/** Something that groups others. */
export interface GroupSpec {
  readonly kind: 'compose';
  readonly classify: 'default' | 'own' | 'throwing';
  readonly inner: readonly LayerSpec[];
}

/** How a layer is watched. Only a guarded one is meddled with. */
export interface Watch {
  readonly guard: boolean;
  readonly meddle: Meddle | undefined;
}

export type LayerSpec = (TestLayerSpec | StrangerSpec | RealSpec | KeyedSpec | GroupSpec) & Watch;

export type Ending =
  | 'value'
  | 'undefined'
  | 'disposable'
  | 'throttled value'
  | 'error'
  | 'text'
  | 'throttled error'
  | 'permanent error'
  | 'abort-like error';

export interface HoldSpec {
  readonly ms: number;
  /** Ends as soon as the call is aborted. */
  readonly obeys: boolean;
}

/** One start of an operation. */
export interface RunSpec {
  /** Undefined: ends in the same turn. */
  readonly waitMs: number | undefined;
  readonly shape: 'native' | 'thenable';
  readonly ends: Ending;
  readonly onAbort: 'reject' | 'wrap' | 'resolve' | 'ignore';
  readonly commits: boolean;
  readonly charges: boolean;
  readonly hold: HoldSpec | undefined;
  readonly atStart: Action | undefined;
  readonly inAbort: Action | undefined;
  /** Executes a spare call under `{ parent: call }`. */
  readonly nested: { readonly spare: number; readonly isAwaited: boolean } | undefined;
}

export interface CallSpec {
  readonly atMs: number;
  readonly via: 'execute' | 'attempt' | 'wrap' | 'machine';
  readonly signal: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly deadlineMs: number | undefined;
  readonly key: string;
  readonly priority: Priority | undefined;
  readonly idempotent: boolean;
  readonly cost: number | undefined;
  /** Of the first start, the second…; the last one serves for all further ones. */
  readonly runs: readonly RunSpec[];
}

export interface SignalSpec {
  /** Undefined: aborted by nobody but user code. 0: before anything starts. */
  readonly abortAtMs: number | undefined;
}

/** A listener of events that does something on the `nth` one. */
export interface ListenerSpec {
  readonly channel: string;
  readonly nth: number;
  readonly action: Action;
}

/** The scope around all calls. */
export interface ScopeSpec {
  readonly timeoutMs: number | undefined;
  readonly cancelAtMs: number | undefined;
  /** When its body ends. */
  readonly endsAtMs: number;
}

export interface StackPlan {
  readonly seed: number;
  readonly scope: ScopeSpec | undefined;
  /** Outermost first. */
  readonly layers: readonly LayerSpec[];
  readonly signals: readonly SignalSpec[];
  readonly calls: readonly CallSpec[];
  /** Calls that user code makes; each at most once. */
  readonly spares: readonly CallSpec[];
  readonly listeners: readonly ListenerSpec[];
}
