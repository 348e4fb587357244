import type { Check } from '../errors/check-options.ts';
import { optionError } from '../errors/option-error.ts';

/**
 * A length of time: a number of milliseconds, or a number with its unit: `'250ms'`, `'5s'`, `'2m'`, `'1h'`; decimals are fine (`'1.5s'`).
 * Text that comes from a configuration goes through {@link duration}.
 */
export type Duration = number | `${number}ms` | `${number}s` | `${number}m` | `${number}h`;

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['h', HOUR_MS],
  ['m', MINUTE_MS],
  ['s', SECOND_MS],
  ['ms', 1],
]);
const FORMS = "milliseconds, or '250ms', '5s', '2m', '1h'";

/** One number with its unit; the exponent because `${1e-7}ms` is a `Duration` as well. */
const PART = /(\d+(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+)(ms|s|m|h) */y;

/** NaN where `text` is no duration. Units come largest first and once each. */
function parse(text: string): number {
  let totalMs = 0;
  let lastUnitMs = Number.POSITIVE_INFINITY;
  PART.lastIndex = 0;
  do {
    const part = PART.exec(text);
    const unitMs = UNIT_MS.get(part?.[2] ?? '') ?? Number.NaN;
    if (!(unitMs < lastUnitMs)) return Number.NaN;
    lastUnitMs = unitMs;
    totalMs += Number(part?.[1]) * unitMs;
  } while (PART.lastIndex < text.length);
  return Number.isFinite(totalMs) ? totalMs : Number.NaN;
}

/** NaN for anything that is no duration. */
function read(value: unknown): number {
  if (typeof value === 'string') return parse(value);
  return typeof value === 'number' && value >= 0 ? value : Number.NaN;
}

/** The milliseconds of a duration; 0 and Infinity are durations, too. Throws ERR_OPTION for anything else, in `owner`'s name. */
export function toMs(value: Duration, owner = 'duration', option = 'duration'): number {
  const ms = read(value);
  if (Number.isNaN(ms)) throw optionError(owner, option, value, `a duration (${FORMS})`);
  return ms;
}

/** A duration from `min` milliseconds up (above 0, if not named); Infinity only where "for ever" has a meaning. */
export function durationMs(range: { readonly min?: number; readonly allowInfinity?: boolean } = {}): Check {
  const { min, allowInfinity = false } = range;
  const bound = min === undefined ? ' above 0' : min === 0 ? '' : ` of at least ${formatMs(min)}`;
  return {
    expected: `a ${allowInfinity ? '' : 'finite '}duration${bound} (${FORMS})`,
    accepts: (value) => {
      const ms = read(value);
      return (min === undefined ? ms > 0 : ms >= min) && (allowInfinity || ms !== Number.POSITIVE_INFINITY);
    },
  };
}

/**
 * Parses the text of a configuration file, flag or environment variable into milliseconds.
 *
 * Takes `'250ms'`, `'5s'`, `'2m'`, `'1h'`, decimals (`'1.5s'`) and sums with the largest unit first (`'1h30m'`, `'2m 5s'`), and blanks around.
 * A bare number is refused: a configuration has to say its unit. Throws a {@link KeelsonError} with code ERR_OPTION that quotes the text.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { duration } from 'keelson';
 *
 * assert.equal(duration('1h30m'), 5_400_000);
 * assert.equal(duration('0.5s'), 500);
 * assert.throws(() => duration('soon'), { code: 'ERR_OPTION' });
 */
export function duration(text: string): number {
  const ms = typeof text === 'string' ? parse(text.trim()) : Number.NaN;
  if (Number.isNaN(ms)) throw optionError('duration', 'text', text, "like '250ms', '5s', '2m', '1h' or '1h30m'");
  return ms;
}

/** Three digits are as much as a message needs. */
function short(n: number): number {
  if (n < 1 || n >= 1000) return Number(n.toPrecision(3));
  const scale = n < 10 ? 100 : n < 100 ? 10 : 1;
  return Math.round(n * scale) / scale;
}

const pair = (total: number, per: number, large: string, small: string): string =>
  total % per === 0 ? `${total / per}${large}` : `${Math.floor(total / per)}${large} ${total % per}${small}`;

/** A length of time as messages show it: `'250ms'`, `'1.2s'`, `'2m 5s'`, `'1h 30m'`, `'forever'`. Rounded to what a reader can use. */
export function formatMs(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return 'forever';
  if (ms < 999.5) return `${short(ms)}ms`;
  if (ms < 59_950) return `${short(ms / SECOND_MS)}s`;
  const seconds = Math.round(ms / SECOND_MS);
  return seconds < 3600 ? pair(seconds, 60, 'm', 's') : pair(Math.round(ms / MINUTE_MS), 60, 'h', 'm');
}
