import { readFileSync } from 'node:fs';
import { request } from 'undici';

/** What a bare loop knows of one call. */
export interface Called {
  /** Number of its line, from 1. */
  readonly line: number;
  readonly status: number;
  readonly body: string;
}

/** The least that calls every URL of a file, `concurrency` at a time; each slot waits for `finish`, where there is something to wait for. */
export async function callAll(file: string, concurrency: number, finish?: (called: Called) => Promise<void>): Promise<void> {
  const urls = readFileSync(file, 'utf8').trimEnd().split('\n');
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < urls.length) {
      const line = ++next;
      const { statusCode, body } = await request(urls[line - 1] ?? '');
      const called = { line, status: statusCode, body: await body.text() };
      if (finish !== undefined) await finish(called);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}
