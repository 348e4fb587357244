import { describe, expect, test } from 'vitest';
import { checkRequest, type HttpRequest } from './http-request.ts';

const URL_TEXT = 'http://a.example/path?q=1';
const check = (request: Partial<HttpRequest>): ReturnType<typeof checkRequest> => checkRequest({ url: URL_TEXT, ...request }, 'agent');

test('a plain request', () => {
  const { url, method, headers, body, isIdempotent } = check({});
  expect(url.href).toBe(URL_TEXT);
  expect({ method, headers, body, isIdempotent }).toEqual({
    method: 'GET',
    headers: ['user-agent', 'agent'],
    body: undefined,
    isIdempotent: true,
  });
});

test('headers keep their case and order, lists are sent line by line, undefined is not sent', () => {
  const { headers } = check({ headers: { 'X-One': '1', accept: ['a', 'b'], gone: undefined, 'User-Agent': 'mine' } });
  expect(headers).toEqual(['X-One', '1', 'accept', 'a', 'accept', 'b', 'User-Agent', 'mine']);
});

describe('credentials in the URL become a header', () => {
  test('decoded, as UTF-8', () => {
    const { headers } = check({ url: 'http://us%C3%A9r:p%40ss@a.example/' });
    expect(headers).toContain(`Basic ${Buffer.from('usér:p@ss').toString('base64')}`);
  });

  test('a stray % stands for itself', () => {
    expect(check({ url: 'http://u:100%@a.example/' }).headers).toContain(`Basic ${Buffer.from('u:100%').toString('base64')}`);
  });

  test('unless there is one', () => {
    expect(check({ url: 'http://u:p@a.example/', headers: { Authorization: 'Bearer x' } }).headers).toEqual([
      'Authorization',
      'Bearer x',
      'user-agent',
      'agent',
    ]);
  });
});

describe('law R5: what may be made more than once', () => {
  test.each([
    ['GET', true],
    ['HEAD', true],
    ['OPTIONS', true],
    ['TRACE', true],
    ['PUT', true],
    ['DELETE', true],
    ['QUERY', true],
    ['POST', false],
    ['PATCH', false],
    ['MKCOL', false],
  ])('%s: %s', (method, expected) => {
    expect(check({ method }).isIdempotent).toBe(expected);
  });

  test('known methods are written in capitals, others are left alone', () => {
    expect(check({ method: 'post' }).method).toBe('POST');
    expect(check({ method: 'mkcol' }).method).toBe('mkcol');
  });

  test('an idempotency key makes a POST repeatable', () => {
    expect(check({ method: 'POST', headers: { 'Idempotency-Key': 'k' } }).isIdempotent).toBe(true);
  });

  test('the caller has the last word', () => {
    expect(check({ method: 'POST', idempotent: true }).isIdempotent).toBe(true);
    expect(check({ method: 'GET', idempotent: false }).isIdempotent).toBe(false);
  });
});

describe('law F2: refused before anything is sent', () => {
  test.each<[Partial<HttpRequest>, string]>([
    [{ url: 'not a url' }, 'url is not an absolute URL'],
    [{ url: '/relative' }, 'url is not an absolute URL'],
    [{ url: 'ftp://a.example/' }, 'url must be http: or https:, got ftp:'],
    [{ url: 'file:///etc/passwd' }, 'url must be http: or https:, got file:'],
    [{ method: 'G ET' }, 'method "G ET" is not a token'],
    [{ method: 'GET\r\nX: y' }, 'method "GET\\r\\nX: y" is not a token'],
    [{ method: 'connect' }, 'method CONNECT is not a request for a response'],
    [{ headers: { 'bad name': 'x' } }, 'header name "bad name" is not a token'],
    [{ headers: { 'a\r\nb': 'x' } }, 'header name "a\\r\\nb" is not a token'],
    [{ headers: { 'x-n': 7 as never } }, 'header x-n must be text'],
    [{ body: 7 as never }, 'body must be text'],
    [{ boddy: 'x' } as never, 'unknown key "boddy"'],
  ])('%j', (request, message) => {
    expect(() => check(request)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) }));
  });

  test.each([['s3cret\r\nx: y'], ['s3cret\ny'], ['s3cret\0'], ['s3cret\u2028']])('law F3: header value %j, which is not shown', (value) => {
    let message = '';
    try {
      check({ headers: { authorization: value } });
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('header authorization holds a line break');
    expect(message).not.toContain('s3cret');
  });

  test('law F3: a wrong URL is not shown, since it may hold a password', () => {
    expect(() => check({ url: 'http://user:s3cret@[bad/' })).toThrow(/^(?!.*s3cret)/);
  });
});
