// Runs the modules given as arguments one after another and tells the parent process how each of them ended.
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';

/** What the parent hears: a module has started, or has ended, with what was wrong. */
export type Report = { readonly started: string } | { readonly ended: string; readonly error?: string };

const SETTLE_MS = 2_000;

async function runModule(path: string): Promise<string | undefined> {
  const before = openResources();
  try {
    await import(pathToFileURL(path).href);
  } catch (error) {
    return inspect(error);
  }
  const left = await resourcesLeft(before);
  return left.length === 0 ? undefined : `leaves open: ${left.join(', ')}; a reader's program would not end`;
}

/** Everything that keeps the process alive, by kind. */
function openResources(): string[] {
  return process.getActiveResourcesInfo().sort();
}

/** What is open beyond `before`, after it has had a moment to close. */
async function resourcesLeft(before: readonly string[]): Promise<string[]> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const left = openResources();
    for (const resource of before) {
      const index = left.indexOf(resource);
      left.splice(index < 0 ? left.length : index, 1);
    }
    if (left.length === 0 || performance.now() > deadline) {
      return left;
    }
    await sleep(5);
  }
}

function tell(report: Report): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(report, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });
}

if (import.meta.main) {
  for (const stream of [process.stdout, process.stderr]) {
    stream.write(''); // opens it, so that no module's first word counts as something it left open
  }
  for (const path of process.argv.slice(2)) {
    await tell({ started: path });
    const error = await runModule(path);
    await tell(error === undefined ? { ended: path } : { ended: path, error });
  }
  process.exit(); // what a module left open has been told already
}
