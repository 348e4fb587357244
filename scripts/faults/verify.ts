import type { ExpectedJob } from './jobs.ts';

interface Result {
  readonly id: string;
  readonly ok: boolean;
  readonly attempts: number;
  readonly hash?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** What was found wrong with a journal, a line each, and how many calls it took. */
export interface Verification {
  readonly problems: readonly string[];
  readonly lines: number;
  readonly attempts: number;
}

/** Holds a journal against the jobs it is for: one line a job, all done, every body's hash that of its file. */
export function verify(journal: string, jobs: readonly ExpectedJob[]): Verification {
  const results = journal
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Result);
  const byId = new Map(results.map((result) => [result.id, result]));
  const problems = jobs.flatMap((job) => problemWith(byId.get(job.id), job) ?? []);
  if (results.length !== jobs.length) problems.push(`${results.length} lines for ${jobs.length} jobs`);
  return { problems, lines: results.length, attempts: results.reduce((sum, { attempts }) => sum + attempts, 0) };
}

function problemWith(result: Result | undefined, { id, sha256 }: ExpectedJob): string | undefined {
  if (result === undefined) return `${id}: no result`;
  if (!result.ok) return `${id}: failed with ${result.error?.code}: ${result.error?.message}`;
  return result.hash === sha256 ? undefined : `${id}: its body is not the file (${result.hash} instead of ${sha256})`;
}

/** The value below which that share of a sorted list lies (nearest rank). */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
