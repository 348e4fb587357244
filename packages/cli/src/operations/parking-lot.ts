import { nowMs } from '../runtime/host-time.ts';
import type { JobPlace } from '../runtime/input.ts';
import { PlaceQueue } from '../runtime/place-queue.ts';
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
  /** Of a job, from its start. */
  readonly totalTimeoutMs: number;
  readonly slots: Slots;
  readonly statistics: RunStatistics;
}

/** What a job that begins has behind it. */
export interface JobPast {
  /** Calls made. */
  readonly attempts: number;
  readonly startMs: number;
}

/** Whose turn it is: a parked job's, to begin or to fail; or that of one that waits in its slot. */
export type Turn =
  | { readonly kind: 'begin' | 'give up'; readonly place: JobPlace; readonly past: JobPast | undefined }
  | { readonly kind: 'go on'; readonly resume: () => void };

/** A job that has begun and waits. */
interface Waiter {
  readonly untilMs: number;
  readonly hasSlot: boolean;
  /** Ends the wait. */
  leave(isInTime: boolean): Turn;
}

/** The jobs that wait for one origin. */
class Lane {
  readonly origin: string;
  readonly begun: Set<Waiter> = new Set();
  readonly parked: PlaceQueue = new PlaceQueue();
  /** When to look at its breaker again, unless something happens before. */
  askAtMs = 0;

  constructor(origin: string) {
    this.origin = origin;
  }

  get isEmpty(): boolean {
    return this.begun.size === 0 && this.parked.size === 0;
  }

  /** When the first has waited for too long. */
  untilMs(giveUpAfterMs: number): number {
    let untilMs = this.parked.firstSinceMs + giveUpAfterMs;
    for (const waiter of this.begun) untilMs = Math.min(untilMs, waiter.untilMs);
    return untilMs;
  }
}

/** A probe has begun; should nobody hear of its end, the breaker is looked at after so long. */
const PROBE_MS = 1000;

/**
 * Where jobs wait for an origin whose breaker is open. A parked job has no slot and takes a few bytes: its place in the input, from which it is
 * read again, and what it has behind it. So a dead origin costs the others neither time nor, with a million jobs, memory. Once the breaker lets
 * calls through, those go first that have been called before, then the others, each in the order in which they came.
 */
export class ParkingLot {
  readonly #rules: ParkingRules;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes that may have a turn. */
  readonly #due = new Set<Lane>();
  #nextAskMs = Number.POSITIVE_INFINITY;
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

  /** Leaves a job where it is in the input; one that has been called has a `past`. */
  park(place: JobPlace, origin: string, past?: JobPast): void {
    const { giveUpAfterMs, totalTimeoutMs, statistics } = this.#rules;
    const lane = this.#laneOf(origin);
    const sinceMs = nowMs();
    statistics.parked++;
    if (past === undefined) lane.parked.push({ ...place, sinceMs });
    else {
      const waiter: Waiter = {
        untilMs: Math.min(sinceMs + giveUpAfterMs, past.startMs + totalTimeoutMs),
        hasSlot: false,
        leave: (isInTime) => {
          lane.begun.delete(waiter);
          statistics.parked--;
          return { kind: isInTime ? 'begin' : 'give up', place, past };
        },
      };
      lane.begun.add(waiter);
    }
    this.#due.add(lane);
  }

  /**
   * Waits in a slot until the origin's breaker lets a call through; resolves to false once that takes longer than until `untilMs`. Rejects with
   * the signal's reason as soon as that aborts.
   */
  wait(origin: string, untilMs: number, signal: AbortSignal): Promise<boolean> {
    const { statistics } = this.#rules;
    if (signal.aborted) return Promise.reject(signal.reason);
    const lane = this.#laneOf(origin);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        signal.removeEventListener('abort', stop);
        lane.begun.delete(waiter);
        statistics.waitingForOrigin--;
      };
      const stop = (): void => {
        leave();
        reject(signal.reason);
      };
      const waiter: Waiter = {
        untilMs,
        hasSlot: true,
        leave: (isInTime) => {
          leave();
          return { kind: 'go on', resume: () => resolve(isInTime) };
        },
      };
      signal.addEventListener('abort', stop, { once: true });
      lane.begun.add(waiter);
      statistics.waitingForOrigin++;
      this.#due.add(lane);
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
    const untilMs = lane.untilMs(giveUpAfterMs);
    if (untilMs <= atMs) return this.#turnToGiveUp(lane, atMs);
    const { isClosed, retryAfterMs } = look(lane.origin);
    const turn = retryAfterMs > 0 ? undefined : this.#turnToGo(lane);
    if (retryAfterMs > 0) this.#askAgain(lane, Math.min(atMs + retryAfterMs, untilMs));
    else if (!isClosed && turn !== undefined) this.#askAgain(lane, Math.min(atMs + PROBE_MS, untilMs));
    return turn;
  }

  #turnToGiveUp(lane: Lane, atMs: number): Turn | undefined {
    for (const waiter of lane.begun) if (waiter.untilMs <= atMs && this.#mayGo(waiter)) return waiter.leave(false);
    return lane.parked.firstSinceMs + this.#rules.giveUpAfterMs <= atMs ? this.#unpark(lane, 'give up') : undefined;
  }

  #turnToGo(lane: Lane): Turn | undefined {
    for (const waiter of lane.begun) if (this.#mayGo(waiter)) return waiter.leave(true);
    return lane.begun.size === 0 ? this.#unpark(lane, 'begin') : undefined;
  }

  #mayGo({ hasSlot }: Waiter): boolean {
    return hasSlot || this.#rules.slots.areFree;
  }

  #unpark(lane: Lane, kind: 'begin' | 'give up'): Turn | undefined {
    const { slots, statistics } = this.#rules;
    const place = slots.areFree ? lane.parked.shift() : undefined;
    if (place === undefined) return undefined;
    statistics.parked--;
    return { kind, place, past: kind === 'begin' ? undefined : { attempts: 0, startMs: place.sinceMs } };
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
