import { AttemptCall } from '../../src/policy/attempt-call.ts';
import type { Machine } from '../../src/policy/machine.ts';
import type { Call, ExecuteOptions } from '../../src/policy/policy.ts';
import type { Rare } from '../../src/policy/rare.ts';

/** The key under which the fuzz says that a nested call is awaited by the operation it is made in. */
export const AWAITED = 'awaited';

/** One call that runs: its hooks see it as their step, its attempts as their owner. */
export type Running = Pick<Machine, 'options'>;

/**
 * One entry of a call into one layer, as the contract of layers sees it.
 *
 * - `waiting`: `enter` gave a wait; whether it has ended shows only in what comes next;
 * - `open`: proceeded;
 * - `again`: said `again`, and nothing inside has been seen since;
 * - `asking`: consults on the way out;
 * - `ended`: decided or left; owes its release;
 * - `nothing`: owes nothing (any more).
 */
export type EntryState = 'waiting' | 'open' | 'again' | 'asking' | 'ended' | 'nothing';

export class Entry {
  state: EntryState = 'nothing';
  ticket: unknown = undefined;
  readonly layer: string;
  readonly call: string;
  readonly #gate: Gate | undefined;
  #live = 0;

  constructor(layer: string, call: string, gate: Gate | undefined) {
    this.layer = layer;
    this.call = call;
    this.#gate = gate;
  }

  /** How much work goes on beneath it. */
  get live(): number {
    return this.#live;
  }

  begin(): void {
    if (++this.#live === 1) this.#gate?.begin(this);
  }

  end(): void {
    if (--this.#live === 0) this.#gate?.end();
  }
}

/** A layer that lets so many through at once: work beneath it may go on in no more entries. */
export class Gate {
  readonly #max: number;
  readonly #fault: (what: string) => void;
  #busy = 0;

  constructor(max: number, fault: (what: string) => void) {
    this.#max = max;
    this.#fault = fault;
  }

  begin(entry: Entry): void {
    if (++this.#busy > this.#max) this.#fault(`${entry.layer}, ${entry.call}: work goes on in ${this.#busy} entries at once (P1)`);
  }

  end(): void {
    this.#busy--;
  }
}

/** Work that goes on beneath entries: until its end no permit of theirs may go back (law P1). */
export class Work {
  readonly #entries: readonly Entry[];

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
    for (const entry of entries) entry.begin();
  }

  /** More work of the same place. */
  more(): Work {
    return new Work(this.#entries);
  }

  end(): void {
    for (const entry of this.#entries) entry.end();
  }
}

/** The machine behind a call that an operation was given. */
export function runningOf(call: Call): Running {
  if (!(call instanceof AttemptCall)) throw new Error('not a call of the engine');
  return call.owner as unknown as Running;
}

/** Everything that was entered, and every fault that was found. */
export class Ledger {
  readonly faults: string[] = [];
  /** Whether every layer is guarded. */
  isComplete = false;
  /** How often what has happened, so that a fuzz that has stopped to reach something is found out. */
  readonly seen: Map<string, number> = new Map();
  readonly #entries = new Map<Running, Entry[]>();

  fault(message: string): void {
    if (this.faults.length < 20) this.faults.push(message);
  }

  saw(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  open(step: Running, layer: string, gate: Gate | undefined): Entry {
    const entry = new Entry(layer, step.options.name ?? '?', gate);
    const entries = this.#entries.get(step);
    for (const outer of entries ?? []) if (outer.state === 'again') outer.state = 'open';
    if (entries === undefined) this.#entries.set(step, [entry]);
    else entries.push(entry);
    return entry;
  }

  /** Work has begun in the call: all its frames are open, and those of the calls that wait for it. `asking` is not in, yet. */
  begin(call: Running, asking?: Entry): Work {
    const covering: Entry[] = [];
    for (let running: Running | undefined = call; running !== undefined; running = above(running)) {
      for (const entry of this.#entries.get(running) ?? []) {
        if (entry === asking || entry.state === 'ended' || entry.state === 'nothing') continue;
        if (entry.state !== 'asking') entry.state = 'open';
        covering.push(entry);
      }
    }
    return new Work(covering);
  }

  /** The entry of `layer` that consults on the way in. */
  asking(call: Running, layer: string): Entry | undefined {
    return this.#entries.get(call)?.findLast((entry) => entry.layer === layer && entry.state === 'waiting');
  }

  /** At the end nothing may be owed. */
  close(): void {
    for (const entries of this.#entries.values()) {
      for (const entry of entries) {
        if (entry.state !== 'nothing') this.fault(`${entry.layer}, ${entry.call}: at the end the entry is still '${entry.state}'`);
      }
    }
  }
}

/** The call whose operation waits for this one. */
function above(running: Running): Running | undefined {
  const { parent, keys } = running.options as ExecuteOptions;
  if (!(parent instanceof AttemptCall)) return undefined;
  const { rare } = running as unknown as { rare: Rare | null };
  const isBranch = rare !== null && rare.above !== null;
  return isBranch || keys?.[AWAITED] === 'yes' ? runningOf(parent) : undefined;
}
