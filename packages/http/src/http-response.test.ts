import { inspect } from 'node:util';
import { classify, OUTCOME } from 'keelson';
import type { Dispatcher } from 'undici';
import { describe, expect, test } from 'vitest';
import { Exchange } from './exchange.ts';
import { HttpResponse } from './http-response.ts';
import { Traffic } from './traffic.ts';

const REQUEST = { method: 'GET', url: new URL('http://a.example/x?token=s3cret') };

interface Scripted {
  readonly response: HttpResponse;
  readonly exchange: Exchange;
  readonly aborts: () => number;
}

/** A response whose body has these parts, and ends unless told otherwise. */
function respond(status: number, headers: Record<string, string | string[]>, parts: readonly string[] = [], ends = true): Scripted {
  const exchange = new Exchange(REQUEST, null, new Traffic());
  let aborts = 0;
  const controller = {
    abort: (reason: Error) => {
      aborts++;
      exchange.onResponseError(controller, reason);
    },
    pause: () => {},
    resume: () => {},
  } as Dispatcher.DispatchController;
  exchange.onRequestStart(controller, null);
  exchange.onResponseStart(controller, status, headers);
  for (const part of parts) exchange.onResponseData(controller, Buffer.from(part));
  if (ends) exchange.onResponseEnd();
  return { exchange, aborts: () => aborts, response: new HttpResponse(REQUEST, { status, headers, url: REQUEST.url }, exchange) };
}

describe('what it says', () => {
  test('status, headers by any case, the whole URL', () => {
    const { response } = respond(204, { 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] });
    expect(response).toMatchObject({ status: 204, ok: true, url: REQUEST.url.href });
    expect(response.header('X-One')).toBe('1');
    expect(response.header('set-cookie')).toBe('a=1, b=2');
    expect(response.header('absent')).toBeUndefined();
    expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  test('to policies, what its status means', () => {
    const { response } = respond(429, { 'retry-after': '2' });
    expect(classify({ ok: true, value: response })).toEqual({ kind: 'throttled', origin: 'remote', retryAfterMs: 2000 });
    expect(response[OUTCOME].kind).toBe('throttled');
  });

  test('law F3: printed, nothing secret', () => {
    const { response } = respond(200, { 'set-cookie': 's3cret' });
    expect(inspect(response, { depth: 9 })).not.toContain('s3cret');
    expect(JSON.stringify(response)).not.toContain('s3cret');
  });
});

describe('the body', () => {
  test('as bytes, text, JSON', async () => {
    expect(await respond(200, {}, ['ab', 'c']).response.bytes()).toEqual(new Uint8Array([97, 98, 99]));
    expect(await respond(200, {}, ['\uFEFFgrü', 'ße']).response.text()).toBe('grüße');
    expect(await respond(200, {}, ['{"id"', ':7}']).response.json<{ id: number }>()).toEqual({ id: 7 });
    expect(await respond(204, {}).response.text()).toBe('');
  });

  test('piece by piece', async () => {
    const sizes: number[] = [];
    for await (const chunk of respond(200, {}, ['ab', 'c']).response.body) sizes.push(chunk.byteLength);
    expect(sizes).toEqual([2, 1]);
  });

  test('once', async () => {
    const { response } = respond(200, {}, ['ab']);
    await response.text();
    await expect(response.text()).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: 'the body of GET http://a.example/x?token=*** can be read only once',
    });
  });

  test('not more than its reader allows; then the connection is closed', async () => {
    expect((await respond(200, {}, ['ab', 'c']).response.bytes({ maxBytes: 3 })).byteLength).toBe(3);
    const { response, aborts } = respond(200, {}, ['ab', 'c'], false);
    await expect(response.bytes({ maxBytes: 2 })).rejects.toMatchObject({ code: 'ERR_HTTP_BODY_TOO_LARGE' });
    expect(aborts()).toBe(1);
  });

  test.each([[-1], [Number.NaN]])('law F2: maxBytes %s', async (maxBytes) => {
    await expect(respond(200, {}).response.bytes({ maxBytes })).rejects.toMatchObject({ code: 'ERR_OPTION' });
  });

  test('law F3: what is no JSON is not shown', async () => {
    const failure = await respond(200, {}, ['{"token":"s3cret"'])
      .response.json()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ERR_HTTP_BODY_INVALID' });
    expect(inspect(failure, { depth: 9 })).not.toContain('s3cret');
  });
});

describe('throwIfNotOk', () => {
  test.each([[200], [302]])('%i is the response itself', (status) => {
    const { response } = respond(status, {});
    expect(response.throwIfNotOk()).toBe(response);
  });

  test('else throws, and gives the connection back', async () => {
    const { response, exchange } = respond(503, { 'retry-after': '2' }, ['x'], false);
    expect(() => response.throwIfNotOk()).toThrow(expect.objectContaining({ code: 'ERR_HTTP_STATUS', status: 503, retryAfterMs: 2000 }));
    await exchange.done;
  });
});

describe('discard', () => {
  test('a small rest is read to its end', async () => {
    const { response, exchange, aborts } = respond(200, { 'content-length': '2' }, ['a'], false);
    const discarding = response.discard();
    exchange.onResponseEnd();
    await discarding;
    expect(aborts()).toBe(0);
  });

  test.each([[{ 'content-length': '65537' }], [{}]])('the connection of a large or unknown rest is closed: %j', async (headers) => {
    const { response, aborts } = respond(200, headers, ['a'], false);
    await response[Symbol.asyncDispose]();
    expect(aborts()).toBe(1);
  });

  test('whoever reads is told', async () => {
    const { response } = respond(200, {}, [], false);
    const reading = response.text();
    await response.discard();
    await expect(reading).rejects.toMatchObject({
      code: 'ERR_CLOSED',
      message: 'the body of GET http://a.example/x?token=*** was discarded',
    });
  });

  test('afterwards nothing can be read', async () => {
    const { response } = respond(200, { 'content-length': '1' }, ['a']);
    await response.discard();
    await expect(response.text()).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
  });

  test('after the last byte, and twice, is nothing', async () => {
    const { response, aborts } = respond(200, {}, ['a']);
    await response.text();
    await response.discard();
    await response.discard();
    expect(aborts()).toBe(0);
  });
});
