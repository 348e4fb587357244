#!/usr/bin/env node
import { runProgram } from './commands/program.ts';

// Whoever reads our output may go away (`| head`); the run goes on.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

void runProgram(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
