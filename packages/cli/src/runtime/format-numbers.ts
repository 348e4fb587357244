/** A count as it is read: `12,345`. */
export function formatCount(n: number): string {
  return Math.round(n).toLocaleString('en');
}

/** A count of things: `1 job`, `12,345 jobs`. The plural has an `s` unless it is given. */
export function formatCountOf(n: number, thing: string, things = `${thing}s`): string {
  return `${formatCount(n)} ${n === 1 ? thing : things}`;
}

/** A latency to three digits. */
export function formatLatency(ms: number): string {
  return ms < 1000 ? `${Number(ms.toPrecision(3))}ms` : `${Number((ms / 1000).toPrecision(3))}s`;
}

/** A length of time as exact as anybody cares to know while waiting. */
export function formatRoughTime(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)}s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes}m` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}
