// --with: a function of the user's makes the call, under the policies of the run.
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Result, Workplace } from './support/cli.ts';
import { startOrigin } from './support/origin.ts';

const RUN = ['run', 'jobs.jsonl', '--out', 'results.jsonl', '--quiet', '--base-delay', '1ms'];
const byId = (place: Workplace): Result[] => place.results().sort((a, b) => Number(a.id) - Number(b.id));

describe.concurrent('a module', () => {
  test('in TypeScript gets the job and a call, and its result is the body', async () => {
    using place = new Workplace();
    place.write(
      'job.mts',
      `interface Job { readonly id: string; readonly columns: Readonly<Record<string, unknown>> }
       export default async ({ id, columns }: Job, call: { readonly attempt: number; readonly signal: AbortSignal }): Promise<unknown> => {
         if (columns['kind'] === 'text') return \`\${id} \${call.attempt} \${call.signal.aborted}\`;
         if (columns['kind'] === 'bytes') return Buffer.of(0xff);
         return columns['kind'] === 'nothing' ? undefined : columns;
       };`,
    );
    place.write('jobs.jsonl', [{ kind: 'text' }, { kind: 'bytes' }, { kind: 'nothing' }, { kind: 'object', n: [1] }]);
    const { code } = await place.run([...RUN, '--with', './job.mts']);
    expect(code).toBe(0);
    expect(byId(place).map(({ ok, attempts, body, bodyEncoding }) => [ok, attempts, body, bodyEncoding])).toEqual([
      [true, 1, '1 1 false', undefined],
      [true, 1, '/w==', 'base64'],
      [true, 1, undefined, undefined],
      [true, 1, '{"kind":"object","n":[1],"id":"4"}', undefined],
    ]);
    place.write('jobs.jsonl', [{ kind: 'text' }, { kind: 'bytes' }, { kind: 'nothing' }, { n: [1], kind: 'object' }]);
    expect((await place.run([...RUN, '--with', 'job.mts', '--resume'])).code).toBe(0);
    expect(place.results().length).toBe(4);
  });

  test('is called again where it throws, unless the error says that it is permanent', async () => {
    using place = new Workplace();
    place.write(
      'job.mjs',
      `export default ({ columns }, { attempt }) => {
         if (columns.how === 'sync' && attempt < 3) throw new Error('no');
         if (columns.how === 'odd') throw 'a text';
         if (columns.how === 'permanent') throw Object.assign(new Error('never'), { code: 'E_NEVER', [Symbol.for('keelson.outcome')]: { kind: 'permanent', origin: 'remote' } });
         return columns.how === 'cycle' ? (columns.self = columns) && { columns } : 'ok';
       };`,
    );
    place.write(
      'jobs.jsonl',
      ['sync', 'odd', 'permanent', 'cycle'].map((how) => ({ how })),
    );
    const { code } = await place.run([...RUN, '--with', 'job.mjs', '--max-attempts', '3', '--breaker', 'off']);
    expect(code).toBe(1);
    expect(byId(place).map(({ ok, attempts, error }) => [ok, attempts, error?.code])).toEqual([
      [true, 3, undefined],
      [false, 3, 'Error'],
      [false, 1, 'E_NEVER'],
      [false, 1, 'ERR_RESULT'],
    ]);
  });

  test('runs under timeouts and concurrency', async () => {
    using place = new Workplace();
    place.write(
      'job.mjs',
      `let running = 0, most = 0;
       export default async ({ columns }, call) => {
         most = Math.max(most, ++running);
         await new Promise((resolve) => { setTimeout(resolve, columns.ms); call.signal.addEventListener('abort', resolve); });
         running--;
         return { most };
       };`,
    );
    place.write('jobs.jsonl', [...Array.from({ length: 12 }, () => ({ ms: 20 })), { ms: 60_000 }]);
    const { code } = await place.run([...RUN, '--with', 'job.mjs', '--concurrency', '3', '--timeout', '1s', '--max-attempts', '1']);
    expect(code).toBe(1);
    const results = byId(place);
    expect(results[12]).toMatchObject({ ok: false, error: { code: 'ERR_TIMEOUT' } });
    expect(Math.max(...results.slice(0, 12).map(({ body = '' }) => (JSON.parse(body) as { most: number }).most))).toBe(3);
  });

  test('has a breaker for each origin of its lines, and one of its own for lines without a URL', async () => {
    using place = new Workplace();
    place.write('policy.yaml', 'circuitBreaker: { failureThreshold: 2, recoveryTimeout: 30s }\ngiveUpAfter: 500ms\n');
    place.write('job.mjs', `export default ({ columns }) => { if (columns.down) throw new Error('down'); return 'ok'; };`);
    const jobs = [
      ...Array.from({ length: 4 }, () => ({ url: 'http://a.example/x', down: true })),
      ...Array.from({ length: 4 }, () => ({ url: 'http://b.example/x' })),
      ...Array.from({ length: 4 }, () => ({})),
    ];
    place.write('jobs.jsonl', jobs);
    const { code } = await place.run([...RUN, '--with', 'job.mjs', '--policy', 'policy.yaml']);
    expect(code).toBe(1);
    expect(byId(place).map(({ ok, error }) => (ok ? 'ok' : error?.code))).toEqual([
      ...Array(4).fill('ERR_GAVE_UP'),
      ...Array(8).fill('ok'),
    ]);
  });

  test('that leaves something open does not keep the command', async () => {
    using place = new Workplace();
    place.write('job.mjs', `setInterval(() => {}, 1000); export default () => 'ok';`);
    place.write('jobs.jsonl', [{}]);
    const { code, stdout } = await place.run([...RUN, '--json', '--with', 'job.mjs']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ done: 1 });
  });

  test('that calls a server is a client like any other', async () => {
    await using origin = await startOrigin((_, response, nth) => void response.writeHead(nth < 3 ? 503 : 200).end('done'));
    using place = new Workplace();
    place.write(
      'job.mjs',
      `export default async ({ columns }, call) => {
         const response = await fetch(columns.url, { signal: call.signal });
         if (!response.ok) throw new Error(\`answered \${response.status}\`);
         return await response.text();
       };`,
    );
    place.write('jobs.jsonl', [origin.url]);
    expect((await place.run([...RUN, '--with', 'job.mjs'])).code).toBe(0);
    expect(place.results()[0]).toMatchObject({ ok: true, attempts: 3, body: 'done' });
  });
});

describe.concurrent('is refused: a module', () => {
  test.each([
    ['that is not there', undefined, 'job.mjs: cannot be read: no such file or directory'],
    ['without a default export', 'export const job = () => {};', 'job.mjs: has no function as its default export'],
    ['whose default export is no function', 'export default 7;', 'job.mjs: has no function as its default export'],
    ['that throws', 'throw new Error("not today\\n\\u001b[31m");', 'job.mjs: cannot be loaded: Error: not today'],
    ['that throws anything', 'throw null;', 'job.mjs: cannot be loaded: null'],
    ['that is no JavaScript', 'export default (', /^job\.mjs: cannot be loaded: SyntaxError: ./],
    [
      'that imports nothing',
      'import "./missing.mjs";',
      /^job\.mjs: cannot be loaded: Error: Cannot find module '.*missing\.mjs' imported from .*job\.mjs$/,
    ],
  ])('%s', async (_, source, message) => {
    using place = new Workplace();
    if (source !== undefined) place.write('job.mjs', source);
    place.write('jobs.jsonl', [{}]);
    const { code, stdout, stderr } = await place.run([...RUN, '--with', 'job.mjs']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^keelson: [^\n]+\n$/);
    expect(stderr.slice('keelson: '.length, -1)).toEqual(message instanceof RegExp ? expect.stringMatching(message) : message);
    expect(existsSync(place.path('results.jsonl'))).toBe(false);
  });

  test.each([
    [['--exec', 'true'], '--with has no meaning with --exec'],
    [['--url', 'http://a.example'], '--url has no meaning with --with'],
    [['--header', 'a: b'], '--header has no meaning with --with'],
  ])('together with %j', async (words, message) => {
    using place = new Workplace();
    place.write('job.mjs', 'export default () => {};');
    place.write('jobs.jsonl', [{}]);
    expect(await place.run([...RUN, '--with', 'job.mjs', ...words])).toMatchObject({ code: 2, stderr: `keelson: ${message}\n` });
  });
});
