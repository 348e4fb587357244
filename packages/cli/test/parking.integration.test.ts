// A dead origin costs the others nothing: its jobs are parked, unstarted and without a slot, until it is up again or they give up.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { type Result, Workplace } from './support/cli.ts';
import { startOrigin } from './support/origin.ts';

const ORIGINS = 100;
const CONCURRENCY = 8;
const RUN = [
  'run',
  'jobs.txt',
  '--out',
  'results.jsonl',
  '--concurrency',
  String(CONCURRENCY),
  '--policy',
  'policy.yaml',
  '--base-delay',
  '1ms',
];
const DEAD = 'localhost';

/** One server that is many origins: any name of the loopback network is one, and `localhost` is down. */
async function startOrigins(): Promise<{ server: Server; port: number; calls: Map<string, number> } & AsyncDisposable> {
  const calls = new Map<string, number>();
  const server = createServer((request, response) => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    calls.set(host, (calls.get(host) ?? 0) + 1);
    if (host === DEAD) response.destroy();
    else response.end(host);
  });
  server.listen(0, '0.0.0.0');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    server,
    port: (server.address() as AddressInfo).port,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const isDead = (jobs: readonly string[], { id }: Result): boolean => (jobs[Number(id) - 1] ?? '').includes(DEAD);

test.each([
  ['first', (dead: string[], others: string[]) => [...dead, ...others]],
  ['in between', (dead: string[], others: string[]) => others.flatMap((url, n) => (n < dead.length ? [dead[n] ?? '', url] : [url]))],
])('one dead origin of 100, its jobs %s, does not slow the others', async (_, arrange) => {
  await using origins = await startOrigins();
  using place = new Workplace();
  place.write('policy.yaml', 'circuitBreaker: { failureThreshold: 3, recoveryTimeout: 30s }\ngiveUpAfter: 6s\n');
  const dead = Array.from({ length: 300 }, (_value, n) => `http://${DEAD}:${origins.port}/${n}`);
  const others = Array.from({ length: (ORIGINS - 1) * 5 }, (_value, n) => `http://127.0.0.${(n % (ORIGINS - 1)) + 2}:${origins.port}/${n}`);
  const jobs = arrange(dead, others);
  place.write('jobs.txt', jobs);
  const run = place.start([...RUN, '--json']);
  const started = performance.now();
  const doneOthers = (): number => place.results().filter((result) => result.ok).length;
  await expect.poll(() => existsWith(place) && doneOthers(), { timeout: 5500, interval: 50 }).toBe(others.length);
  expect(performance.now() - started).toBeLessThan(6000); // not one of the dead has been waited for
  expect(place.results().filter((result) => isDead(jobs, result))).toEqual([]);

  const { code, stdout } = await run.ended;
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ done: others.length, failed: dead.length, failures: { ERR_GAVE_UP: dead.length } });
  const failed = place.results().filter((result) => isDead(jobs, result));
  expect(new Set(failed.map(({ error }) => error?.message))).toEqual(
    new Set([`gave up after 6s: the breaker of http://${DEAD}:${origins.port} lets no call through`]),
  );
  expect(failed.filter(({ attempts }) => attempts === 0).length).toBeGreaterThanOrEqual(dead.length - CONCURRENCY);
  expect(origins.calls.get(DEAD)).toBeLessThanOrEqual(CONCURRENCY);
});

function existsWith(place: Workplace): boolean {
  try {
    place.read('results.jsonl');
    return true;
  } catch {
    return false; // not yet
  }
}

test('parked jobs are called when their origin is up again, in the order of the input', async () => {
  let isUp = false;
  await using origin = await startOrigin(({ path }, response) => {
    if (isUp) response.end(path);
    else response.destroy();
  });
  using place = new Workplace();
  place.write('policy.yaml', 'circuitBreaker: { failureThreshold: 2, recoveryTimeout: 500ms }\n');
  const jobs = Array.from({ length: 400 }, (_, n) => `${origin.url}/${n + 1}`);
  place.write('jobs.txt', jobs);
  const run = place.start([...RUN, '--quiet', '--max-attempts', '50']);
  await origin.requests(6);
  isUp = true;
  const { code, stderr } = await run.ended;
  expect([code, stderr]).toEqual([0, '']);
  expect(place.results().every(({ id, ok, body }) => ok && body === `/${id}`)).toBe(true);
  expect(new Set(place.results().map(({ id }) => id)).size).toBe(jobs.length);
  // Connections may overtake each other on their way to the origin, but no further than there are slots.
  const begun = [...new Set(origin.log.map(({ path }) => Number(path.slice(1))))];
  expect(begun.filter((n, place) => Math.abs(n - (place + 1)) > 2 * CONCURRENCY)).toEqual([]);
});

test('parked jobs are left at a signal and called on resume', async () => {
  let isUp = false;
  await using origin = await startOrigin(({ path }, response) => {
    if (isUp) response.end(path);
    else response.destroy();
  });
  using place = new Workplace();
  place.write('policy.yaml', 'circuitBreaker: { failureThreshold: 2, recoveryTimeout: 1h }\ngiveUpAfter: 1h\n');
  place.write(
    'jobs.txt',
    Array.from({ length: 100 }, (_, n) => `${origin.url}/${n + 1}`),
  );
  const run = place.start([...RUN, '--quiet']);
  await origin.requests(2);
  await new Promise((resolve) => setTimeout(resolve, 300));
  run.child.kill('SIGINT');
  expect((await run.ended).code).toBe(130);
  expect(place.results()).toEqual([]);
  isUp = true;
  expect((await place.run([...RUN, '--quiet', '--resume'])).code).toBe(0);
  expect(place.results().length).toBe(100);
});
