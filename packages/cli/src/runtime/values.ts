import { duration } from 'keelson';

/** So many calls in so much time. */
export interface Rate {
  readonly limit: number;
  readonly periodMs: number;
}

/** Why a text is no value of its kind: completes "… must be". */
export class ValueError extends Error {
  constructor(expected: string) {
    super(`must be ${expected}`);
    this.name = 'ValueError';
  }
}

/** A whole number above 0. */
export function parseCount(text: string): number {
  const n = /^\d+$/.test(text) ? Number(text) : 0;
  if (n < 1 || !Number.isSafeInteger(n)) throw new ValueError('a whole number of at least 1');
  return n;
}

/** A length of time above 0 with its unit, in milliseconds. */
export function parseDuration(text: string): number {
  const ms = durationOf(text) ?? 0;
  if (ms > 0) return ms;
  throw new ValueError("a length of time above 0, like '250ms', '5s', '2m' or '1h30m'");
}

/** Like {@link parseDuration}, but `0` is a length, too. */
export function parseDurationOrNone(text: string): number {
  const ms = text === '0' ? 0 : durationOf(text);
  if (ms !== undefined) return ms;
  throw new ValueError("0 or a length of time, like '250ms', '5s', '2m' or '1h30m'");
}

function durationOf(text: string): number | undefined {
  try {
    return duration(text);
  } catch {
    return undefined; // told by the caller, in words of its own
  }
}

/** `100/s`, `20/m`, `5/10s`. */
export function parseRate(text: string): Rate {
  const parts = /^([1-9]\d{0,8})\/((?:[1-9]\d{0,8})?)(ms|s|m|h)$/.exec(text);
  if (parts === null) throw new ValueError("a number of calls in a time, like '100/s', '20/m' or '5/10s'");
  return { limit: Number(parts[1]), periodMs: duration(`${parts[2] || 1}${parts[3]}`) };
}

const KIBI = 1024;
const UNITS: Readonly<Record<string, number>> = { b: 1, kb: KIBI, mb: KIBI ** 2, gb: KIBI ** 3 };

/** `0`, `512kb`, `1mb`, in bytes; a `kb` has 1024. */
export function parseSize(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)(b|kb|mb|gb)?$/i.exec(text);
  const bytes = Math.floor(Number(parts?.[1]) * (UNITS[parts?.[2]?.toLowerCase() ?? 'b'] ?? Number.NaN));
  if (!Number.isSafeInteger(bytes)) throw new ValueError("a size like '512kb', '1mb' or '0'");
  return bytes;
}

/** One of some words. */
export function parseWord<const W extends string>(...words: readonly W[]): (text: string) => W {
  return (text) => {
    const word = words.find((each) => each === text);
    if (word === undefined) throw new ValueError(words.map((each) => `'${each}'`).join(' or '));
    return word;
  };
}

/** Any text but an empty one. */
export function parseText(text: string): string {
  if (text === '') throw new ValueError('given');
  return text;
}

/** `name: value`. */
export function parseHeader(text: string): readonly [name: string, value: string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new ValueError("a name and a value, like 'accept: text/html'");
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

/** `name=VARIABLE`. */
export function parseHeaderVariable(text: string): readonly [name: string, variable: string] {
  const parts = /^([^=\s]+)=([A-Za-z_][A-Za-z0-9_]*)$/.exec(text);
  if (parts === null) throw new ValueError("a header's name and a variable of the environment, like 'authorization=API_TOKEN'");
  return [parts[1] ?? '', parts[2] ?? ''];
}
