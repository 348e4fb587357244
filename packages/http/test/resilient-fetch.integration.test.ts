import { text } from 'node:stream/consumers';
import { resilientFetch } from '@keelson/http';
import { retry } from 'keelson';
import { expect, test } from 'vitest';
import { clientOf, eventually, firstThen, serve } from './loopback.test-support.ts';

test('sends what fetch would send, and answers what fetch would answer', async () => {
  const server = await serve((request, response) => {
    void text(request).then((sent) => response.writeHead(201, { 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] }).end(sent.toUpperCase()));
  });
  const fetch = resilientFetch(clientOf());
  const response = await fetch(`${server.url}/a?b=c`, { method: 'POST', headers: [['x-two', '2']], body: new URLSearchParams({ q: 'ü' }) });
  expect(response).toMatchObject({ status: 201, ok: true, url: `${server.url}/a?b=c` });
  expect(response.headers.get('x-one')).toBe('1');
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(await response.text()).toBe('Q=%C3%BC');
  expect(server.requests[0]).toMatchObject({ method: 'POST', url: '/a?b=c' });
  expect(server.requests[0]?.headers).toMatchObject({ 'x-two': '2', 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' });
});

test.each([
  ['HEAD', 200],
  ['GET', 204],
  ['GET', 304],
])('%s with %i has no body', async (method, status) => {
  const server = await serve((_, response) => void response.writeHead(status).end());
  const response = await resilientFetch(clientOf())(server.url, { method });
  expect(response).toMatchObject({ status, body: null });
});

test('under the policy of the client', async () => {
  const server = await serve(
    firstThen(
      2,
      (_, r) => void r.writeHead(503).end(),
      (_, r) => void r.end('ok'),
    ),
  );
  const fetch = resilientFetch(clientOf({ policy: retry({ maxAttempts: 3, baseDelay: 1 }) }));
  expect(await (await fetch(new Request(server.url, { method: 'PUT', body: 'x' }))).text()).toBe('ok');
  expect(server.requests).toHaveLength(3);
});

test('law C1: the caller’s reason ends the body, and the connection', async () => {
  const server = await serve((_, response) => void response.write('start'));
  const controller = new AbortController();
  const response = await resilientFetch(clientOf())(new Request(server.url), { signal: controller.signal });
  const body = response.text();
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(body).rejects.toBe(reason);
  await eventually(() => server.sockets.size).toBe(0);
});

test('law D1: a body that is cancelled closes the connection', async () => {
  const server = await serve((_, response) => void response.write('start'));
  const response = await resilientFetch(clientOf())(server.url);
  await response.body?.cancel();
  await eventually(() => server.sockets.size).toBe(0);
});
