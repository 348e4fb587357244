import { type Check, type Checks, checkOptions } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';

/**
 * What every snapshot of a policy has; the rest is the policy's own. Frozen, and plain enough for JSON. Its durations are what remained when it was
 * taken: a monotonic time means nothing in another process.
 */
export interface Snapshot<Kind extends string> {
  readonly version: 1;
  readonly kind: Kind;
  /** The date, in milliseconds since 1970. */
  readonly takenAtMs: number;
}

const exactly = (value: unknown): Check => ({ expected: JSON.stringify(value), accepts: (given) => given === value });
const date: Check = { expected: 'a date in milliseconds since 1970', accepts: (value) => Number.isFinite(value) };

/** Throws ERR_OPTION for what is no snapshot of this kind, naming the field that is missing or wrong. */
export function checkSnapshot<S extends Snapshot<string>>(
  owner: string,
  kind: S['kind'],
  snapshot: S,
  own: Checks<Omit<S, keyof Snapshot<string>>>,
): void {
  const checks = { version: exactly(1), kind: exactly(kind), takenAtMs: date, ...own } as Checks<S>;
  if (typeof snapshot !== 'object' || snapshot === null) throw optionError(owner, 'snapshot', snapshot, 'what snapshot() gave');
  checkOptions<S>(owner, snapshot, checks);
  for (const [field, check] of Object.entries<Check>(checks)) {
    const value = snapshot[field as keyof S];
    if (!check.accepts(value)) throw optionError(owner, field, value, check.expected);
  }
}

/** How long ago it was taken; a date that lies ahead (another machine's clock, a step of this one's) is now. */
export function elapsedMs({ takenAtMs }: Snapshot<string>, epochMs: number): number {
  return Math.max(0, epochMs - takenAtMs);
}
