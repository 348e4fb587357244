import type { MakeJob } from './job.ts';

/** Makes jobs for a function of the user's, which gets all that a line says. Jobs without a URL share one origin, the module's `name`. */
export function functionJobs(name: string): MakeJob {
  return (id, columns) => ({ kind: 'function', id, columns, origin: originIn(columns['url']) ?? name });
}

function originIn(url: unknown): string | undefined {
  const parsed = typeof url === 'string' ? URL.parse(url) : null;
  return parsed?.protocol === 'http:' || parsed?.protocol === 'https:' ? parsed.origin : undefined;
}
