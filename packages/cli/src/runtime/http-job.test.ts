import { describe, expect, test } from 'vitest';
import type { Columns } from './columns.ts';
import { type HttpJobSettings, httpJobs, isRepeatable } from './http-job.ts';
import type { HttpJob } from './job.ts';

const jobOf = (columns: Columns, settings: Partial<HttpJobSettings> = {}): HttpJob =>
  httpJobs({ headers: [], ...settings })('7', { id: '7', ...columns }) as HttpJob;

describe('a plain job', () => {
  test('is a GET', () => {
    expect(jobOf({ url: 'http://A.example:80/x y?q=1#part' })).toEqual({
      kind: 'http',
      id: '7',
      method: 'GET',
      url: 'http://a.example/x%20y?q=1',
      origin: 'http://a.example',
      headers: {},
      body: undefined,
    });
  });

  test('with a body is a POST of text or JSON', () => {
    expect(jobOf({ url: 'http://a.example', body: 'hi' })).toMatchObject({
      method: 'POST',
      body: 'hi',
      headers: { 'content-type': 'text/plain;charset=utf-8' },
    });
    expect(jobOf({ url: 'http://a.example', body: { a: [1] } })).toMatchObject({
      body: '{"a":[1]}',
      headers: { 'content-type': 'application/json' },
    });
    expect(jobOf({ url: 'http://a.example', body: null }).method).toBe('GET');
  });

  test('keeps its own method and headers', () => {
    const job = jobOf({ url: 'http://a.example', method: 'put', headers: { 'X-A': 'b', 'Content-Type': 'text/csv', n: 1 }, body: 'x' });
    expect(job).toMatchObject({ method: 'PUT', headers: { 'x-a': 'b', 'content-type': 'text/csv', n: '1' } });
  });

  test('K4: takes a header with the name of an object member', () => {
    expect(Object.entries(jobOf(JSON.parse('{"url":"http://a.example","headers":{"__proto__":"x"}}')).headers)).toEqual([
      ['__proto__', 'x'],
    ]);
  });
});

test('templates make url, headers and body of the columns', () => {
  const settings = {
    url: 'http://a.example/{id}/{name}',
    headers: [['X-Name', '{name}']] as const,
    body: '{"name":"{name}","n":{n}}',
    method: 'patch',
  };
  expect(jobOf({ name: 'a/"b"', n: [1], url: 'ignored' }, settings)).toMatchObject({
    method: 'PATCH',
    url: 'http://a.example/7/a%2F%22b%22',
    headers: { 'x-name': 'a/"b"', 'content-type': 'application/json' },
    body: '{"name":"a/\\"b\\"","n":[1]}',
  });
});

describe('a body that a template of JSON makes', () => {
  const bodyOf = (template: string, columns: Columns): string | undefined =>
    jobOf({ url: 'http://a.example', ...columns }, { body: template }).body;

  test.each([
    ['{"n":{n}}', { n: 'abc' }],
    ['{"n":{n}}', { n: '' }],
    ['[{n}]', { n: '1 2' }],
    ['-{n}', { n: -1 }],
    ['{"{a}":1,"b":"{n}"}', { a: 1, n: { b: 1 } }],
  ])('%s is JSON for every line: %j is refused', (template, columns) => {
    expect(() => bodyOf(template, columns)).toThrow(
      expect.objectContaining({ name: 'LineFault', message: 'makes a --body that is not JSON: a text needs quotes around its place' }),
    );
  });

  test.each([
    ['{"n":{n}}', { n: '5' }, '{"n":5}'],
    ['{"n":{n}}', { n: null }, '{"n":null}'],
    ['{"n":"{n}"}', { n: 'a"b' }, '{"n":"a\\"b"}'],
    ['n={n}', { n: 'abc' }, 'n=abc'],
  ])('%s with %j', (template, columns, body) => {
    expect(bodyOf(template, columns)).toBe(body);
  });
});

test('a line wins over --header and --method, a template over the line', () => {
  const settings = { headers: [['accept', 'a/a']] as const, method: 'HEAD' };
  const own = { url: 'http://a.example', headers: { Accept: 'b/b' }, method: 'GET' };
  expect(jobOf(own, settings)).toMatchObject({ method: 'GET', headers: { accept: 'b/b' } });
});

describe('is refused', () => {
  test.each([
    [{}, 'has no url'],
    [{ url: 7 }, 'url must be a text'],
    [{ url: 'not a url' }, 'not a URL: "not a url"'],
    [{ url: '/path' }, 'not a URL: "/path"'],
    [{ url: 'ftp://…' }, 'url must be http: or https:, got ftp:'],
    [{ url: 'FTP://%20/' }, 'url must be http: or https:, got ftp:'],
    [{ url: 'ftp://a.example/x' }, 'url must be http: or https:, got ftp:'],
    [{ url: 'javascript:alert(1)' }, 'url must be http: or https:, got javascript:'],
    [{ url: 'http://a.example', method: 'GET\r\nX: y' }, 'method must be a name like GET'],
    [{ url: 'http://a.example', method: 7 }, 'method must be a name like GET'],
    [{ url: 'http://a.example', method: 'connect' }, 'method CONNECT opens a tunnel and has no response'],
    [{ url: 'http://a.example', headers: ['x'] }, 'headers must be an object of names and texts'],
    [{ url: 'http://a.example', headers: { a: null } }, 'header "a" must be a text'],
    [{ url: 'http://a.example', headers: { 'a b': 'x' } }, 'header "a b" is not a name that HTTP allows'],
    [{ url: 'http://a.example', headers: { 'transfer-encoding': 'chunked' } }, 'header transfer-encoding is set by the connection itself'],
  ])('%j', (columns, message) => {
    expect(() => jobOf(columns)).toThrow(expect.objectContaining({ name: 'LineFault', message }));
  });

  test.each(['\r\nevil: yes', 'a\nb', 'a\rb', 'a\0b', 'ж'])('F3: a header with %j, without showing it', (tail) => {
    const message = 'header authorization has a value with a line break or another character that HTTP forbids';
    expect(() => jobOf({ url: 'http://a.example', headers: { authorization: `s3cret${tail}` } })).toThrow(message);
    expect(() => jobOf({ url: 'http://a.example', t: `s3cret${tail}` }, { headers: [['authorization', 'Bearer {t}']] })).toThrow(message);
  });

  test('F3: a bad URL without its credentials and query', () => {
    const error = (() => {
      try {
        return jobOf({ url: 'htp//user:s3cret@a.example/x?token=s3cret' });
      } catch (e) {
        return e as Error;
      }
    })();
    expect(error).toMatchObject({ message: 'not a URL: "htp//***@a.example/x?***"' });
  });

  test('on the command line before any line is read', () => {
    expect(() => httpJobs({ headers: [['x', 'a\r\nb']] })).toThrow(expect.objectContaining({ name: 'UsageError' }));
    expect(() => httpJobs({ headers: [['bad name', 'a']] })).toThrow('--header: header "bad name" is not a name that HTTP allows');
    expect(() => httpJobs({ headers: [], method: 'G T' })).toThrow('--method: method must be a name like GET');
    expect(() => httpJobs({ headers: [], url: 'ftp://{host}/x' })).toThrow('--url: url must be http: or https:, got ftp:');
    expect(() => httpJobs({ headers: [], url: 'a.example/x' })).toThrow('--url: not a URL: "a.example/x"');
    expect(() => httpJobs({ headers: [], url: '{url}/x' })).not.toThrow();
  });
});

test.each([
  [{ method: 'GET' }, true],
  [{ method: 'PUT', body: 'x' }, true],
  [{ method: 'DELETE' }, true],
  [{ body: 'x' }, false],
  [{ method: 'PATCH' }, false],
  [{ method: 'POST', headers: { 'Idempotency-Key': '1' } }, true],
])('R5: %j is repeatable: %s', (columns, expected) => {
  expect(isRepeatable(jobOf({ url: 'http://a.example', ...columns }))).toBe(expected);
});
