// The same loop with a line of result for each call, durable before its slot is free, lines that come together written together:
//   node journaled-loop.ts URLS CONCURRENCY RESULTS
import { open } from 'node:fs/promises';
import { type Called, callAll } from './undici-loop.ts';

const [file = '', concurrency = '', results = ''] = process.argv.slice(2);
/** As long as a fingerprint; a bare loop has none to make. */
const JOB = '0'.repeat(32);

const journal = await open(results, 'wx');
let gathering: string[] = [];
let written: Promise<void> | undefined;
let disk: Promise<void> = Promise.resolve();

async function writeGathered(): Promise<void> {
  const lines = gathering;
  gathering = [];
  written = undefined;
  await journal.write(lines.join(''));
  await journal.datasync();
}

function append({ line, status, body }: Called): Promise<void> {
  const entry = { v: 1, id: String(line), job: JOB, ok: true, status, attempts: 1, durationMs: 1, bytes: body.length, body };
  gathering.push(`${JSON.stringify(entry)}\n`);
  if (written === undefined) {
    written = disk.then(writeGathered);
    disk = written;
  }
  return written;
}

await callAll(file, Number(concurrency), append);
await journal.close();
