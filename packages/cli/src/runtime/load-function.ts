import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { JobFunction } from './job-function.ts';
import { systemReason } from './system-reason.ts';
import { UsageError } from './usage-error.ts';

/** The default export of a module, JavaScript or TypeScript, which has to be a function. Throws a {@link UsageError} that names the file. */
export async function loadFunction(path: string): Promise<JobFunction> {
  await checkFile(path);
  const { default: exported } = await load(path);
  if (typeof exported !== 'function') throw new UsageError('has no function as its default export', { file: path });
  return exported as JobFunction;
}

async function checkFile(path: string): Promise<void> {
  try {
    if ((await stat(path)).isFile()) return;
  } catch (error) {
    throw new UsageError(`cannot be read: ${systemReason(error)}`, { file: path });
  }
  throw new UsageError('not a file', { file: path });
}

async function load(path: string): Promise<{ readonly default?: unknown }> {
  try {
    return (await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown };
  } catch (error) {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new UsageError(`cannot be loaded: ${what.split('\n')[0] ?? ''}`, { file: path });
  }
}
