import { inspect } from 'node:util';
import { classify } from 'keelson';
import { describe, expect, test } from 'vitest';
import { HttpBodyError, HttpConnectionError, HttpStatusError } from './http-errors.ts';
import { outcomeOf } from './status-outcome.ts';

const REQUEST = { method: 'GET', url: new URL('https://user:s3cret@a.example/x?token=s3cret#s3cret') };
const coded = (code: string, message: string): Error => Object.assign(new Error(message), { code });
const kindOf = (error: unknown): string => classify({ ok: false, error }).kind;

describe('HttpStatusError', () => {
  const error = new HttpStatusError(REQUEST, 503, outcomeOf(503, { 'retry-after': '2' }));

  test('says what, of what, and when again', () => {
    expect(error).toMatchObject({
      name: 'HttpStatusError',
      code: 'ERR_HTTP_STATUS',
      status: 503,
      method: 'GET',
      url: 'https://a.example/x?token=***',
      retryAfterMs: 2000,
      message: 'GET https://a.example/x?token=*** answered 503 Service Unavailable',
    });
    expect(classify({ ok: false, error })).toEqual({ kind: 'overloaded', origin: 'remote', retryAfterMs: 2000 });
  });

  test('a status without a name', () => {
    expect(new HttpStatusError(REQUEST, 599, outcomeOf(599, {})).message).toMatch(/ answered 599$/);
  });
});

describe('HttpConnectionError', () => {
  test('before the head', () => {
    const cause = coded('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1');
    const error = new HttpConnectionError(REQUEST, cause, 'head', 0);
    expect(error).toMatchObject({ name: 'HttpConnectionError', code: 'ECONNREFUSED', phase: 'head', receivedBytes: 0, cause });
    expect(error.message).toBe('GET https://a.example/x?token=*** got no response: connect ECONNREFUSED 127.0.0.1:1');
  });

  test('within the body', () => {
    const error = new HttpConnectionError(REQUEST, coded('UND_ERR_SOCKET', 'other side closed'), 'body', 512);
    expect(error.message).toBe('GET https://a.example/x?token=*** lost its body after 512 bytes: other side closed');
  });

  test('a cause without code or message', () => {
    const error = new HttpConnectionError(REQUEST, new AggregateError([], ''), 'head', 0);
    expect(error).toMatchObject({ code: 'ERR_HTTP_CONNECTION', message: expect.stringMatching(/: ERR_HTTP_CONNECTION$/) });
  });

  test.each([
    ['ECONNRESET', 'transient'],
    ['ENOTFOUND', 'transient'],
    ['UND_ERR_SOCKET', 'transient'],
    ['UND_ERR_HEADERS_TIMEOUT', 'transient'],
    ['CERT_HAS_EXPIRED', 'permanent'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'permanent'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'permanent'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'permanent'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'permanent'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'permanent'],
  ])('%s is %s', (code, kind) => {
    expect(kindOf(new HttpConnectionError(REQUEST, coded(code, 'x'), 'head', 0))).toBe(kind);
  });

  test('law F3: the bytes that a parser failed on stay behind', () => {
    const cause = Object.assign(coded('HPE_INVALID_HEADER_TOKEN', 'Invalid header token'), { data: 'Set-Cookie: s3cret' });
    expect(inspect(new HttpConnectionError(REQUEST, cause, 'head', 0), { depth: 9 })).not.toContain('s3cret');
  });
});

test('HttpBodyError', () => {
  expect(kindOf(new HttpBodyError(REQUEST, 'ERR_HTTP_BODY_TOO_LARGE', 'is too large'))).toBe('permanent');
  expect(kindOf(new HttpBodyError(REQUEST, 'ERR_HTTP_BODY_INVALID', 'is no JSON'))).toBe('transient');
});

test('law F3: no error shows a secret of the URL', () => {
  const errors = [
    new HttpStatusError(REQUEST, 404, outcomeOf(404, {})),
    new HttpConnectionError(REQUEST, coded('ECONNRESET', 'read ECONNRESET'), 'head', 0),
    new HttpBodyError(REQUEST, 'ERR_HTTP_BODY_INVALID', 'is no JSON'),
  ];
  for (const error of errors) expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cret');
});
