import { createHash } from 'node:crypto';

/** One line of the job file, and what its result must be. */
export interface ExpectedJob {
  readonly id: string;
  readonly url: string;
  /** Of the file, in hexadecimal. */
  readonly sha256: string;
}

/** The path of a file as a URL has it. */
export function urlPathOf(path: string): string {
  return `/${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** At least `count` jobs over the given files, each file as often as every other. */
export function makeJobs(files: ReadonlyMap<string, Buffer>, origin: string, count: number): ExpectedJob[] {
  const hashes = [...files].map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')] as const);
  const rounds = Math.ceil(count / hashes.length);
  return Array.from({ length: rounds }, (_, round) => round + 1).flatMap((round) =>
    hashes.map(([path, sha256]) => ({ id: `${round}${path}`, url: `${origin}${path}?round=${round}`, sha256 })),
  );
}

/** The jobs as JSON Lines. */
export function jobLines(jobs: readonly ExpectedJob[]): string {
  return jobs.map(({ id, url }) => `${JSON.stringify({ id, url })}\n`).join('');
}
