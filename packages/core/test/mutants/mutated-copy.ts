import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutation } from './mutations.ts';

const CORE = fileURLToPath(new URL('../..', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('../../../..', import.meta.url));
/** A changed engine may wait, or turn, for ever. */
const MAX_RUN_MS = 60_000;

/** How the tests of a law ended. */
export interface LawRun {
  readonly passed: number;
  readonly failed: number;
  /** Of a test that failed, if one did. */
  readonly firstFailure: string | undefined;
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly { readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[] }[];
}

/** The source with the mutation in it; throws where its mechanism is not found exactly once. */
export function mutate(source: string, { file, search, replace }: Mutation): string {
  const places = source.split(search).length - 1;
  if (places !== 1) throw new Error(`${file}: found ${places} times, not once: ${search}`);
  return source.replace(search, () => replace);
}

export const sourceOf = (file: string): string => readFileSync(join(CORE, 'src', file), 'utf8');

/** A copy of the core and of its law tests, in which a mechanism can be broken. */
export class MutatedCopy implements Disposable {
  readonly #root = join(REPOSITORY, '.cache', `mutants-${process.pid}`);

  constructor() {
    mkdirSync(this.#root, { recursive: true });
    for (const part of ['src', 'test/laws', 'test/support']) cpSync(join(CORE, part), join(this.#root, part), { recursive: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true });
  }

  /** Runs the tests that are named after `law`, with `mutation` made or with none. */
  async run(law: string, mutation?: Mutation): Promise<LawRun> {
    if (mutation !== undefined) writeFileSync(join(this.#root, 'src', mutation.file), mutate(sourceOf(mutation.file), mutation));
    try {
      return await this.#test(law);
    } finally {
      if (mutation !== undefined) writeFileSync(join(this.#root, 'src', mutation.file), sourceOf(mutation.file));
    }
  }

  async #test(law: string): Promise<LawRun> {
    const report = join(this.#root, 'report.json');
    rmSync(report, { force: true });
    const options = ['--config', join(CORE, 'test/mutants/vitest.copy.config.ts'), '--reporter=json', `--outputFile=${report}`];
    const only = [`test/laws/${law.slice(0, 1).toLowerCase()}-`, '-t', `\\b${law}\\b`];
    const args = [join(REPOSITORY, 'node_modules/vitest/vitest.mjs'), 'run', '--root', this.#root, ...options, ...only];
    const isInTime = await ended(args);
    if (!isInTime) return { passed: 0, failed: 1, firstFailure: 'did not end' };
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    const failure = testResults.flatMap((file) => file.assertionResults).find(({ status }) => status === 'failed');
    return { passed: numPassedTests, failed: numFailedTests, firstFailure: failure?.fullName };
  }
}

/** Whether it ended by itself. */
function ended(args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: MAX_RUN_MS, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 }, (error) => {
      resolve(error === null || error.killed !== true);
    });
  });
}
