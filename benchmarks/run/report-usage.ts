// Preloaded into a measured process: leaves in a file what the process has used, which its parent cannot ask for.
import { readFileSync, writeFileSync } from 'node:fs';

/** What a process has used from its start to its end. */
export interface Usage {
  /** Of all its threads, user and system. */
  readonly cpuMs: number;
  /** The most memory it had at once. */
  readonly peakBytes: number;
}

/** The variable of the environment that names the file. */
export const USAGE_FILE = 'KEELSON_BENCH_USAGE';
const KB = 1024;

/** Linux counts into a process's own maximum that of the process which started it, but tells the true one elsewhere. */
function peakBytes(maxRssKb: number): number {
  if (process.platform !== 'linux') return maxRssKb * KB;
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * KB;
}

const file = process.env[USAGE_FILE];
if (file !== undefined) {
  process.once('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const usage: Usage = { cpuMs: (userCPUTime + systemCPUTime) / 1000, peakBytes: peakBytes(maxRSS) };
    writeFileSync(file, JSON.stringify(usage));
  });
}
