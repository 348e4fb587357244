// What jobs may come from: a pipe, gzip, CSV; all of it is checked before the first call, and nothing of a copy is left.
import { readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { KEELSON, type StartOptions, start, Workplace } from './support/cli.ts';
import { type Origin, startOrigin } from './support/origin.ts';

const OUT = ['--out', 'results.jsonl', '--quiet'];

const urls = (origin: Origin, names: string): string =>
  names
    .split(' ')
    .map((name) => `${origin.url}/${name}\n`)
    .join('');
const paths = (origin: Origin): string[] => origin.log.map(({ path }) => path).sort();

/** Expects a run that complains in one line, calls nothing and leaves nothing. */
async function refusal(origin: Origin, place: Workplace, words: readonly string[], options?: StartOptions): Promise<string> {
  const before = readdirSync(place.folder);
  const { code, stdout, stderr } = await place.run(['run', ...words, ...OUT], options);
  expect(stderr).toMatch(/^keelson: [^\n]+\n$/);
  expect([code, stdout, origin.log.length]).toEqual([2, '', 0]);
  expect(readdirSync(place.folder)).toEqual(before);
  return stderr.replace(/^keelson: /, '').trimEnd();
}

describe.concurrent('standard input', () => {
  test('is checked to its end before the first call', async () => {
    await using origin = await startOrigin();
    using place = new Workplace();
    const input = `${urls(origin, 'a b c')}nope\n`;
    expect(await refusal(origin, place, ['-'], { input })).toBe('stdin:4: not a URL: "nope"');
  });

  test('is called, and what has a result is left out on resume', async () => {
    await using origin = await startOrigin();
    using place = new Workplace();
    expect((await place.run(['run', '-', ...OUT], { input: urls(origin, 'a b') })).code).toBe(0);
    expect((await place.run(['run', '-', ...OUT, '--resume'], { input: urls(origin, 'a b c') })).code).toBe(0);
    expect(paths(origin)).toEqual(['/a', '/b', '/c']);
    const changed = await place.run(['run', '-', ...OUT, '--resume'], { input: urls(origin, 'a x c') });
    expect([changed.code, changed.stderr]).toEqual([
      2,
      'keelson: stdin:2: the job differs from the one that results.jsonl has a result of under the id "2"; --resume=changed calls it again\n',
    ]);
    expect(readdirSync(place.folder)).toEqual(['results.jsonl']);
  });

  test.each([
    ['empty', { input: '' }],
    ['nothing', {}],
  ])('that is %s has no jobs', async (_, options) => {
    using place = new Workplace();
    const { code, stdout, stderr } = await place.run(['run', '-', ...OUT, '--json'], options);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ jobs: 0, done: 0 });
  });

  test.each([
    ['<&-', 0, ''],
    ['< .', 2, 'keelson: stdin: cannot be read: it is a folder\n'],
  ])('that is %s', async (redirection, code, stderr) => {
    using place = new Workplace();
    const words = [...KEELSON, 'run', '-', ...OUT].map((word) => `'${word}'`).join(' ');
    expect(await start(['sh', '-c', `${words} ${redirection}`], { cwd: place.folder }).ended).toMatchObject({ code, stderr });
  });

  test.each(['', 'http://127.0.0.1:1/a\nhttp://127.0'])('that never ends after %j is left at a signal', async (input) => {
    using place = new Workplace();
    const run = place.start(['run', '-', ...OUT], { input, leavesInputOpen: true });
    await expect.poll(() => readdirSync(place.folder), { timeout: 10_000 }).toContain('results.jsonl.lock');
    await new Promise((resolve) => setTimeout(resolve, 200));
    run.child.kill('SIGINT');
    expect(await run.ended).toMatchObject({ code: 130, stderr: '' });
    expect(readdirSync(place.folder)).toEqual([]);
  });

  test('and a file that is a pipe are read alike', async () => {
    await using origin = await startOrigin();
    using place = new Workplace();
    place.write('jobs.txt', urls(origin, 'a b'));
    const words = [...KEELSON, 'run', 'pipe', ...OUT].map((word) => `'${word}'`).join(' ');
    const { code, stderr } = await start(['sh', '-c', `mkfifo pipe; cat jobs.txt > pipe & ${words}`], { cwd: place.folder }).ended;
    expect([code, stderr, paths(origin)]).toEqual([0, '', ['/a', '/b']]);
  });
});

describe.concurrent('gzip', () => {
  test.each(['jobs.jsonl.gz', 'any.name', '-'])('is known by its first bytes: %s', async (name) => {
    await using origin = await startOrigin();
    using place = new Workplace();
    const bytes = Buffer.concat([gzipSync(urls(origin, 'a b')), gzipSync(urls(origin, 'c'))]);
    if (name !== '-') place.write(name, bytes);
    const { code, stderr } = await place.run(['run', name, ...OUT], name === '-' ? { input: bytes } : {});
    expect([code, stderr, paths(origin)]).toEqual([0, '', ['/a', '/b', '/c']]);
  });

  test.each([
    ['is broken off', (bytes: Buffer) => bytes.subarray(0, -10), 'unexpected end of file'],
    ['is broken off at once', (bytes: Buffer) => bytes.subarray(0, 2), 'unexpected end of file'],
    ['has a wrong sum', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -8), Buffer.alloc(8)]), 'incorrect data check'],
    [
      'is something else after its start',
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 2), Buffer.from('x'.repeat(50))]),
      'unknown compression method',
    ],
  ])('that %s is named', async (_, spoil, why) => {
    await using origin = await startOrigin();
    using place = new Workplace();
    const bytes = spoil(gzipSync(urls(origin, 'a b')));
    place.write('jobs.jsonl.gz', bytes);
    const message = (name: string): string => `${name}: gzip that cannot be decompressed: ${why}`;
    expect(await refusal(origin, place, ['jobs.jsonl.gz'])).toBe(message('jobs.jsonl.gz'));
    expect(await refusal(origin, place, ['-'], { input: bytes })).toBe(message('stdin'));
  });
});

describe.concurrent('CSV', () => {
  const TEMPLATES = (origin: Origin): string[] => ['--url', `${origin.url}/{name}`, '--body', '{"n":{n},"name":"{name}"}'];

  test.each(['jobs.csv', 'jobs.CSV.gz', '-', 'jobs.txt'])('fills the templates: %s', async (name) => {
    const bodies: string[] = [];
    await using origin = await startOrigin((_, response) => {
      response.req.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
      response.req.on('end', () => response.end());
    });
    using place = new Workplace();
    const text = '\uFEFFid,name,n\r\na,"a ""b"", ü",1\r\n\r\n"b","two\r\nlines",2\n,x/y,3';
    const content = name.endsWith('.gz') ? gzipSync(text) : Buffer.from(text);
    if (name !== '-') place.write(name, content);
    const format = name.toLowerCase().includes('.csv') ? [] : ['--format', 'csv'];
    const options = name === '-' ? { input: content } : {};
    const { code, stderr } = await place.run(['run', name, ...format, ...OUT, ...TEMPLATES(origin), '--concurrency', '1'], options);
    expect([code, stderr]).toEqual([0, '']);
    expect(origin.log.map(({ path }) => path)).toEqual(['/a%20%22b%22%2C%20%C3%BC', '/two%0D%0Alines', '/x%2Fy']);
    expect(bodies.map((body) => JSON.parse(body) as unknown)).toEqual([
      { n: 1, name: 'a "b", ü' },
      { n: 2, name: 'two\r\nlines' },
      { n: 3, name: 'x/y' },
    ]);
    expect(place.results().map(({ id }) => id)).toEqual(['a', 'b', '6']);
  });

  test.each([
    ['a field too few', 'name,n\na,1\n"x\ny"\n', '3: has 1 fields, but the header has 2'],
    ['a field too many', 'name,n\r\n"x\r\ny",1\r\n\r\na,1,2\r\n', '5: has 3 fields, but the header has 2'],
    ['two columns of one name', '\nname,n,name\na,1,b\n', '2: the header has two columns "name"'],
    ['a column without a name', 'name,n,\na,1,b\n', '1: column 3 of the header has no name'],
    ['no column that a template asks for', 'name,m\na,1\n', '2: has no column "n", which a template asks for'],
    ['an open quote', 'name,n\na,1\n\n"b,2\nc,3\n', '4: a quote is opened here and never closed'],
    ['more after a quote', 'name,n\n"a"b,1\n', '2: a quoted field goes on after its closing quote; a quote within it has to be doubled'],
    [
      'a quote in the middle',
      'name,n\na"b",1\n',
      '2: a quote within a field that does not begin with one; the field has to be quoted, and the quote doubled',
    ],
    ['a repeated id', 'id,name,n\na,x,1\nb,y,2\na,z,3\n', '4: the id "a" is that of line 2 already'],
    ['a number that is none', 'name,n\na,1\nb,two\n', '3: makes a --body that is not JSON: a text needs quotes around its place'],
  ])('with %s is refused, naming the line', async (_, text, message) => {
    await using origin = await startOrigin();
    using place = new Workplace();
    place.write('jobs.csv', text);
    expect(await refusal(origin, place, ['jobs.csv', ...TEMPLATES(origin)])).toBe(`jobs.csv:${message}`);
  });

  test('with bytes that are no text is refused', async () => {
    await using origin = await startOrigin();
    using place = new Workplace();
    place.write('jobs.csv', Buffer.concat([Buffer.from('name,n\na,1\nb'), Buffer.of(0xff), Buffer.from(',2\n')]));
    expect(await refusal(origin, place, ['jobs.csv', ...TEMPLATES(origin)])).toBe('jobs.csv:3: not UTF-8 text');
  });

  test('a bad record is left out if asked', async () => {
    await using origin = await startOrigin();
    using place = new Workplace();
    place.write('jobs.csv', `url\n${origin.url}/a\nx,y\n${origin.url}/b\n`);
    const { code, stderr } = await place.run(['run', 'jobs.csv', '--out', 'results.jsonl', '--json', '--on-bad-line', 'skip']);
    expect([code, stderr, paths(origin)]).toEqual([1, 'left out: jobs.csv:3: has 2 fields, but the header has 1\n', ['/a', '/b']]);
  });
});

test('a copy that finds no room is told of', async () => {
  await using origin = await startOrigin();
  using place = new Workplace();
  place.write('jobs.csv', `url\n${`${origin.url}/${'x'.repeat(100)}\n`.repeat(2000)}`);
  const words = [...KEELSON, 'run', 'jobs.csv', ...OUT].map((word) => `'${word}'`).join(' ');
  const { code, stderr } = await start(['sh', '-c', `ulimit -f 64; exec ${words}`], { cwd: place.folder }).ended;
  expect(stderr).toMatch(/^keelson: results\.jsonl\.input\.\d+: the input cannot be kept here: file too large\n$/);
  expect([code, readdirSync(place.folder)]).toEqual([2, ['jobs.csv']]);
});
