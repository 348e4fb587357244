// The main job of the foundation: what comes in, what comes out, and what faults do to it.
import { createHash } from 'node:crypto';
import { seededRandom } from 'keelson';
import { describe, expect, test } from 'vitest';
import { type Result, Workplace } from './support/cli.ts';
import { type Answer, startOrigin } from './support/origin.ts';
import { isAlive } from './support/processes.ts';

const RUN = ['run', 'jobs.jsonl', '--out', 'results.jsonl'];
const QUIET = [...RUN, '--quiet'];

const byId = (place: Workplace): Result[] => place.results().sort((a, b) => Number(a.id) - Number(b.id));

describe.concurrent('a job', () => {
  test('sends what its line says, completed by templates', async () => {
    const bodies: string[] = [];
    await using origin = await startOrigin((_, response, __) => {
      response.req.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
      response.req.on('end', () => response.end('ok'));
    });
    using place = new Workplace();
    place.write('jobs.jsonl', [
      { name: 'a b&c', n: 1, headers: { 'X-Own': 'yes' } },
      { name: 'quote"', n: [2], method: 'PUT' },
    ]);
    const words = [
      '--url',
      `${origin.url}/{name}?n={n}`,
      '--body',
      '{"name":"{name}","n":{n}}',
      '--header',
      'x-name: {id}',
      '--concurrency',
      '1',
    ];
    const { code, stderr } = await place.run([...QUIET, ...words.map((word) => word.replace('?n={n}', ''))]);
    expect([code, stderr]).toEqual([0, '']);
    expect(origin.log.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /a%20b%26c', 'PUT /quote%22']);
    expect(origin.log.map(({ headers }) => [headers['x-name'], headers['x-own'], headers['content-type']])).toEqual([
      ['1', 'yes', 'application/json'],
      ['2', undefined, 'application/json'],
    ]);
    expect(bodies.map((body) => JSON.parse(body) as unknown)).toEqual([
      { name: 'a b&c', n: 1 },
      { name: 'quote"', n: [2] },
    ]);
  });

  test('has a line with status, attempts, time, size, hash and body', async () => {
    await using origin = await startOrigin(({ path }, response) => {
      response.statusCode = path === '/missing' ? 404 : 200;
      response.end(path === '/bytes' ? Buffer.of(0xff, 0x00) : `body of ${path}`);
    });
    using place = new Workplace();
    place.write(
      'jobs.jsonl',
      ['a', 'missing', 'bytes'].map((name) => `${origin.url}/${name}`),
    );
    expect((await place.run([...QUIET, '--hash', 'sha256'])).code).toBe(1);
    const [text, missing, bytes] = byId(place);
    const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
    expect(text).toEqual({
      v: 1,
      id: '1',
      job: expect.stringMatching(/^[0-9a-f]{32}$/),
      ok: true,
      status: 200,
      attempts: 1,
      durationMs: expect.any(Number),
      bytes: 10,
      hash: sha256('body of /a'),
      body: 'body of /a',
    });
    expect(missing).toMatchObject({
      ok: false,
      status: 404,
      attempts: 1,
      error: { code: 'ERR_HTTP_STATUS', message: 'answered 404 Not Found' },
    });
    expect(bytes).toMatchObject({ ok: true, bytes: 2, body: '/wA=', bodyEncoding: 'base64', hash: sha256(Buffer.of(0xff, 0x00)) });
  });

  test('keeps no more of a body than it may, and all of it in a file', async () => {
    const whole = 'x'.repeat(300_000);
    await using origin = await startOrigin((_, response) => response.end(whole));
    using place = new Workplace();
    place.write('jobs.jsonl', [{ id: 'big', url: origin.url }]);
    await place.run([...QUIET, '--max-body', '1kb']);
    expect(place.results()[0]).toMatchObject({ bytes: 300_000, body: 'x'.repeat(1024), truncated: true });
    await place.run(['run', 'jobs.jsonl', '--out', 'saved.jsonl', '--quiet', '--save', 'bodies']);
    expect(place.results('saved.jsonl')[0]).toMatchObject({ bytes: 300_000 });
    expect(place.results('saved.jsonl')[0]).not.toHaveProperty('body');
    expect(place.read('bodies/big')).toBe(whole);
  });

  test('R5: of a method that HTTP does not let be repeated is tried once, unless asked', async () => {
    await using origin = await startOrigin((_, response) => void response.writeHead(500).end());
    using place = new Workplace();
    place.write('jobs.jsonl', [{ method: 'POST', url: `${origin.url}/a` }]);
    const { stderr } = await place.run([...RUN, '--base-delay', '1ms']);
    expect(stderr).toContain(
      '1 job is tried only once, since HTTP does not let such a method be repeated unasked; --max-attempts 5 asks\n',
    );
    expect(place.results()[0]).toMatchObject({ ok: false, attempts: 1 });
    await place.run([...QUIET, '--resume', '--retry-failed', '--base-delay', '1ms', '--max-attempts', '3']);
    expect(place.results()[1]).toMatchObject({ ok: false, attempts: 3, error: { message: 'answered 500 Internal Server Error' } });
  });

  test('R2: waits for as long as the server asks, whatever its own longest wait is', async () => {
    const atMs: number[] = [];
    await using origin = await startOrigin((_, response, nth) => {
      atMs.push(performance.now());
      response.writeHead(nth === 1 ? 503 : 200, { 'retry-after': '1' }).end();
    });
    using place = new Workplace();
    place.write('jobs.jsonl', [origin.url]);
    expect((await place.run([...QUIET, '--max-delay', '5ms'])).code).toBe(0);
    expect((atMs[1] ?? 0) - (atMs[0] ?? 0)).toBeGreaterThan(990);
  });

  test('that is asked to wait for longer than it may fails with what it has', async () => {
    await using origin = await startOrigin((_, response) => void response.writeHead(503, { 'retry-after': '60' }).end());
    using place = new Workplace();
    place.write('jobs.jsonl', [origin.url]);
    expect((await place.run([...QUIET, '--give-up-after', '31s', '--max-delay', '1s'])).code).toBe(1);
    expect(place.results()[0]).toMatchObject({ ok: false, status: 503, attempts: 1 });
  });

  test('that is too slow for one attempt is tried again', async () => {
    await using origin = await startOrigin((_, response, nth) => {
      if (nth > 1) response.end('at last');
    });
    using place = new Workplace();
    place.write('jobs.jsonl', [origin.url]);
    expect((await place.run([...QUIET, '--timeout', '200ms', '--base-delay', '1ms'])).code).toBe(0);
    expect(place.results()[0]).toMatchObject({ ok: true, attempts: 2, body: 'at last' });
  });

  test('ends within --total-timeout', async () => {
    await using origin = await startOrigin(() => {});
    using place = new Workplace();
    place.write('jobs.jsonl', [origin.url]);
    expect((await place.run([...QUIET, '--timeout', '30s', '--total-timeout', '300ms'])).code).toBe(1);
    expect(place.results()[0]).toMatchObject({ ok: false, attempts: 1, error: { code: 'ERR_TIMEOUT' } });
  });

  test('cannot smuggle anything onto a screen', async () => {
    await using origin = await startOrigin((_, response) => response.end('\u001b[31mred\u009b2J'));
    using place = new Workplace();
    place.write('jobs.jsonl', [{ id: '\u001b]0;title\u0007', url: origin.url }, '\u001b[2J']);
    const { stderr } = await place.run([...RUN, '--on-bad-line', 'skip']);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test is about control characters
    expect(stderr + place.read('results.jsonl')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(place.results()[0]).toMatchObject({ id: '\u001b]0;title\u0007', body: '\u001b[31mred\u009b2J' });
  });
});

describe.concurrent('a secret (F3)', () => {
  test('from the environment reaches the origin and nothing else', async () => {
    await using origin = await startOrigin(({ headers, path }, response) => {
      response.statusCode = path === '/fail' ? 400 : 200;
      response.end(JSON.stringify(headers));
    });
    using place = new Workplace();
    place.write('jobs.jsonl', [`${origin.url}/echo`, `${origin.url}/fail`, 'http://127.0.0.1:1/refused']);
    const words = [...RUN, '--header-env', 'authorization=TOKEN', '--max-attempts', '1'];
    const { stdout, stderr } = await place.run(words, { environment: { TOKEN: 'Bearer s3cret-token' } });
    expect(origin.log.map(({ headers }) => headers.authorization)).toEqual(['Bearer s3cret-token', 'Bearer s3cret-token']);
    expect(stdout + stderr + place.read('results.jsonl')).not.toContain('s3cret');
    expect(JSON.parse(byId(place)[0]?.body ?? '')).toMatchObject({ authorization: '***' });
    const again = await place.run([...words, '--resume', '--quiet'], { environment: { TOKEN: 'Bearer a-newer-token' } });
    expect(again.stderr).toBe(''); // a new token makes no new job
  });

  test('in a URL is in no error', async () => {
    using place = new Workplace();
    place.write('jobs.jsonl', ['http://user:s3cret@127.0.0.1:1/x?token=s3cret']);
    const { stdout, stderr } = await place.run([...RUN, '--max-attempts', '1']);
    expect(stdout + stderr + place.read('results.jsonl')).not.toContain('s3cret');
    expect(place.results()[0]).toMatchObject({ ok: false, error: { code: 'ECONNREFUSED' } });
  });
});

describe.concurrent('a command', () => {
  const node = (script: string): string => `${process.execPath} -e '${script}'`;

  test('is a success with its output as the body, or a failure with the end of what it complained', async () => {
    using place = new Workplace();
    place.write('jobs.jsonl', [{ code: 0 }, { code: 3 }]);
    const script = 'console.log("out"); console.error("\\u001b[31mwhy"); process.exit(Number(process.argv[1]))';
    const { code } = await place.run([...QUIET, '--max-attempts', '2', '--base-delay', '1ms', '--exec', `${node(script)} {code}`]);
    expect(code).toBe(1);
    expect(byId(place)).toMatchObject([
      { ok: true, status: 0, attempts: 1, body: 'out\n' },
      { ok: false, status: 3, attempts: 2, error: { code: 'ERR_EXIT', message: 'ended with exit code 3: \\x1b[31mwhy' } },
    ]);
  });

  test('that takes too long ends with all it has started', async ({ expect }) => {
    using place = new Workplace();
    place.write('jobs.jsonl', ['{}']);
    const { code } = await place.run([
      ...QUIET,
      '--max-attempts',
      '1',
      '--timeout',
      '1s',
      '--exec',
      "sh -c 'sleep 60 & echo $! > pid; wait'",
    ]);
    expect(code).toBe(1);
    expect(place.results()[0]).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } });
    await expect.poll(() => isAlive(Number(place.read('pid'))), { timeout: 5000 }).toBe(false);
  });

  test.each([
    ['in its group', 'sleep 30'],
    ['out of its group', 'setsid sleep 30'],
  ])('that succeeds and leaves something running %s is done with what it wrote', async (_where, background) => {
    using place = new Workplace();
    place.write('jobs.jsonl', ['{}', '{}']);
    const startMs = performance.now();
    const { code } = await place.run([...QUIET, '--timeout', '10s', '--exec', `sh -c '${background} & echo $! >> pids; echo out'`]);
    expect(code).toBe(0);
    expect(place.results()).toMatchObject([{ body: 'out\n' }, { body: 'out\n' }]);
    expect(performance.now() - startMs).toBeLessThan(10_000);
    for (const pid of place.read('pids').trim().split('\n')) if (isAlive(Number(pid))) process.kill(Number(pid), 'SIGKILL');
  });
});

describe.concurrent('the screen', () => {
  test('has a summary, as a table or as JSON, on standard output', async () => {
    await using origin = await startOrigin(({ path }, response) => void response.writeHead(path === '/b' ? 404 : 200).end());
    using place = new Workplace();
    place.write('jobs.jsonl', [`${origin.url}/a`, `${origin.url}/b`, 'oops']);
    const table = await place.run([...RUN, '--on-bad-line', 'skip']);
    expect(table.code).toBe(1);
    expect(table.stderr).toBe('left out: jobs.jsonl:3: not a URL: "oops"\n');
    expect(table.stdout).toMatch(/^jobs +2\ndone +1\nfailed +1\n +ERR_HTTP_STATUS +1\nlines left out +1\ncalls +2, of which 0 retries\n/);
    const json = await place.run([...RUN, '--on-bad-line', 'skip', '--resume', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      jobs: 2,
      done: 1,
      failed: 1,
      before: 2,
      skippedLines: 1,
      calls: 0,
      failures: { ERR_HTTP_STATUS: 1 },
    });
  });

  test('stays empty with --quiet', async () => {
    await using origin = await startOrigin();
    using place = new Workplace();
    place.write('jobs.jsonl', [`${origin.url}/a`, 'oops']);
    expect(await place.run([...QUIET, '--on-bad-line', 'skip'])).toMatchObject({ code: 1, stdout: '', stderr: '' });
  });
});

/** Faults as they are met in the wild, from a seed. */
function faulty(seed: number, fired: Record<string, number>): Answer {
  const random = seededRandom(seed);
  const count = (fault: string): void => {
    fired[fault] = (fired[fault] ?? 0) + 1;
  };
  return ({ path }, response) => {
    const dice = random.next();
    if (dice < 0.04) {
      count('reset');
      response.destroy();
    } else if (dice < 0.1) {
      count('busy');
      response.writeHead(dice < 0.07 ? 429 : 503, { 'retry-after': '0.05' }).end();
    } else if (dice < 0.13) {
      count('truncated');
      response.writeHead(200, { 'content-length': '100' });
      response.write(path);
      setTimeout(() => response.destroy(), 2);
    } else if (dice < 0.15) {
      count('slow');
      setTimeout(() => response.end(path), 150);
    } else response.end(path);
  };
}

test('faults lose nothing: resets, 429, 503, truncated bodies and slow answers (seed 7)', async () => {
  const fired: Record<string, number> = {};
  await using origin = await startOrigin(faulty(7, fired));
  using place = new Workplace();
  const jobs = 600;
  place.write(
    'jobs.jsonl',
    Array.from({ length: jobs }, (_, n) => `${origin.url}/${n + 1}`),
  );
  const { code, stderr } = await place.run([...QUIET, '--base-delay', '10ms']);
  expect([code, stderr]).toEqual([0, '']);
  expect(byId(place).map(({ ok, body }) => ok && body)).toEqual(Array.from({ length: jobs }, (_, n) => `/${n + 1}`));
  expect(Object.keys(fired).sort()).toEqual(['busy', 'reset', 'slow', 'truncated']);
});

test('an outage of 5 s costs no job anything but time, with the flags as they are', async () => {
  let upAtMs = Number.POSITIVE_INFINITY;
  await using origin = await startOrigin(({ path }, response) => {
    if (upAtMs === Number.POSITIVE_INFINITY) upAtMs = performance.now() + 5000;
    if (performance.now() < upAtMs) response.destroy();
    else response.end(path);
  });
  using place = new Workplace();
  place.write(
    'jobs.jsonl',
    Array.from({ length: 300 }, (_, n) => `${origin.url}/${n + 1}`),
  );
  const { code, stderr } = await place.run(QUIET);
  expect([code, stderr]).toEqual([0, '']);
  expect(place.results().every(({ ok }) => ok)).toBe(true);
});

test('an origin that stays down is given up after a while', async () => {
  await using origin = await startOrigin((_, response) => void response.destroy());
  using place = new Workplace();
  place.write('policy.yaml', 'circuitBreaker: { failureThreshold: 2, recoveryTimeout: 30s }\ngiveUpAfter: 1500ms\n');
  place.write(
    'jobs.jsonl',
    Array.from({ length: 10 }, (_, n) => `${origin.url}/${n + 1}`),
  );
  const { code } = await place.run([...QUIET, '--policy', 'policy.yaml', '--base-delay', '1ms']);
  expect(code).toBe(1);
  expect(place.results().length).toBe(10);
  for (const { error } of place.results()) expect(error?.code).toBe('ERR_GAVE_UP');
  expect(origin.log.length).toBeLessThan(20);
});

test('--rate bounds the calls of a run', async () => {
  const atMs: number[] = [];
  await using origin = await startOrigin((_, response) => {
    atMs.push(performance.now());
    response.end();
  });
  using place = new Workplace();
  place.write(
    'jobs.jsonl',
    Array.from({ length: 40 }, (_, n) => `${origin.url}/${n + 1}`),
  );
  expect((await place.run([...QUIET, '--rate', '50/s'])).code).toBe(0);
  // 39 intervals of 20 ms, less what the first call was delayed on its way.
  expect((atMs.at(-1) ?? 0) - (atMs[0] ?? 0)).toBeGreaterThan(39 * 20 - 100);
});
