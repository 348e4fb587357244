// --ordered: results stand in the order of the input, whatever happens meanwhile.
import { seededRandom } from 'keelson';
import { describe, expect, test } from 'vitest';
import { Workplace } from './support/cli.ts';
import { echoPathLater, startOrigin } from './support/origin.ts';

const RUN = ['run', 'jobs.txt', '--out', 'results.jsonl', '--quiet', '--ordered', '--resume', '--concurrency'];
const SEED = 4711;
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

test(`stays in order and repeats at most one call a slot through kill -9 at random points (seed ${SEED})`, async () => {
  const CONCURRENCY = 8;
  const JOBS = 400;
  const random = seededRandom(SEED);
  await using origin = await startOrigin(echoPathLater);
  using place = new Workplace();
  place.write(
    'jobs.txt',
    upTo(JOBS).map((n) => `${origin.url}/job-${n}`),
  );
  for (let kill = 0; kill < 8; kill++) {
    const before = origin.log.length;
    const written = kill === 0 ? 0 : place.results().length;
    const enough = origin.requests(before + 1 + Math.floor(random.next() * 60));
    const run = place.start([...RUN, String(CONCURRENCY)]);
    await Promise.race([enough, run.ended]);
    run.child.kill('SIGKILL');
    await run.ended;
    const results = place.results();
    expect(results.map(({ id }) => Number(id))).toEqual(upTo(results.length));
    const called = origin.log.slice(before).length;
    expect(called - (results.length - written)).toBeLessThanOrEqual(CONCURRENCY);
  }
  expect((await place.run([...RUN, String(CONCURRENCY)])).code).toBe(0);
  expect(place.results().map(({ id, ok, body }) => [id, ok, body])).toEqual(upTo(JOBS).map((n) => [`${n}`, true, `/job-${n}`]));
});

test('a slow job lets no more jobs begin than there are slots', async () => {
  let answerFirst: () => void = () => {};
  await using origin = await startOrigin(({ path }, response) => {
    if (path === '/1') answerFirst = () => response.end(path);
    else response.end(path);
  });
  using place = new Workplace();
  place.write(
    'jobs.txt',
    upTo(20).map((n) => `${origin.url}/${n}`),
  );
  const run = place.start([...RUN, '4', '--timeout', '30s']);
  await origin.requests(4);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect([origin.log.length, place.results().length]).toEqual([4, 0]);
  answerFirst();
  expect((await run.ended).code).toBe(0);
  expect(place.results().map(({ id }) => Number(id))).toEqual(upTo(20));
});

describe('a job that has no result', () => {
  test('lets none stand behind it after a drain, and the order holds on resume', async () => {
    let isUp = false;
    await using origin = await startOrigin(({ path }, response) => {
      if (path === '/2' && !isUp) response.writeHead(503, { 'retry-after': '20' }).end();
      else response.end(path);
    });
    using place = new Workplace();
    place.write(
      'jobs.txt',
      upTo(10).map((n) => `${origin.url}/${n}`),
    );
    const run = place.start([...RUN, '4']);
    await origin.requests(5);
    await new Promise((resolve) => setTimeout(resolve, 200));
    run.child.kill('SIGINT');
    expect((await run.ended).code).toBe(130);
    expect(place.results().map(({ id }) => id)).toEqual(['1']);
    isUp = true;
    expect((await place.run([...RUN, '4'])).code).toBe(0);
    expect(place.results().map(({ id }) => Number(id))).toEqual(upTo(10));
  });

  test('fails in its place where its origin stays down', async () => {
    await using up = await startOrigin();
    await using down = await startOrigin((_, response) => void response.destroy());
    using place = new Workplace();
    place.write('policy.yaml', 'circuitBreaker: { failureThreshold: 1, recoveryTimeout: 30s }\ngiveUpAfter: 500ms\n');
    place.write(
      'jobs.txt',
      upTo(12).map((n) => `${n % 3 === 0 ? down.url : up.url}/${n}`),
    );
    expect((await place.run([...RUN, '2', '--policy', 'policy.yaml', '--base-delay', '1ms'])).code).toBe(1);
    expect(place.results().map(({ id, ok }) => [Number(id), ok])).toEqual(upTo(12).map((n) => [n, n % 3 !== 0]));
  });
});
