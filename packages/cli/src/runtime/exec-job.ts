import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { LineFault } from './columns.ts';
import { quoted } from './inert-text.ts';
import type { ExecJob, MakeJob } from './job.ts';
import { splitCommand } from './split-command.ts';
import { asText, Template } from './template.ts';
import { UsageError } from './usage-error.ts';

/** Makes jobs that run a command: it is split into words once, and what a line says becomes whole arguments or parts of one. */
export function execJobs(command: string): MakeJob {
  const [file, ...words] = splitCommand(command);
  if (file === undefined) throw new UsageError('--exec: the command is empty');
  if (!new Template(file, asText).isFixed) throw new UsageError('--exec: the command itself must not come from the input');
  if (!isExecutable(file)) throw new UsageError(`--exec: there is no command ${quoted(file)}`);
  const args = words.map((word) => new Template(word, asText));
  return (id, columns): ExecJob => {
    const filled = args.map((template) => template.fill(columns));
    if (filled.some((arg) => arg.includes('\0'))) throw new LineFault('an argument would hold a NUL character');
    return { kind: 'exec', id, argv: [file, ...filled] };
  };
}

function isExecutable(file: string): boolean {
  const candidates = file.includes('/') ? [file] : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, file));
  return candidates.some((path) => {
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false; // not here: the next folder
    }
  });
}
