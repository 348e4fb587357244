import { resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startNginx } from './nginx.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** An nginx that serves the repository's packages, and the faults of {@link FAULTS}. */
    readonly nginxUrl: string;
  }
}

const ROOT = resolve(import.meta.dirname, '../../packages');

/** Faults a real server can be asked for. */
const FAULTS = `
location = /busy { add_header Retry-After 1 always; return 503; }
location = /throttled { add_header Retry-After 1 always; return 429; }
location = /reset { return 444; }
location /slow/ { alias "${ROOT}/"; limit_rate 1k; }
`;

/** Starts the servers of the integration tests, and ends them when these are over. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const nginx = await startNginx({ root: ROOT, conf: FAULTS });
  project.provide('nginxUrl', nginx.url);
  return () => nginx.stop();
}
