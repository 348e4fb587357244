import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { HttpConnectionError, HttpStatusError } from '@keelson/http';
import { classify } from 'keelson';
import { describe, expect, test } from 'vitest';
import { clientOf, eventually, serve } from './loopback.test-support.ts';

describe('what is sent', () => {
  test.each<[string, string | Uint8Array | (() => AsyncIterable<string | Uint8Array>)]>([
    ['text', 'grüße'],
    ['bytes', Buffer.from('grüße')],
    [
      'a stream',
      async function* () {
        yield 'grü';
        yield Buffer.from('ße');
      },
    ],
  ])('method, path, headers, and %s as body', async (_, body) => {
    const server = await serve((request, response) => void text(request).then((sent) => response.end(sent.toUpperCase())));
    const response = await clientOf().request({ url: `${server.url}/a/b?c=d#e`, method: 'post', headers: { 'X-One': ['1', '2'] }, body });
    expect(await response.text()).toBe('GRÜSSE');
    expect(server.requests[0]).toMatchObject({ method: 'POST', url: '/a/b?c=d' });
    expect(server.requests[0]?.headers).toMatchObject({ 'x-one': '1, 2', 'user-agent': 'keelson' });
  });

  test('an error of the sent stream comes back as it is', async () => {
    const server = await serve((request, response) => void text(request).then(() => response.end()));
    const mine = new Error('mine');
    const body = async function* (): AsyncGenerator<string> {
      yield 'a';
      throw mine;
    };
    await expect(clientOf().request({ url: server.url, method: 'PUT', body })).rejects.toBe(mine);
  });

  test('credentials in the URL, as a header and nowhere else', async () => {
    const server = await serve((_, response) => void response.end());
    await (await clientOf().request({ url: server.url.replace('//', '//user:pass@') })).discard();
    expect(server.requests[0]?.headers['authorization']).toBe(`Basic ${Buffer.from('user:pass').toString('base64')}`);
  });

  test.each([
    { headers: { 'x-a': 'b\r\nx-c: d' } },
    { headers: { 'x-a\r\nx-c': 'd' } },
    { headers: { 'transfer-encoding': 'chunked' } },
    { headers: { 'content-length': '7' }, method: 'POST', body: 'x' },
    { headers: { expect: '100-continue' } },
    { method: 'GET / HTTP/1.1\r\nx: y' },
  ])('law F2: nothing of %j', async (request) => {
    const server = await serve((_, response) => void response.end());
    await expect(clientOf().request({ url: server.url, ...request })).rejects.toMatchObject({
      code: 'ERR_OPTION',
    });
    expect(server.requests).toHaveLength(0);
  });
});

describe('redirections', () => {
  const landing = '/landing';

  test('are left to the caller, if not told otherwise', async () => {
    const server = await serve((_, response) => void response.writeHead(302, { location: landing }).end());
    const response = await clientOf().request({ url: server.url });
    expect(response).toMatchObject({ status: 302, ok: true });
    expect(response.header('location')).toBe(landing);
  });

  test('are followed so far; credentials stay with their origin', async () => {
    const other = await serve((_, response) => void response.end('there'));
    const server = await serve((request, response) => {
      const location = request.url === '/' ? landing : `${other.url}${landing}`;
      response.writeHead(302, { location }).end();
    });
    const request = { url: server.url, headers: { authorization: 's3cret' } };
    const followed = await clientOf({ maxRedirections: 2 }).request(request);
    expect(followed).toMatchObject({ status: 200, url: `${other.url}${landing}` });
    expect(await followed.text()).toBe('there');
    expect(server.requests[1]?.headers['authorization']).toBe('s3cret');
    expect(other.requests[0]?.headers['authorization']).toBeUndefined();
    expect(await clientOf({ maxRedirections: 1 }).request(request)).toMatchObject({ status: 302 });
  });
});

describe('what can go wrong', () => {
  test('nobody listens', async () => {
    const server = await serve(() => {});
    const { port } = new URL(server.url);
    const error = await clientOf()
      .request({ url: `http://127.0.0.1:${Number(port) === 1 ? 2 : 1}/?token=s3cret` })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(HttpConnectionError);
    expect(error).toMatchObject({ code: 'ECONNREFUSED', phase: 'head' });
    expect(classify({ ok: false, error })).toMatchObject({ kind: 'transient', origin: 'remote' });
    expect(String(error)).not.toContain('s3cret');
  });

  test('a reset before the head', async () => {
    const server = await serve((request) => void request.socket.resetAndDestroy());
    const error = await clientOf()
      .request({ url: server.url })
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'HttpConnectionError', code: 'ECONNRESET', phase: 'head' });
  });

  test('silence before the head', async () => {
    const server = await serve(() => {});
    const error = await clientOf({ headersTimeout: '200ms' })
      .request({ url: server.url })
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'HttpConnectionError', code: 'UND_ERR_HEADERS_TIMEOUT' });
  });

  test('silence within the body', async () => {
    const server = await serve((_, response) => void response.write('a'));
    const response = await clientOf({ bodyTimeout: '200ms' }).request({ url: server.url });
    await expect(response.text()).rejects.toMatchObject({ code: 'UND_ERR_BODY_TIMEOUT', phase: 'body', receivedBytes: 1 });
  });

  test.each([
    ['shorter than announced', { 'content-length': '10' }],
    ['broken off between chunks', {}],
  ])('a body %s', async (_, headers) => {
    const server = await serve((request, response) => {
      response.writeHead(200, headers);
      response.write('abcde', () => request.socket.end());
    });
    const response = await clientOf().request({ url: server.url });
    const error = await response.text().catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'HttpConnectionError', phase: 'body', receivedBytes: 5 });
    expect(classify({ ok: false, error })).toMatchObject({ kind: 'transient', origin: 'remote' });
  });

  test('a body that nobody reads and that breaks off harms nobody', async () => {
    const server = await serve((request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('abcde', () => request.socket.end());
    });
    const client = clientOf();
    await client.request({ url: server.url });
    await eventually(() => client.statistics().openBodies).toBe(0);
    expect(client.statistics()).toMatchObject({ failed: 1 });
  });

  test('law F3: an answer that is no HTTP is not shown', async () => {
    const server = await serve((request) => void request.socket.end('HTTP/1.1 200 OK\r\nset-cookie s3cret\r\n\r\n'));
    const error = await clientOf()
      .request({ url: server.url })
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'HttpConnectionError' });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cret');
  });

  test('law F3: an error status shows neither headers nor credentials', async () => {
    const server = await serve((_, response) => void response.writeHead(403, { 'set-cookie': 's3cret' }).end('s3cret'));
    const request = { url: `${server.url}/?key=s3cret`, headers: { authorization: 's3cret', cookie: 's3cret' } };
    const error = await clientOf()
      .use(request, (response) => response.throwIfNotOk())
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(HttpStatusError);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cret');
  });
});
