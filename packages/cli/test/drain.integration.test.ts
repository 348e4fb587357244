// Must-show 3 of the foundation: a signal drains, a second one stops at once, and the journal is whole either way.
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Ended, type Running, Workplace } from './support/cli.ts';
import { type Answer, startOrigin } from './support/origin.ts';
import { isAlive } from './support/processes.ts';

const CONCURRENCY = 4;
const JOBS = 40;
const RUN = ['run', 'jobs.txt', '--out', 'results.jsonl', '--quiet', '--concurrency', String(CONCURRENCY)];
const LATER_MS = 300;

const slowly: Answer = ({ path }, response) => void setTimeout(() => response.end(path), LATER_MS);
const never: Answer = () => {};

interface Drained extends Ended {
  readonly elapsedMs: number;
}

/** Ends a run with signals, `gapMs` apart, and says how long it then took. */
async function signalled(run: Running, signals: readonly NodeJS.Signals[], gapMs = 150): Promise<Drained> {
  const startMs = performance.now();
  for (const [index, signal] of signals.entries()) {
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, gapMs));
    run.child.kill(signal);
  }
  return { ...(await run.ended), elapsedMs: performance.now() - startMs };
}

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s', (signal, exitCode) => {
  test('lets running calls finish, begins no other, and the rest is done on resume', async () => {
    await using origin = await startOrigin(slowly);
    using place = new Workplace();
    place.write(
      'jobs.txt',
      Array.from({ length: JOBS }, (_, n) => `${origin.url}/${n + 1}`),
    );
    const run = place.start(RUN);
    await origin.requests(2 * CONCURRENCY);
    const called = origin.log.length;
    const { code, stderr } = await signalled(run, [signal]);
    expect([code, stderr]).toEqual([exitCode, '']);
    expect(origin.log.length).toBe(called);
    expect(place.results().length).toBe(called);
    expect(place.results().every(({ ok }) => ok)).toBe(true);
    expect((await place.run([...RUN, '--resume'])).code).toBe(0);
    expect(origin.log.length).toBe(JOBS);
  });

  test('begins no retry: a job that would need one has no result yet', async () => {
    await using origin = await startOrigin((_, response) => {
      setTimeout(() => response.writeHead(503, { 'retry-after': '1' }).end(), LATER_MS);
    });
    using place = new Workplace();
    place.write('jobs.txt', [`${origin.url}/a`, `${origin.url}/b`]);
    const run = place.start(RUN);
    await origin.requests(2);
    const { code, elapsedMs } = await signalled(run, [signal]);
    expect(code).toBe(exitCode);
    expect(elapsedMs).toBeLessThan(LATER_MS + 900);
    expect(origin.log.length).toBe(2);
    expect(place.results()).toEqual([]);
  });

  test('ends a wait for a retry at once', async () => {
    await using origin = await startOrigin((_, response) => void response.writeHead(503, { 'retry-after': '20' }).end());
    using place = new Workplace();
    place.write('jobs.txt', [`${origin.url}/a`]);
    const run = place.start(RUN);
    await origin.requests(1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { code, elapsedMs } = await signalled(run, [signal]);
    expect(code).toBe(exitCode);
    expect(elapsedMs).toBeLessThan(2000);
    expect(place.results()).toEqual([]);
  });

  test('ends what still runs after --drain', async () => {
    await using origin = await startOrigin(never);
    using place = new Workplace();
    place.write('jobs.txt', [`${origin.url}/a`, `${origin.url}/b`]);
    const run = place.start([...RUN, '--drain', '400ms', '--timeout', '30s']);
    await origin.requests(2);
    const { code, elapsedMs } = await signalled(run, [signal]);
    expect(code).toBe(exitCode);
    expect(elapsedMs).toBeGreaterThan(390);
    expect(elapsedMs).toBeLessThan(3000);
    expect(place.results()).toEqual([]);
  });

  test('stops at once with --drain 0', async () => {
    await using origin = await startOrigin(never);
    using place = new Workplace();
    place.write('jobs.txt', [`${origin.url}/a`, `${origin.url}/b`]);
    const run = place.start([...RUN, '--drain', '0', '--timeout', '1h']);
    await origin.requests(2);
    const { code, stderr, elapsedMs } = await signalled(run, [signal]);
    expect([code, stderr]).toEqual([exitCode, '']);
    expect(elapsedMs).toBeLessThan(2500);
    expect(place.results()).toEqual([]);
  });

  test('twice stops at once', async () => {
    await using origin = await startOrigin(never);
    using place = new Workplace();
    place.write('jobs.txt', [`${origin.url}/a`, `${origin.url}/b`]);
    const run = place.start([...RUN, '--drain', '1h', '--timeout', '1h']);
    await origin.requests(2);
    const { code, elapsedMs } = await signalled(run, [signal, signal]);
    expect(code).toBe(exitCode);
    expect(elapsedMs).toBeLessThan(2500);
  });
});

test('a wait for an origin that is down ends at once', async () => {
  await using origin = await startOrigin((_, response) => void response.destroy());
  using place = new Workplace();
  place.write('policy.yaml', 'circuitBreaker: { failureThreshold: 1, recoveryTimeout: 1h }');
  place.write('jobs.txt', [`${origin.url}/a`, `${origin.url}/b`]);
  const run = place.start([...RUN, '--policy', 'policy.yaml']);
  await origin.requests(1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { code, elapsedMs } = await signalled(run, ['SIGINT']);
  expect(code).toBe(130);
  expect(elapsedMs).toBeLessThan(2000);
  expect(place.results()).toEqual([]);
});

test('two deliveries of one Ctrl-C, as under npm, are one', async () => {
  await using origin = await startOrigin(slowly);
  using place = new Workplace();
  place.write('jobs.txt', [`${origin.url}/a`, `${origin.url}/b`]);
  const run = place.start(RUN);
  await origin.requests(2);
  const { code } = await signalled(run, ['SIGINT', 'SIGINT'], 5);
  expect(code).toBe(130);
  expect(place.results().length).toBe(2);
});

test('commands are drained too, and none is left behind after a stop', async () => {
  using place = new Workplace();
  place.write('jobs.txt', ['{}', '{}']);
  const command = "sh -c 'echo $$ > pid-{id}; exec sleep 20'";
  const run = place.start([
    'run',
    'jobs.txt',
    '--out',
    'results.jsonl',
    '--quiet',
    '--exec',
    command,
    '--timeout',
    '30s',
    '--drain',
    '200ms',
  ]);
  const pids = (): number[] => ['pid-1', 'pid-2'].map((name) => (existsSync(place.path(name)) ? Number(place.read(name)) : 0));
  await expect.poll(() => pids().every((pid) => pid > 0 && isAlive(pid)), { timeout: 10_000 }).toBe(true);
  expect((await signalled(run, ['SIGINT'])).code).toBe(130);
  await expect.poll(() => pids().filter(isAlive), { timeout: 5000 }).toEqual([]);
});
