import { runProgram, toolPath } from './processes.ts';

/** One part of a longer run. */
export interface Step {
  readonly name: string;
  /** What Node runs, and its arguments. */
  readonly args: readonly string[];
}

/** A step that runs one of our own scripts. */
export function script(name: string, path: string, ...args: string[]): Step {
  return { name, args: [path, ...args] };
}

/** A step that runs an installed tool. */
export function tool(name: string, bin: string, ...args: string[]): Step {
  return { name, args: [toolPath(bin), ...args] };
}

/** Runs the steps in order, a line each, and stops at the first that fails, with all it wrote; true if none did. */
export async function runSteps(steps: readonly Step[]): Promise<boolean> {
  for (const { name, args } of steps) {
    const start = performance.now();
    const { ok, output } = await runProgram(process.execPath, args);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if (!ok) {
      console.error(`${output.trimEnd()}\n\nfailed  ${name} (${seconds} s): node ${args.join(' ')}`);
      return false;
    }
    console.log(`ok  ${name.padEnd(10)} ${seconds.padStart(5)} s  ${lastLine(output)}`.trimEnd());
  }
  return true;
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}
