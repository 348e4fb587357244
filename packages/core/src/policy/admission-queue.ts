// Priorities that age: J. R. Jackson, "Queues with dynamic priority discipline", Management Science 8 (1961): whoever has the least sum of the time of
// coming and an allowance that grows with each step of priority goes first. The order of two who wait never changes, so nothing has to be sorted again.
import { Link, LinkedList } from '../collections/linked-list.ts';
import type { Parking, Waiter, WaitNode } from '../sync/wait-queue.ts';
import { FairTurns, type LanePlace } from './fair-turns.ts';
import { PRIORITIES, type Priority } from './priority.ts';

/** Whom to drop, where somebody has to go. */
export type DropRule = 'dropOldest' | 'dropNewest';

const AGE = { dropOldest: 'oldest', dropNewest: 'newest' } as const;

/** The place of one call in an {@link AdmissionQueue}: made by the layer that knows where the call belongs, taken by the engine. */
export class Place implements Parking, WaitNode {
  /** When somebody was added. */
  declare sinceMs: number;
  declare readonly key: string | undefined;
  declare readonly link: Link<Place>;
  /** Its line's account of it. */
  declare lane: LanePlace<Place> | undefined;
  declare readonly line: Line;
  declare private readonly queue: AdmissionQueue;
  declare private waiter: Waiter | undefined;

  constructor(queue: AdmissionQueue, line: Line, key: string | undefined) {
    this.sinceMs = 0;
    this.key = key;
    this.link = new Link(this as Place);
    this.lane = undefined;
    this.line = line;
    this.queue = queue;
    this.waiter = undefined;
  }

  /** How many wait in the queue. */
  get size(): number {
    return this.queue.size;
  }

  /** Name of the operation that waits here. */
  get operation(): string {
    return this.waiter?.operation ?? 'operation';
  }

  add(waiter: Waiter, nowMs: number): WaitNode {
    this.waiter = waiter;
    this.sinceMs = nowMs;
    this.queue.enter(this);
    return this;
  }

  unlink(): void {
    if (this.link.list !== null) this.queue.leave(this);
  }

  grant(): void {
    this.waiter?.granted();
  }

  /** Leaves the queue, if it is in it, and tells whoever waits why. */
  refuse(error: () => unknown): void {
    if (this.link.list === null) return;
    this.unlink();
    this.waiter?.refused(error());
  }
}

/** Those of one priority who wait. */
class Line {
  /** 0 for the most urgent priority. */
  readonly rank: number;
  /** In the order they came. */
  readonly places: LinkedList<Place> = new LinkedList();
  readonly #turns: FairTurns<Place> | undefined;

  constructor(rank: number, isFair: boolean) {
    this.rank = rank;
    this.#turns = isFair ? new FairTurns() : undefined;
  }

  /** When a call of the most urgent priority comes that is as urgent as the first of these; undefined while nobody waits. */
  equalMs(agingPeriodMs: number): number | undefined {
    const sinceMs = this.places.first?.item.sinceMs;
    return sinceMs === undefined || this.rank === 0 ? sinceMs : sinceMs + this.rank * agingPeriodMs;
  }

  add(place: Place): void {
    this.places.append(place.link);
    place.lane = this.#turns?.add(place, place.key);
  }

  take(): Place | undefined {
    const place = this.#turns === undefined ? this.places.first?.item : this.#turns.take();
    place?.link.unlink();
    return place;
  }

  remove(place: Place): void {
    place.link.unlink();
    if (place.lane !== undefined) this.#turns?.remove(place.lane);
  }

  toDrop(rule: DropRule): Place | undefined {
    if (this.#turns !== undefined) return this.#turns.ofLongest(AGE[rule]);
    return (rule === 'dropOldest' ? this.places.first : this.places.last)?.item;
  }

  /** Undefined: the newcomer under `key`. */
  toDropFor(key: string | undefined, rule: DropRule): Place | undefined {
    if (this.#turns !== undefined) return this.#turns.ofLongestWith(key, AGE[rule]);
    return rule === 'dropOldest' ? this.places.first?.item : undefined;
  }
}

/** What an {@link AdmissionQueue} goes by. */
export interface AdmissionQueueRules {
  /** What one step of priority is worth in waiting time. */
  readonly agingPeriodMs: number;
  /** Whether the keys of one priority take turns; else they go in the order they came. */
  readonly isFair: boolean;
}

/**
 * A queue of calls by priority: of the most urgent the one that came first goes first, and for each `agingPeriodMs` it has waited a call is as urgent
 * as a fresh one of the next priority. So nobody waits for ever, unless that is Infinity: a call is never overtaken by one that came more than
 * `agingPeriodMs` later for each step of priority between them. With `isFair` that holds for the turns of a priority, which its keys have in rotation.
 *
 * Adding, granting, leaving and dropping are O(1), whatever waits. It bounds nothing, counts no permits and has no timer: those are its owner's part,
 * and the engine's.
 */
export class AdmissionQueue {
  agingPeriodMs: number;
  /** The most urgent first. */
  readonly #lines: readonly Line[];
  /** Counted, for who hands out permits asks each time, and mostly nobody waits. */
  #size = 0;

  constructor({ agingPeriodMs, isFair }: AdmissionQueueRules) {
    this.agingPeriodMs = agingPeriodMs;
    this.#lines = PRIORITIES.map((_, rank) => new Line(rank, isFair));
  }

  get size(): number {
    return this.#size;
  }

  /** How many wait of each priority. */
  sizes(): Record<Priority, number> {
    return Object.fromEntries(PRIORITIES.map((priority, rank) => [priority, this.#lines[rank]?.places.size])) as Record<Priority, number>;
  }

  /** When the one that waits for longest has come; undefined while nobody waits. */
  get oldestSinceMs(): number | undefined {
    const since = this.#lines.flatMap(({ places }) => places.first?.item.sinceMs ?? []);
    return since.length === 0 ? undefined : Math.min(...since);
  }

  /** Where a call of `priority` and `key` would stand; it waits there once somebody is added to it. */
  place(priority: Priority, key: string | undefined): Place {
    return new Place(this, this.#line(priority), key);
  }

  /** Said by a place, when somebody is added to it. */
  enter(place: Place): void {
    this.#size++;
    place.line.add(place);
  }

  /** Said by a place that is left early. */
  leave(place: Place): void {
    this.#size--;
    place.line.remove(place);
  }

  /** Hands a permit to whoever goes first; false where nobody waits, and the permit stays with the caller. */
  grant(): boolean {
    if (this.#size === 0) return false;
    const place = this.#mostUrgent()?.take();
    this.#size--;
    place?.grant();
    return true;
  }

  /** Who has to go where somebody of those who wait has to: one of the least urgent priority; with `isFair`, of the key that has most of these. */
  toDrop(rule: DropRule): Place | undefined {
    return this.#leastUrgent()?.toDrop(rule);
  }

  /** As {@link toDrop}, where a newcomer of `priority` and `key` counts, the newest of all: undefined where it is the one that has to go. */
  toDropFor(priority: Priority, key: string | undefined, rule: DropRule): Place | undefined {
    const least = this.#leastUrgent();
    const own = this.#line(priority);
    if (least === own) return own.toDropFor(key, rule);
    return least !== undefined && least.rank > own.rank ? least.toDrop(rule) : undefined;
  }

  /** Settles everybody who waits now (law P5), each with an error of its own. */
  refuseAll(error: () => unknown): void {
    for (const { places } of this.#lines) for (let left = places.size; left > 0; left--) places.first?.item.refuse(error);
  }

  #line(priority: Priority): Line {
    return this.#lines[PRIORITIES.indexOf(priority)] as Line;
  }

  #mostUrgent(): Line | undefined {
    let most: Line | undefined;
    let leastMs = Number.POSITIVE_INFINITY;
    for (const line of this.#lines) {
      const equalMs = line.equalMs(this.agingPeriodMs);
      if (equalMs === undefined || (most !== undefined && equalMs >= leastMs)) continue; // of two as urgent, the one of the higher priority
      most = line;
      leastMs = equalMs;
    }
    return most;
  }

  #leastUrgent(): Line | undefined {
    return this.#lines.findLast(({ places }) => places.size > 0);
  }
}
