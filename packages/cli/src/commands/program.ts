import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { inertText, quoted } from '../runtime/inert-text.ts';
import { OutputError } from '../runtime/output-error.ts';
import { UsageError } from '../runtime/usage-error.ts';
import { withBareValues } from './flag-options.ts';
import { runCommand } from './run.ts';
import { RUN_FLAGS } from './run-flags.ts';

const WRONG_USAGE = 2;
const OUTPUT_FAILED = 3;
const MANIFEST = new URL('../../package.json', import.meta.url);

/** Runs a command line, without the names of node and the program, and resolves to its exit code. What the user has to mend is one line. */
export async function runProgram(words: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = new Command('keelson')
    .description('Makes a hundred thousand unreliable calls and loses none.')
    .version((JSON.parse(readFileSync(MANIFEST, 'utf8')) as { version: string }).version)
    .addCommand(runCommand((code) => (exitCode = code)))
    .allowExcessArguments()
    .action((_options: object, { args: [name] }: Command) => {
      throw new UsageError(name === undefined ? 'a command is missing; see keelson --help' : `unknown command ${quoted(name)}`);
    });
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .showSuggestionAfterError(false)
      .configureOutput({ outputError: () => {} });
  }
  try {
    await program.parseAsync(withBareValues(words, RUN_FLAGS), { from: 'user' });
    return exitCode;
  } catch (error) {
    return explain(error);
  }
}

/** Says what went wrong, and resolves to the exit code. Anything that is no fault of the user's or of the disk's is ours, and thrown on. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0; // help or version was shown
    complain(error.message.replace(/^error: /, ''));
    return WRONG_USAGE;
  }
  if (error instanceof UsageError || error instanceof OutputError) {
    complain(error.message);
    return error instanceof UsageError ? WRONG_USAGE : OUTPUT_FAILED;
  }
  throw error;
}

function complain(message: string): void {
  process.stderr.write(`keelson: ${inertText(message)}\n`);
}
