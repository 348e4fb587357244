// Must-show 4 of the foundation: what the user has to mend is one line that names file and line, and nothing is called.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { KEELSON, type StartOptions, start, Workplace } from './support/cli.ts';
import { type Origin, startOrigin } from './support/origin.ts';

const OUT = ['--out', 'results.jsonl'];

/** Runs the command, and expects one line of complaint, exit code 2, no call and no results. */
async function refusal(words: readonly string[], files: Readonly<Record<string, string>>, options?: StartOptions): Promise<string> {
  await using origin = await startOrigin();
  using place = new Workplace();
  for (const [name, content] of Object.entries(files)) place.write(name, content.replaceAll('ORIGIN', origin.url));
  const { code, stdout, stderr } = await place.run(
    words.map((word) => word.replaceAll('ORIGIN', origin.url)),
    options,
  );
  expect(stderr).toMatch(/^keelson: [^\n]+\n$/);
  expect([code, stdout]).toEqual([2, '']);
  expect(origin.log).toEqual([]);
  expect(existsSync(place.path('results.jsonl'))).toBe(false);
  expect(existsSync(place.path('results.jsonl.lock'))).toBe(false);
  return stderr.replace(/^keelson: /, '').trimEnd();
}

const GOOD = '{"url":"ORIGIN/good"}\n';

describe.concurrent('an input file', () => {
  test.each([
    ['malformed JSON', `${GOOD}{"url":"ORIGIN/x",}\n`, /^jobs\.jsonl:2:\d+: not valid JSON: /],
    ['a missing url', `${GOOD}${GOOD}{"id":"a"}\n`, /^jobs\.jsonl:3: has no url$/],
    [
      'a repeated id',
      '{"id":"a","url":"ORIGIN/1"}\n\n{"id":"a","url":"ORIGIN/2"}\n',
      /^jobs\.jsonl:3: the id "a" is that of line 1 already$/,
    ],
    ['an id that is the number of a line', `${GOOD}{"id":1,"url":"ORIGIN/2"}\n`, /^jobs\.jsonl:2: the id "1" is that of line 1 already$/],
    ['a bad URL', `${GOOD}http://[oops\n`, /^jobs\.jsonl:2: not a URL: "http:\/\/\[oops"$/],
    ['JSON that is no object', `${GOOD}["ORIGIN/x"]\n`, /^jobs\.jsonl:2: is JSON but no object: a line is an object or a URL$/],
    ['another scheme', `${GOOD}file:///etc/passwd\n`, /^jobs\.jsonl:2: url must be http: or https:, got file:$/],
    [
      'a line break in a header',
      `${GOOD}{"url":"ORIGIN/x","headers":{"x":"a\\r\\nb"}}\n`,
      /^jobs\.jsonl:2: header x has a value with a line break/,
    ],
    ['a bad id', `${GOOD}{"id":"","url":"ORIGIN/x"}\n`, /^jobs\.jsonl:2: id must be a text of at least one character, or a number$/],
    ['an escape sequence', `${GOOD}\u001b[31mnope\n`, /^jobs\.jsonl:2: not a URL: "\\x1b\[31mnope"$/],
  ])('with %s', async (_, content, message) => {
    expect(await refusal(['run', 'jobs.jsonl', ...OUT], { 'jobs.jsonl': content })).toMatch(message);
  });

  test('that lacks a column of a template', async () => {
    const message = await refusal(['run', 'jobs.jsonl', ...OUT, '--url', 'ORIGIN/{name}'], {
      'jobs.jsonl': '{"name":"a"}\n{"nome":"b"}\n',
    });
    expect(message).toBe('jobs.jsonl:2: has no column "name", which a template asks for');
  });

  test('that makes no JSON of a template of JSON', async () => {
    const message = await refusal(['run', 'jobs.jsonl', ...OUT, '--body', '{"n":{id}}'], {
      'jobs.jsonl': '{"id":7,"url":"ORIGIN/a"}\n{"id":"seven","url":"ORIGIN/b"}\n',
    });
    expect(message).toBe('jobs.jsonl:2: makes a --body that is not JSON: a text needs quotes around its place');
  });

  test.each([
    ['missing.jsonl', 'missing.jsonl: cannot be read: no such file or directory'],
    ['.', '.: cannot be read: it is a folder'],
  ])('that is %s', async (input, message) => {
    expect(await refusal(['run', input, ...OUT], {})).toBe(message);
  });

  test('with bytes that are no text', async () => {
    using place = new Workplace();
    writeFileSync(place.path('jobs.txt'), Buffer.concat([Buffer.from('http://a.example/\nhttp://a.example/'), Buffer.of(0xff, 0x0a)]));
    const { code, stderr } = await place.run(['run', 'jobs.txt', ...OUT]);
    expect([code, stderr]).toEqual([2, 'keelson: jobs.txt:2: not UTF-8 text\n']);
  });
});

describe.concurrent('the command line', () => {
  test.each([
    [['--queue', 'redis://x'], "unknown option '--queue'"],
    [['--concurrency', '0'], '--concurrency must be a whole number of at least 1, got "0"'],
    [['--concurrency', '-3'], '--concurrency must be a whole number of at least 1, got "-3"'],
    [['--max-attempts', 'many'], '--max-attempts must be a whole number of at least 1, got "many"'],
    [['--timeout', '0s'], "--timeout must be a length of time above 0, like '250ms', '5s', '2m' or '1h30m', got \"0s\""],
    [['--drain', '-1s'], "--drain must be 0 or a length of time, like '250ms', '5s', '2m' or '1h30m', got \"-1s\""],
    [['--rate', '0/s'], "--rate must be a number of calls in a time, like '100/s', '20/m' or '5/10s', got \"0/s\""],
    [['--max-body', 'huge'], "--max-body must be a size like '512kb', '1mb' or '0', got \"huge\""],
    [['--breaker', 'maybe'], "--breaker must be 'on' or 'off', got \"maybe\""],
    [['--resume=all'], "--resume must be 'same' or 'changed', got \"all\""],
    [['--retry-failed'], '--retry-failed needs --resume'],
    [['--url', 'ftp://…'], '--url: url must be http: or https:, got ftp:'],
    [['--header', 'no colon s3cret'], "--header must be a name and a value, like 'accept: text/html'"],
    [['--header', 'a: b\r\nevil: yes'], '--header: header a has a value with a line break or another character that HTTP forbids'],
    [['--header-env', 'authorization=NOT_SET_ANYWHERE'], '--header-env authorization: the variable NOT_SET_ANYWHERE is not set'],
    [['--exec', 'echo {url}', '--method', 'GET'], '--method has no meaning with --exec'],
    [['--exec', 'no-such-command-anywhere'], '--exec: there is no command "no-such-command-anywhere"'],
    [['--policy', 'missing.yaml'], 'missing.yaml: cannot be read: no such file or directory'],
    [['--save', 'jobs.jsonl/x'], 'jobs.jsonl/x: cannot be made or written to: not a directory'],
    [['extra.jsonl'], "too many arguments for 'run'. Expected 1 argument but got 2: jobs.jsonl, extra.jsonl."],
  ])('%j', async (words, message) => {
    expect(await refusal(['run', 'jobs.jsonl', ...OUT, ...words], { 'jobs.jsonl': GOOD })).toBe(message);
  });

  test.each([
    [[], 'a command is missing; see keelson --help'],
    [['walk'], 'unknown command "walk"'],
    [['run'], "missing required argument 'INPUT'"],
    [['run', 'jobs.jsonl'], '--out FILE is missing'],
    [['run', 'jobs.jsonl', '--out'], "option '--out <FILE>' argument missing"],
  ])('keelson %j', async (words, message) => {
    expect(await refusal(words, { 'jobs.jsonl': GOOD })).toBe(message);
  });

  test('F3: a secret in the environment that is no header value is not shown', async () => {
    const message = await refusal(
      ['run', 'jobs.jsonl', ...OUT, '--header-env', 'authorization=TOKEN'],
      { 'jobs.jsonl': GOOD },
      { environment: { TOKEN: 's3cret\n' } },
    );
    expect(message).toBe(
      '--header-env authorization=TOKEN: header authorization has a value with a line break or another character that HTTP forbids',
    );
  });
});

test.concurrent.each([
  ['concurency: 8', 'policy.yaml:1:1: unknown key "concurency"'],
  ['timeout: 1s\n---\ntimeout: 2s', 'policy.yaml:2:1: a second document begins here, but a policy file holds one'],
  ['retry:\n  maxAttempts: 0', 'policy.yaml:2:16: retry.maxAttempts must be a whole number of at least 1, got 0'],
  ['timeout: soon', "policy.yaml:1:10: timeout must be a length of time above 0, like '250ms', '5s', '2m' or '1h30m', got \"soon\""],
])('a policy file %j', async (policy, message) => {
  expect(await refusal(['run', 'jobs.jsonl', ...OUT, '--policy', 'policy.yaml'], { 'jobs.jsonl': GOOD, 'policy.yaml': policy })).toBe(
    message,
  );
});

describe.concurrent('an output', () => {
  const urls = (origin: Origin): string[] => [`${origin.url}/a`];

  test('that exists is refused without --resume', async () => {
    await using origin = await startOrigin();
    using place = new Workplace();
    place.write('jobs.txt', urls(origin));
    place.write('results.jsonl', '');
    const { code, stderr } = await place.run(['run', 'jobs.txt', ...OUT]);
    expect([code, stderr]).toEqual([2, 'keelson: results.jsonl: there is such a file already; --resume continues it\n']);
    expect(origin.log).toEqual([]);
  });

  test.each([
    ['missing/results.jsonl', 'missing/results.jsonl: cannot be locked: no such file or directory'],
    ['folder', 'folder: cannot be written: illegal operation on a directory'],
    ['/proc/results.jsonl', '/proc/results.jsonl: cannot be locked: no such file or directory'],
  ])('that is %s cannot be written', async (out, message) => {
    await using origin = await startOrigin();
    using place = new Workplace();
    place.write('jobs.txt', urls(origin));
    mkdirSync(place.path('folder'));
    const { code, stderr } = await place.run(['run', 'jobs.txt', '--out', out]);
    expect([code, stderr]).toEqual([2, `keelson: ${message}\n`]);
    expect(origin.log).toEqual([]);
  });

  test('that is no journal is not touched', async () => {
    await using origin = await startOrigin();
    using place = new Workplace();
    place.write('jobs.txt', urls(origin));
    place.write('notes.txt', 'dear diary\n');
    const { code, stderr } = await place.run(['run', 'jobs.txt', '--out', 'notes.txt', '--resume']);
    expect([code, stderr]).toEqual([2, 'keelson: notes.txt:1: not a result of keelson run, so nothing is appended to this file\n']);
    expect(place.read('notes.txt')).toBe('dear diary\n');
  });

  test('that a living run writes to is refused, and free again after kill -9', async () => {
    await using origin = await startOrigin(() => {});
    using place = new Workplace();
    place.write('jobs.txt', urls(origin));
    const first = place.start(['run', 'jobs.txt', ...OUT, '--quiet', '--timeout', '1h']);
    await origin.requests(1);
    for (const words of [[], ['--resume']]) {
      const { code, stderr } = await place.run(['run', 'jobs.txt', ...OUT, ...words]);
      expect([code, stderr]).toEqual([2, `keelson: results.jsonl: in use by another run, process ${first.child.pid}\n`]);
    }
    expect(origin.log.length).toBe(1);
    first.child.kill('SIGKILL');
    await first.ended;
    const third = place.start(['run', 'jobs.txt', ...OUT, '--resume', '--quiet']);
    await origin.requests(2);
    third.child.kill('SIGKILL');
    await third.ended;
  });
});

const LIMIT_KB = 32;
const OWN_NAME_SPACE = ['unshare', '-Urm'];
const mayMount = await start([...OWN_NAME_SPACE, 'true']).ended.then(
  ({ code }) => code === 0,
  () => false, // there is no such command
);
const FULL_DISKS = [
  ['a limit on file size', (command: string) => ['sh', '-c', `ulimit -f ${LIMIT_KB * 2}; exec ${command}`]] as const,
  // A disk of its own vanishes with its name space, so the journal is copied out.
  ...(mayMount
    ? [
        [
          'a full disk',
          (command: string) => [
            ...OWN_NAME_SPACE,
            'sh',
            '-c',
            `mount -t tmpfs -o size=${LIMIT_KB}k none out && (cd . && ${command}; code=$?; cp out/results.jsonl copy.jsonl; exit $code)`,
          ],
        ] as const,
      ]
    : []),
];

test.each(FULL_DISKS)('%s ends the run with exit code 3 and a journal that is whole to its last line', async (_, wrap) => {
  await using origin = await startOrigin();
  using place = new Workplace();
  mkdirSync(place.path('out'));
  place.write(
    'jobs.txt',
    Array.from({ length: 2000 }, (_value, n) => `${origin.url}/${n + 1}`),
  );
  const words = ['run', 'jobs.txt', '--out', 'out/results.jsonl', '--quiet', '--json'];
  const quoted = [...KEELSON, ...words].map((word) => `'${word}'`).join(' ');
  const { code, stdout, stderr } = await start(wrap(quoted), { cwd: place.folder }).ended;
  expect(stderr).toMatch(/^keelson: cannot write out\/results\.jsonl: (no space left on device|file too large)\n$/);
  expect(code).toBe(3);
  if (existsSync(place.path('copy.jsonl'))) place.write('out/results.jsonl', place.read('copy.jsonl'));
  expect(place.read('out/results.jsonl').endsWith('}\n')).toBe(true);
  const written = place.results('out/results.jsonl');
  expect(written.length).toBeGreaterThan(50);
  const { done, unfinished } = JSON.parse(stdout) as { done: number; unfinished: number };
  expect([done + unfinished, done <= written.length, done > 50]).toEqual([2000, true, true]);
  expect(written.every(({ id, body }) => body === `/${id}`)).toBe(true);
  const calls = origin.log.length;
  expect((await place.run([...words, '--resume'])).code).toBe(0);
  expect(origin.log.length - calls).toBe(2000 - written.length);
});

test('bodies that cannot be saved end the run with exit code 3, not the job', async () => {
  await using origin = await startOrigin((_seen, response) => response.end('x'.repeat(200_000)));
  using place = new Workplace();
  place.write('jobs.txt', [`${origin.url}/a`]);
  const command = [...KEELSON, 'run', 'jobs.txt', ...OUT, '--quiet', '--save', 'bodies'].map((word) => `'${word}'`).join(' ');
  const { code, stderr } = await start(['sh', '-c', `ulimit -f ${LIMIT_KB * 2}; exec ${command}`], { cwd: place.folder }).ended;
  expect([code, stderr]).toEqual([3, 'keelson: cannot write bodies/1: file too large\n']);
  expect(place.results()).toEqual([]);
});

describe.concurrent('hostile data', () => {
  test('an id like ../x stays inside DIR', async () => {
    await using origin = await startOrigin();
    using place = new Workplace();
    mkdirSync(place.path('a'));
    const ids = ['../x', '..', '/etc/x', 'a/../../b', '.ssh', 'ok'];
    place.write(
      'jobs.jsonl',
      ids.map((id, n) => ({ id, url: `${origin.url}/${n}` })),
    );
    expect((await place.run(['run', 'jobs.jsonl', ...OUT, '--save', 'a/bodies', '--quiet'])).code).toBe(0);
    expect(readdirSync(place.path('a/bodies')).sort()).toEqual(
      ['%2E%2E', '%2E.%2Fx', '%2Essh', '%2Fetc%2Fx', 'a%2F..%2F..%2Fb', 'ok'].sort(),
    );
    expect(readdirSync(place.path('a'))).toEqual(['bodies']);
    expect(readdirSync(place.folder).sort()).toEqual(['a', 'jobs.jsonl', 'results.jsonl']);
    expect(place.read('a/bodies/%2E.%2Fx')).toBe('/0');
  });

  test('"; rm" in a command is one argument', async () => {
    using place = new Workplace();
    const nasty = ['; rm -rf "$HOME"', '$(touch owned)', '`touch owned`', "' && touch owned '", '| touch owned', '\n touch owned', '-rf'];
    place.write('precious', 'kept');
    place.write(
      'jobs.jsonl',
      nasty.map((value) => ({ value })),
    );
    const script = 'console.log(JSON.stringify(process.argv.slice(1)))';
    const { code } = await place.run([
      'run',
      'jobs.jsonl',
      ...OUT,
      '--quiet',
      '--exec',
      `${process.execPath} -e '${script}' -- {value} --v={value}`,
    ]);
    expect(code).toBe(0);
    const results = place.results().sort((a, b) => Number(a.id) - Number(b.id));
    expect(results.map(({ body = '' }) => JSON.parse(body) as unknown)).toEqual(nasty.map((value) => [value, `--v=${value}`]));
    expect(readdirSync(place.folder).sort()).toEqual(['jobs.jsonl', 'precious', 'results.jsonl']);
  });
});
