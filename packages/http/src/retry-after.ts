import { Deadline } from 'keelson';
import { parseHttpDate } from './http-date.ts';

const SECOND_MS = 1000;

/**
 * The wait that a Retry-After header asks for, in milliseconds (RFC 9110, section 10.2.3: seconds, or a date, which is read on the current
 * clock). A date that has passed is 0; anything else, a negative number included, is as good as no header.
 */
export function parseRetryAfter(value: string | readonly string[] | undefined): number | undefined {
  const text = (typeof value === 'object' ? value[0] : value)?.trim();
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) {
    const ms = Number(text) * SECOND_MS;
    return Number.isFinite(ms) ? ms : undefined;
  }
  const epochMs = parseHttpDate(text);
  return epochMs === undefined ? undefined : Deadline.at(epochMs).remainingMs();
}
