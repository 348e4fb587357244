// Two origins of a hundred are dead, one that accepts and never answers and one that refuses: the other 98 take no longer than without them.
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from '../../../scripts/services/free-port.ts';
import { Workplace } from './support/cli.ts';

const LIVE = 98;
/** Jobs of each live origin, and of each dead one. */
const JOBS_EACH = 40;
const DEAD_JOBS_EACH = 80;
const ROUNDS = 2;
const SERVICE_MS = 40;
const CONCURRENCY = 64;
const FAILURE_THRESHOLD = 5;
const TIMEOUT_MS = 1_000;
const RUN = [
  'run',
  'jobs.txt',
  '--concurrency',
  `${CONCURRENCY}`,
  '--timeout',
  `${TIMEOUT_MS}ms`,
  '--give-up-after',
  '3s',
  '--json',
  '--quiet',
];
/** Measured times are those of a busy machine; where dead origins keep their slots, the others take twice as long. */
const MOST_TIMES_AS_LONG = 1.5;

async function listen<S extends Server>(server: S): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** So many origins in this process that all answer after the same time, and when they did. */
class LiveOrigins {
  readonly urls: string[] = [];
  #firstMs = 0;
  #lastMs = 0;
  #answered = 0;

  async start(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const server = createHttpServer((_, response) => {
        if (this.#answered === 0 && this.#firstMs === 0) this.#firstMs = performance.now();
        setTimeout(() => response.end('ok', () => this.#count()), SERVICE_MS);
      });
      this.urls.push(await listen(server.unref()));
    }
  }

  #count(): void {
    this.#answered++;
    this.#lastMs = performance.now();
  }

  /** From the first request to the last answer, and how many answers, since the last time this was asked. */
  take(): { readonly answered: number; readonly durationMs: number } {
    const taken = { answered: this.#answered, durationMs: this.#lastMs - this.#firstMs };
    this.#answered = 0;
    this.#firstMs = 0;
    return taken;
  }
}

/** The jobs of all origins mixed: one of each that lives, then as many of the dead as are their share. */
function jobsFor(live: readonly string[], dead: readonly string[]): string[] {
  const share = Array.from({ length: DEAD_JOBS_EACH / JOBS_EACH }, () => dead).flat();
  return Array.from({ length: JOBS_EACH }, (_, n) => [...live, ...share].map((url) => `${url}/${n}`)).flat();
}

test(`dead origins among ${LIVE} others keep no slots`, async () => {
  let silentConnections = 0;
  const silent = createServer((socket) => {
    silentConnections++;
    socket.on('error', () => socket.destroy());
  }).unref();
  const dead = [await listen(silent), `http://127.0.0.1:${await freePort()}`];
  const live = new LiveOrigins();
  await live.start(LIVE);
  using place = new Workplace();

  const run = async (dead: readonly string[], name: string): Promise<{ durationMs: number; summary: unknown }> => {
    place.write('jobs.txt', jobsFor(live.urls, dead));
    const { stdout } = await place.run([...RUN, '--out', name]);
    const { answered, durationMs } = live.take();
    expect(answered).toBe(LIVE * JOBS_EACH);
    return { durationMs, summary: JSON.parse(stdout) };
  };
  const alone: number[] = [];
  const together: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    alone.push((await run([], `alone-${round}.jsonl`)).durationMs);
    silentConnections = 0;
    const { durationMs, summary } = await run(dead, `together-${round}.jsonl`);
    together.push(durationMs);
    expect(summary).toMatchObject({ done: LIVE * JOBS_EACH, failed: dead.length * DEAD_JOBS_EACH });
    // What had begun before the first timeout, and no more.
    expect(silentConnections).toBeGreaterThanOrEqual(FAILURE_THRESHOLD);
    expect(silentConnections).toBeLessThanOrEqual(CONCURRENCY);
  }
  const ratio = Math.min(...together) / Math.min(...alone);
  console.log(`the others took ${ratio.toFixed(2)} times as long: ${together.map(Math.round)} ms against ${alone.map(Math.round)} ms`);
  expect(ratio).toBeLessThan(MOST_TIMES_AS_LONG);
});
