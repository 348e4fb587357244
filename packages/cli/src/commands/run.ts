import { Command } from 'commander';
import { type RunScreen, runJobs } from '../operations/run-jobs.ts';
import { type RunReport, type RunSummary, summarize, summaryTable } from '../operations/run-report.ts';
import { inertText } from '../runtime/inert-text.ts';
import { Progress } from '../runtime/progress.ts';
import { StopSignals } from '../runtime/stop-signals.ts';
import { addFlags, flagValues } from './flag-options.ts';
import { RUN_FLAGS, type RunFlagValues } from './run-flags.ts';
import { settleRun } from './settle-run.ts';

const ALL_DONE = 0;
const SOME_FAILED = 1;

/** The command `keelson run`; `finish` gets its exit code. */
export function runCommand(finish: (exitCode: number) => void): Command {
  const command = new Command('run')
    .summary('make many unreliable calls and lose none')
    .description(
      'Makes the call of every line of INPUT, and writes one line of result for each to --out, which is also the journal to resume from.',
    )
    .argument('<INPUT>', 'file of URLs, of JSON Lines {id?, method?, url, headers?, body?}, or of CSV, maybe as gzip; - for stdin')
    .configureHelp({ optionTerm: ({ flags }) => flags.replace(' [', '[=') })
    .addHelpText(
      'after',
      '\nExit codes: 0 all done, 1 some failed or left out, 2 usage or input, 3 output failed, 130 or 143 stopped by a signal.',
    );
  return addFlags(command, RUN_FLAGS).action(async (input: string) => {
    finish(await run(input, flagValues<RunFlagValues>(command, RUN_FLAGS)));
  });
}

async function run(input: string, flags: RunFlagValues): Promise<number> {
  const settings = await settleRun(input, flags, process.env);
  using signals = new StopSignals(settings.drainMs);
  try {
    const report = await runJobs(settings, signals, screenOf(flags));
    show(report, flags);
    if (report.outputError !== undefined) throw report.outputError;
    return signals.exitCode ?? exitCodeOf(summarize(report));
  } catch (error) {
    if (signals.exitCode !== undefined && error === signals.draining.reason) return signals.exitCode; // before the first call
    throw error;
  }
}

/** Progress and notes go to standard error, so that standard output holds nothing but the summary. */
function screenOf({ quiet }: RunFlagValues): RunScreen {
  if (quiet === true) return { note: () => {}, watch: () => ({ [Symbol.dispose]: () => {} }) };
  return {
    note: (text) => process.stderr.write(`${inertText(text)}\n`),
    watch: (facts) => new Progress(facts, process.stderr),
  };
}

function show(report: RunReport, { json, quiet }: RunFlagValues): void {
  const summary = summarize(report);
  if (json === true) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else if (quiet !== true) process.stdout.write(`${summaryTable(summary)}\n`);
}

function exitCodeOf({ failed, skippedLines }: RunSummary): number {
  return failed + skippedLines === 0 ? ALL_DONE : SOME_FAILED;
}
