import type { OneCall, Work } from './loops.ts';
import type { Shape } from './shapes.ts';

/** What the policies of a case are made with; a check makes them with others than a measurement. */
export interface Settings {
  readonly maxAttempts: number;
  readonly baseDelayMs: number;
  readonly timeoutMs: number;
  readonly failureThreshold: number;
  readonly recoveryMs: number;
  readonly maxConcurrency: number;
  readonly limit: number;
  readonly periodMs: number;
  /** Ends all calls of the subject; absent in measurements, where each subject makes one of its own that is never aborted. */
  readonly signal?: AbortSignal;
}

/** Nothing fails, waits, times out or recovers, however long it takes: what is measured is what a call costs when all is well. */
export const MEASURED: Settings = {
  maxAttempts: 4,
  baseDelayMs: 100,
  timeoutMs: 60_000,
  failureThreshold: 5,
  recoveryMs: 3_600_000,
  maxConcurrency: 10_000,
  limit: 1_000_000_000,
  periodMs: 1000,
};

/** Makes so many calls, and ends when all have ended. */
export type Loop = (count: number) => Promise<unknown>;

/** One library's way to do what its group is about. */
export interface Subject {
  readonly library: string;
  /** What distinguishes it from the library's other subjects in the group: settings, or the way it is called. */
  readonly variant?: string;
  /** More calls at once make no sense: it would take minutes. */
  readonly maxInFlight?: number;
  /** It waits for timers, so that its CPU time says nothing. */
  readonly isTimerBound?: boolean;
  /** Made once; the call is what is measured. */
  readonly make: (work: Work, settings: Settings) => OneCall | Promise<OneCall>;
  /** Where the library is at its best with a loop of its own in place of single calls. Measured one call after the other only. */
  readonly makeLoop?: (work: Work, settings: Settings) => Loop | Promise<Loop>;
}

/** Libraries that do the same, side by side. */
export interface Group {
  readonly name: string;
  readonly about: string;
  readonly shapes: readonly Shape[];
  readonly subjects: readonly Subject[];
  /** Rejects where a subject does not do what it is there for. */
  check(subject: Subject): Promise<void>;
}

export const nameOf = ({ library, variant }: Subject): string => (variant === undefined ? library : `${library}, ${variant}`);
