import type { Clock, ScheduledTimer } from './clock.ts';

/** Whoever set a limit. */
export interface LimitTarget {
  /** The limit has passed; its node has left the list already. */
  limitReached(node: LimitNode): void;
}

/** A moment shared by all nodes that were added in one microtask drain; Infinity until the drain is over. */
class Stamp {
  declare atMs: number;

  constructor(atMs: number) {
    this.atMs = atMs;
  }
}

const NO_STAMP = new Stamp(Number.POSITIVE_INFINITY);

/**
 * One limit: a place in a {@link LimitList}.
 *
 * Every call with a limit makes one: fields are assigned, not initialised (15-20 ns), and it has links of its own, for extending `Link` would
 * cost it half as much again (14 ns).
 */
export class LimitNode {
  declare prev: LimitNode;
  declare next: LimitNode;
  /** The list it is in; null before it was added and after it has left. */
  declare list: LimitList | null;
  declare readonly target: LimitTarget | null;
  /** Whose limit it is among its target's: the engine's number of the frame. */
  declare readonly level: number;
  /** The limit of the same target that was set before this one. */
  declare readonly outer: LimitNode | null;
  /** When it passes; of its own, or shared with those added in the same drain while calls are dense. */
  declare stamp: Stamp;

  constructor(target: LimitTarget | null, level: number, outer: LimitNode | null) {
    this.prev = this;
    this.next = this;
    this.list = null;
    this.target = target;
    this.level = level;
    this.outer = outer;
    this.stamp = NO_STAMP;
  }

  /** When it passes, on its list's clock. Only while it is in a list. Until the drain it was added in is over, an estimate that is not yet final. */
  dueMs(): number {
    const stamp = this.stamp;
    if (stamp.atMs !== Number.POSITIVE_INFINITY) return stamp.atMs;
    const list = this.list as LimitList;
    return list.clock.nowMs() + list.durationMs;
  }
}

/** Reads of the clock this close together, this often in a row, make calls dense; a drain with fewer makes them sparse again. */
const DENSE_GAP_MS = 0.01;
const DENSE_COUNT = 8;
/** So many empty lists may wait for their timer to end them; beyond, they go at once. */
const MAX_LISTS = 256;

/** All lists of one clock, and how densely calls come: then the clock is read once a drain, not once a call (a read costs 40 ns). */
class ClockLimits {
  declare readonly clock: Clock;
  declare readonly lists: Map<number, LimitList>;
  declare isDense: boolean;
  declare private streak: number;
  declare private lastReadMs: number;
  declare addedInDrain: number;
  declare private readonly marked: LimitList[];

  constructor(clock: Clock) {
    this.clock = clock;
    this.lists = new Map();
    this.isDense = false;
    this.streak = 0;
    this.lastReadMs = Number.NEGATIVE_INFINITY;
    this.addedInDrain = 0;
    this.marked = [];
  }

  read(): number {
    const nowMs = this.clock.nowMs();
    if (nowMs - this.lastReadMs >= DENSE_GAP_MS) this.streak = 0;
    else if (++this.streak >= DENSE_COUNT) {
      this.streak = 0;
      this.isDense = true;
    }
    this.lastReadMs = nowMs;
    return nowMs;
  }

  /** Has `list` looked at when the drain is over: `process.nextTick` runs once the microtasks are through. */
  mark(list: LimitList): void {
    if (this.marked.push(list) === 1) process.nextTick(endDrain, this);
  }

  endDrain(): void {
    const nowMs = this.clock.nowMs();
    for (const list of this.marked) list.endDrain(nowMs);
    this.marked.length = 0;
    if (this.addedInDrain < DENSE_COUNT) this.isDense = false;
    this.addedInDrain = 0;
  }
}

const endDrain = (limits: ClockLimits): void => limits.endDrain();

/**
 * All limits of one duration on one clock, in order of time because they are in order of adding: a limit costs no timer of its own, the list
 * has at most one. It holds the process while a limit is set (law T5) and is kept, unreferenced, while none is.
 *
 * A limit is reached never early, and late by at most the drain in which it was added.
 */
export class LimitList {
  declare readonly clock: Clock;
  declare readonly durationMs: number;
  declare private readonly limits: ClockLimits;
  /** Before the first and behind the last; no limit itself. */
  declare private readonly ring: LimitNode;
  declare private timer: ScheduledTimer | null;
  declare private isHeld: boolean;
  declare private isMarked: boolean;
  declare private isWaking: boolean;
  declare private stamp: Stamp;

  constructor(limits: ClockLimits, durationMs: number) {
    this.clock = limits.clock;
    this.durationMs = durationMs;
    this.limits = limits;
    this.ring = new LimitNode(null, -1, null);
    this.timer = null;
    this.isHeld = false;
    this.isMarked = false;
    this.isWaking = false;
    this.stamp = new Stamp(Number.POSITIVE_INFINITY);
  }

  /** Sets the limit of `node`, which is in no list, from now on. */
  add(node: LimitNode): void {
    if (this.timer === null) {
      const listed = this.listed();
      if (listed !== this) {
        listed.add(node);
        return;
      }
    }
    const { ring, limits } = this;
    const last = ring.prev;
    node.prev = last;
    node.next = ring;
    last.next = node;
    ring.prev = node;
    node.list = this;
    if (limits.isDense) {
      limits.addedInDrain++;
      node.stamp = this.stamp;
      if (!this.isMarked) this.mark();
    } else {
      node.stamp = new Stamp(limits.read() + this.durationMs);
      if (!this.isHeld) this.hold();
    }
  }

  /** Takes the limit of `node` away. Idempotent. */
  remove(node: LimitNode): void {
    const list = node.list;
    if (list === null) return;
    const { prev, next } = node;
    prev.next = next;
    next.prev = prev;
    node.prev = node;
    node.next = node;
    node.list = null;
    if (next === prev) list.emptied(); // both are the ring
  }

  /** The drain is over: what was added in it gets its time. */
  endDrain(nowMs: number): void {
    this.isMarked = false;
    if (this.isEmpty) {
      this.letGo();
      return;
    }
    this.stamp.atMs = nowMs + this.durationMs;
    this.stamp = new Stamp(Number.POSITIVE_INFINITY);
    if (!this.isHeld) this.hold();
  }

  private get isEmpty(): boolean {
    return this.ring.next === this.ring;
  }

  /** The list of this duration: this one, unless another has taken its place while this one was empty and had no timer. */
  private listed(): LimitList {
    const { lists } = this.limits;
    const listed = lists.get(this.durationMs);
    if (listed !== undefined) return listed;
    lists.set(this.durationMs, this);
    return this;
  }

  private mark(): void {
    this.isMarked = true;
    this.limits.mark(this);
  }

  private emptied(): void {
    if (!this.isHeld) return;
    if (!this.limits.isDense) this.letGo();
    else if (!this.isMarked) this.mark();
  }

  private hold(): void {
    if (this.isWaking) return; // the wake arms for whoever is first
    this.isHeld = true;
    if (this.timer === null) this.arm(this.durationMs);
    else this.timer.ref();
  }

  private letGo(): void {
    const { timer } = this;
    this.isHeld = false;
    if (timer !== null && this.limits.lists.size <= MAX_LISTS) timer.unref();
    else {
      timer?.cancel();
      this.forget();
    }
  }

  private forget(): void {
    this.timer = null;
    const { lists } = this.limits;
    if (lists.get(this.durationMs) === this) lists.delete(this.durationMs);
  }

  private arm(delayMs: number): void {
    this.timer = this.clock.schedule(delayMs, () => this.wake());
  }

  /** The timer was armed for a limit that may be gone, so that the first one left may be due later (law T3). */
  private wake(): void {
    this.timer = null;
    this.isHeld = false;
    this.isWaking = true;
    try {
      this.reachDue();
    } finally {
      this.isWaking = false;
      if (this.isEmpty) this.forget();
      else {
        this.isHeld = true;
        this.arm(this.ring.next.dueMs() - this.clock.nowMs());
      }
    }
  }

  /** Counted first: a target may set a new limit here, and one of a very short duration must not keep us for ever. */
  private reachDue(): void {
    const { ring } = this;
    const nowMs = this.clock.nowMs();
    let due = 0;
    for (let node = ring.next; node !== ring && node.dueMs() <= nowMs; node = node.next) due++;
    for (; due > 0; due--) {
      const node = ring.next;
      if (node === ring || node.dueMs() > nowMs) return;
      this.remove(node);
      (node.target as LimitTarget).limitReached(node);
    }
  }
}

const limitsOfClock = new WeakMap<Clock, ClockLimits>();

/** The list for limits of `durationMs` (above 0, finite) on `clock`. A caller may keep it for as long as it likes. */
export function limitList(clock: Clock, durationMs: number): LimitList {
  let limits = limitsOfClock.get(clock);
  if (limits === undefined) {
    limits = new ClockLimits(clock);
    limitsOfClock.set(clock, limits);
  }
  return limits.lists.get(durationMs) ?? new LimitList(limits, durationMs);
}
