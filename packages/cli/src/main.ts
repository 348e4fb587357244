#!/usr/bin/env node
import { runProgram } from './commands/program.ts';
import { afterAtMost } from './runtime/host-time.ts';

// Whoever reads our output may go away (`| head`); the run goes on.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const UNFINISHED = 1;
/** How long whatever a module of the user's has left open may keep the process. */
const CLOSING_MS = 500;

process.exitCode = UNFINISHED; // should nothing be left to wait for before the end, as with a module whose loading never ends
void runProgram(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
  afterAtMost(CLOSING_MS, () => process.exit());
});
