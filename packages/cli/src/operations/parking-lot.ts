import { nowMs } from '../runtime/host-time.ts';
import type { JobPlace } from '../runtime/input.ts';
import { PlaceQueue, type QueuedPlace } from '../runtime/place-queue.ts';
import type { RunStatistics } from '../runtime/run-statistics.ts';
import type { Slots } from './slots.ts';

/** What the breaker of an origin would say to a call. */
export interface BreakerView {
  /** Whether it would let any number of calls through. */
  readonly isClosed: boolean;
  /** When it may let one through; 0 for now. */
  readonly retryAfterMs: number;
}

/** What a {@link ParkingLot} goes by. */
export interface ParkingRules {
  readonly look: (origin: string) => BreakerView;
  readonly giveUpAfterMs: number;
  /** How many jobs that wait amid their attempts may give their slots back; each takes memory, unlike one that is parked. */
  readonly maxWithoutSlot: number;
  readonly slots: Slots;
  readonly statistics: RunStatistics;
}

/** Whose turn it is: a parked job's, to begin or to fail unstarted; or one's that waits amid its attempts. */
export type Turn =
  | { readonly kind: 'begin' | 'give up'; readonly place: QueuedPlace }
  | { readonly kind: 'go on'; readonly resume: () => void };

/** A job that waits amid its attempts. */
interface Waiter {
  readonly sinceMs: number;
  readonly hasSlot: boolean;
  /** Ends the wait; false: it took too long. */
  end(goesOn: boolean): void;
}

/** The jobs that wait for one origin. */
class Lane {
  readonly origin: string;
  readonly started: Set<Waiter> = new Set();
  readonly parked: PlaceQueue = new PlaceQueue();
  /** When to look at its breaker again, unless something happens before. */
  askAtMs = 0;

  constructor(origin: string) {
    this.origin = origin;
  }

  get isEmpty(): boolean {
    return this.started.size === 0 && this.parked.size === 0;
  }

  get firstSinceMs(): number {
    let { firstSinceMs } = this.parked;
    for (const { sinceMs } of this.started) firstSinceMs = Math.min(firstSinceMs, sinceMs);
    return firstSinceMs;
  }
}

/** A probe has begun; should nobody hear of its end, the breaker is looked at after so long. */
const PROBE_MS = 1000;

/**
 * Where jobs wait for an origin whose breaker is open. A job that has not begun is parked: it has no slot and takes 24 bytes, so that a dead
 * origin costs the others neither time nor, with a million jobs, memory. One that has begun waits amid its attempts, and gives its slot back
 * for so long. Once the breaker lets calls through, those that have begun go on first, then the parked ones, each in the order in which they came.
 */
export class ParkingLot {
  readonly #rules: ParkingRules;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes that may have a turn. */
  readonly #due = new Set<Lane>();
  #nextAskMs = Number.POSITIVE_INFINITY;
  #withoutSlot = 0;
  #withSlot = 0;
  #onChange: () => void = () => {};

  constructor(rules: ParkingRules) {
    this.#rules = rules;
  }

  /** When `next` may find something, unless there is a change before. */
  get nextAskMs(): number {
    return this.#nextAskMs;
  }

  /** Calls back when `next` may find something. */
  whenChanged(callback: () => void): void {
    this.#onChange = callback;
  }

  /** Whether a job for this origin may begin: its breaker lets calls through, and nobody waits for that already. */
  admits(origin: string): boolean {
    return !this.#lanes.has(origin) && this.#rules.look(origin).retryAfterMs === 0;
  }

  /** Leaves a job that has not begun where it is. */
  park({ offset, line }: JobPlace, origin: string): void {
    this.#laneOf(origin).parked.push({ offset, line, sinceMs: nowMs() });
    this.#rules.statistics.parked++;
  }

  /**
   * Waits, amid a job's attempts, until the origin's breaker lets a call through; resolves to false once the job has waited for too long, counted
   * from `sinceMs`. Rejects with the signal's reason as soon as that aborts.
   */
  wait(origin: string, sinceMs: number, signal: AbortSignal): Promise<boolean> {
    const { slots, statistics, maxWithoutSlot } = this.#rules;
    if (signal.aborted) return Promise.reject(signal.reason);
    const lane = this.#laneOf(origin);
    const hasSlot = this.#withoutSlot >= maxWithoutSlot;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        signal.removeEventListener('abort', stop);
        lane.started.delete(waiter);
        statistics.waitingForOrigin--;
        if (hasSlot) this.#withSlot--;
        else {
          this.#withoutSlot--;
          slots.take();
        }
      };
      const stop = (): void => {
        leave();
        reject(signal.reason);
      };
      const waiter: Waiter = {
        sinceMs,
        hasSlot,
        end: (goesOn) => {
          leave();
          resolve(goesOn);
        },
      };
      signal.addEventListener('abort', stop, { once: true });
      lane.started.add(waiter);
      statistics.waitingForOrigin++;
      if (hasSlot) this.#withSlot++;
      else {
        this.#withoutSlot++;
        slots.giveBack();
      }
      this.#onChange();
    });
  }

  /** An attempt at this origin has ended, so its breaker may have changed. */
  changed(origin: string): void {
    const lane = this.#lanes.get(origin);
    if (lane === undefined) return;
    this.#due.add(lane);
    this.#onChange();
  }

  /** Whose turn it is now, given the slots that are free. */
  next(): Turn | undefined {
    if (!this.#rules.slots.areFree && this.#withSlot === 0) return undefined;
    const atMs = nowMs();
    if (atMs >= this.#nextAskMs) this.#findDue(atMs);
    for (const lane of this.#due) {
      const turn = lane.isEmpty ? this.#drop(lane) : this.#turnOf(lane, atMs);
      if (turn !== undefined) return turn;
    }
    return undefined;
  }

  #turnOf(lane: Lane, atMs: number): Turn | undefined {
    const { look, giveUpAfterMs } = this.#rules;
    const tooOldMs = atMs - giveUpAfterMs;
    if (lane.firstSinceMs <= tooOldMs) return this.#turnToGiveUp(lane, tooOldMs);
    const { isClosed, retryAfterMs } = look(lane.origin);
    const turn = retryAfterMs > 0 ? undefined : this.#turnToGoOn(lane);
    if (retryAfterMs > 0) this.#askAgain(lane, Math.min(atMs + retryAfterMs, lane.firstSinceMs + giveUpAfterMs));
    else if (!isClosed && turn !== undefined) this.#askAgain(lane, atMs + PROBE_MS);
    return turn;
  }

  #turnToGiveUp(lane: Lane, tooOldMs: number): Turn | undefined {
    const waiter = this.#mayGoOn(lane, ({ sinceMs }) => sinceMs <= tooOldMs);
    if (waiter !== undefined) return { kind: 'go on', resume: () => waiter.end(false) };
    return lane.parked.firstSinceMs <= tooOldMs ? this.#unpark(lane, 'give up') : undefined;
  }

  #turnToGoOn(lane: Lane): Turn | undefined {
    const waiter = this.#mayGoOn(lane, () => true);
    if (waiter !== undefined) return { kind: 'go on', resume: () => waiter.end(true) };
    return lane.started.size === 0 ? this.#unpark(lane, 'begin') : undefined;
  }

  /** The first that is meant and has a slot or can have one. */
  #mayGoOn(lane: Lane, isMeant: (waiter: Waiter) => boolean): Waiter | undefined {
    const { areFree } = this.#rules.slots;
    for (const waiter of lane.started) if ((waiter.hasSlot || areFree) && isMeant(waiter)) return waiter;
    return undefined;
  }

  #unpark(lane: Lane, kind: 'begin' | 'give up'): Turn | undefined {
    const place = this.#rules.slots.areFree ? lane.parked.shift() : undefined;
    if (place === undefined) return undefined;
    this.#rules.statistics.parked--;
    return { kind, place };
  }

  #laneOf(origin: string): Lane {
    let lane = this.#lanes.get(origin);
    if (lane === undefined) {
      lane = new Lane(origin);
      this.#lanes.set(origin, lane);
      this.#due.add(lane);
    }
    return lane;
  }

  #drop(lane: Lane): undefined {
    this.#lanes.delete(lane.origin);
    this.#due.delete(lane);
  }

  #askAgain(lane: Lane, atMs: number): void {
    lane.askAtMs = atMs;
    this.#due.delete(lane);
    this.#nextAskMs = Math.min(this.#nextAskMs, atMs);
  }

  /** Lanes that wait for nothing but the time are due when it has come. */
  #findDue(atMs: number): void {
    this.#nextAskMs = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
      if (this.#due.has(lane)) continue;
      if (lane.askAtMs <= atMs) this.#due.add(lane);
      else this.#nextAskMs = Math.min(this.#nextAskMs, lane.askAtMs);
    }
  }
}
