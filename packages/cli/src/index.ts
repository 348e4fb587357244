export { OUTCOME } from 'keelson';
export type { JobFunction, LineJob } from './runtime/job-function.ts';
