// Must-show 2 of the foundation: nothing is lost or done twice, whenever the run is killed and whatever happens to the input meanwhile.
import { seededRandom } from 'keelson';
import { describe, expect, test } from 'vitest';
import { Workplace } from './support/cli.ts';
import { echoPathLater, type Origin, startOrigin } from './support/origin.ts';

const SEED = 20_251_121;
const KILLS = 20;
const JOBS = 1200;
const CONCURRENCY = 8;
const RUN = ['run', 'jobs.txt', '--out', 'results.jsonl', '--resume', '--quiet', '--concurrency', String(CONCURRENCY)];

/** Starts a run and kills it when the origin has seen `calls` more requests. */
async function killAfter(calls: number, place: Workplace, origin: Origin): Promise<void> {
  const enough = origin.requests(origin.log.length + calls);
  const run = place.start(RUN);
  await Promise.race([enough, run.ended]);
  run.child.kill('SIGKILL');
  expect(await run.ended).toMatchObject({ signal: 'SIGKILL', stderr: '' });
}

test(`after kill -9 at ${KILLS} random points (seed ${SEED}) every job has one result, and no finished job was called again`, async () => {
  const random = seededRandom(SEED);
  await using origin = await startOrigin(echoPathLater);
  using place = new Workplace();
  place.write(
    'jobs.txt',
    Array.from({ length: JOBS }, (_, n) => `${origin.url}/job-${n + 1}`),
  );
  let repeats = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const before = origin.log.length;
    const finishedBefore = new Set(kill === 0 ? [] : place.results().map(({ id }) => `/job-${id}`));
    await killAfter(1 + Math.floor(random.next() * 80), place, origin);
    const called = origin.log.slice(before).map(({ path }) => path);
    expect(called.filter((path) => finishedBefore.has(path))).toEqual([]);
    const finished = new Set(place.results().map(({ id }) => `/job-${id}`));
    const lost = called.filter((path) => !finished.has(path));
    expect(lost.length).toBeLessThanOrEqual(CONCURRENCY);
    repeats += lost.length;
  }
  const { code, stderr } = await place.run(RUN);
  expect([code, stderr]).toEqual([0, '']);
  const results = place.results();
  expect(results.map(({ id, ok, body }) => [ok, body === `/job-${id}`]).every(([ok, right]) => ok && right)).toBe(true);
  expect(results.map(({ id }) => Number(id)).sort((a, b) => a - b)).toEqual(Array.from({ length: JOBS }, (_, n) => n + 1));
  expect(origin.log.length - JOBS).toBe(repeats);
});

describe.concurrent('an input that changes between kill and resume', () => {
  const urls = (origin: Origin, names: string): string[] => names.split(' ').map((name) => `${origin.url}/${name}`);
  const rows = (origin: Origin, names: string): object[] => names.split(' ').map((name) => ({ id: name[0], url: `${origin.url}/${name}` }));
  const served = (place: Workplace): Record<string, string | undefined> =>
    Object.fromEntries(place.results().map(({ id, body }) => [id, body]));
  const resume = (place: Workplace, flag = '--resume'): ReturnType<Workplace['run']> =>
    place.run(['run', 'jobs.txt', '--out', 'results.jsonl', flag, '--quiet']);

  test.each([
    ['inserted', 'a b x c d', 3, 'x c d'],
    ['deleted', 'a c d', 2, 'c d'],
    ['swapped', 'a c b d', 2, 'c b'],
    ['edited', 'a b c2 d', 3, 'c2'],
  ])('a line that is %s where ids are line numbers is refused by name, and called again if asked', async (_, changed, line, again) => {
    await using origin = await startOrigin();
    using place = new Workplace();
    place.write('jobs.txt', urls(origin, 'a b c d'));
    expect((await resume(place)).code).toBe(0);
    place.write('jobs.txt', urls(origin, changed));
    const calls = origin.log.length;
    const refused = await resume(place);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      new RegExp(`^keelson: jobs.txt:${line}: the job differs from the one that results.jsonl has a result of under the id "${line}"`),
    );
    expect(refused.stderr.trimEnd()).not.toContain('\n');
    expect(origin.log.length).toBe(calls);
    expect((await resume(place, '--resume=changed')).code).toBe(0);
    expect(
      origin.log
        .slice(calls)
        .map(({ path }) => path.slice(1))
        .sort(),
    ).toEqual(again.split(' ').sort());
    const names = changed.split(' ');
    expect(served(place)).toMatchObject(Object.fromEntries(names.map((name, n) => [String(n + 1), `/${name}`])));
  });

  test.each([
    ['inserted', 'a b x c d', 'x'],
    ['deleted', 'a c d', ''],
    ['swapped', 'a c b d', ''],
    ['appended', 'a b c d e', 'e'],
  ])('a line that is %s where jobs have ids costs no other job anything', async (_, changed, again) => {
    await using origin = await startOrigin();
    using place = new Workplace();
    place.write('jobs.txt', rows(origin, 'a b c d'));
    expect((await resume(place)).code).toBe(0);
    place.write('jobs.txt', rows(origin, changed));
    const calls = origin.log.length;
    expect((await resume(place)).code).toBe(0);
    expect(
      origin.log
        .slice(calls)
        .map(({ path }) => path.slice(1))
        .join(' '),
    ).toBe(again);
    for (const name of changed.split(' ')) expect(served(place)[name]).toBe(`/${name}`);
  });

  test('a line that is edited where jobs have ids is refused by name', async () => {
    await using origin = await startOrigin();
    using place = new Workplace();
    place.write('jobs.txt', rows(origin, 'a b c'));
    await resume(place);
    place.write('jobs.txt', rows(origin, 'a b2 c'));
    const { code, stderr } = await resume(place);
    expect([code, stderr]).toEqual([
      2,
      'keelson: jobs.txt:2: the job differs from the one that results.jsonl has a result of under the id "b"; --resume=changed calls it again\n',
    ]);
  });
});

test('--retry-failed calls the jobs again that have failed, and the last line wins', async () => {
  await using origin = await startOrigin(({ path }, response, nth) => {
    response.statusCode = path === '/b' && nth === 1 ? 404 : 200;
    response.end(path);
  });
  using place = new Workplace();
  place.write('jobs.txt', [`${origin.url}/a`, `${origin.url}/b`]);
  const words = ['run', 'jobs.txt', '--out', 'results.jsonl', '--quiet'];
  expect((await place.run(words)).code).toBe(1);
  expect((await place.run([...words, '--resume'])).code).toBe(1);
  expect(origin.log.length).toBe(2);
  expect((await place.run([...words, '--resume', '--retry-failed'])).code).toBe(0);
  expect(place.results().map(({ id, ok }) => [id, ok])).toEqual([
    ['1', true],
    ['2', false],
    ['2', true],
  ]);
  expect((await place.run([...words, '--resume', '--retry-failed'])).code).toBe(0);
  expect(origin.log.map(({ path }) => path)).toEqual(['/a', '/b', '/b']);
});

test('a torn last line is mended, and its job called again', async () => {
  await using origin = await startOrigin();
  using place = new Workplace();
  place.write('jobs.txt', [`${origin.url}/a`, `${origin.url}/b`]);
  const words = ['run', 'jobs.txt', '--out', 'results.jsonl', '--concurrency', '1'];
  await place.run(words);
  const whole = place.read('results.jsonl');
  place.write('results.jsonl', whole.slice(0, -20));
  const { code, stderr } = await place.run([...words, '--resume']);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^results\.jsonl: cut off \d+ bytes of a result that was not written to its end\n/);
  expect(place.results().map(({ id }) => id)).toEqual(['1', '2']);
  expect(origin.log.map(({ path }) => path)).toEqual(['/a', '/b', '/b']);
});
