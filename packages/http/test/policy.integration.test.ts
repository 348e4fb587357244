import { keyed, type Policy, type RetryOptions, retry, timeout } from 'keelson';
import { describe, expect, test } from 'vitest';
import { clientOf, eventually, firstThen, serve } from './loopback.test-support.ts';

const quick = (options: RetryOptions = {}): RetryOptions => ({ maxAttempts: 4, baseDelay: 1, maxDelay: '5s', ...options });

describe('the client’s policy', () => {
  test('law R2: waits as long as Retry-After says', async () => {
    const server = await serve(
      firstThen(
        1,
        (_, r) => void r.writeHead(429, { 'retry-after': '1' }).end(),
        (_, r) => void r.end('ok'),
      ),
    );
    const sinceMs = performance.now();
    const response = await clientOf({ policy: retry(quick()) }).request({ url: server.url });
    expect(await response.text()).toBe('ok');
    expect(performance.now() - sinceMs).toBeGreaterThanOrEqual(1000);
    expect(server.requests).toHaveLength(2);
  });

  test.each([[408], [425], [429], [500], [502], [503], [504]])('tries again after a %i', async (status) => {
    const server = await serve(
      firstThen(
        2,
        (_, r) => void r.writeHead(status).end(),
        (_, r) => void r.end('ok'),
      ),
    );
    expect(await (await clientOf({ policy: retry(quick()) }).request({ url: server.url })).text()).toBe('ok');
    expect(server.requests).toHaveLength(3);
  });

  test.each([[400], [401], [404], [410], [422]])('not after a %i', async (status) => {
    const server = await serve((_, response) => void response.writeHead(status).end('no'));
    expect(await clientOf({ policy: retry(quick()) }).request({ url: server.url })).toMatchObject({ status, ok: false });
    expect(server.requests).toHaveLength(1);
  });

  test('tries again after a reset', async () => {
    const server = await serve(
      firstThen(
        2,
        (request) => void request.socket.resetAndDestroy(),
        (_, r) => void r.end('ok'),
      ),
    );
    expect(await (await clientOf({ policy: retry(quick()) }).request({ url: server.url })).text()).toBe('ok');
    expect(server.requests).toHaveLength(3);
  });

  test('and, with `use`, after a body that broke off', async () => {
    const breaks = firstThen(
      2,
      (request, response) => void response.writeHead(200, { 'content-length': 5 }).write('br', () => request.socket.destroy()),
      (_, response) => void response.end('whole'),
    );
    const server = await serve(breaks);
    expect(await clientOf({ policy: retry(quick()) }).use({ url: server.url }, (response) => response.text())).toBe('whole');
    expect(server.requests).toHaveLength(3);
  });

  test('finds the keys of the origin', async () => {
    const server = await serve((_, response) => void response.end('ok'));
    const seen: string[] = [];
    const perOrigin = (name: string): Policy =>
      keyed(name, (key) => {
        seen.push(key);
        return timeout('5s');
      });
    const { host } = new URL(server.url);
    for (const name of ['origin', 'host']) await (await clientOf({ policy: perOrigin(name) }).request({ url: server.url })).discard();
    expect(seen).toEqual([server.url, host]);
  });
});

describe('law R5: what HTTP does not define as repeatable is sent once', () => {
  test.each([
    ['POST', {}, 1],
    ['PATCH', {}, 1],
    ['POST', { idempotent: true }, 4],
    ['POST', { headers: { 'idempotency-key': 'k' } }, 4],
    ['PUT', {}, 4],
    ['PUT', { idempotent: false }, 1],
  ])('%s %j: %i', async (method, more, times) => {
    const server = await serve((_, response) => void response.writeHead(500).end());
    await (await clientOf({ policy: retry(quick()) }).request({ url: server.url, method, body: 'x', ...more })).discard();
    expect(server.requests).toHaveLength(times);
  });
});

test('a streamed body is made anew for each attempt', async () => {
  const bodies: string[] = [];
  const server = await serve((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(bodies.length < 3 ? 503 : 200).end();
    });
  });
  let made = 0;
  const body = async function* (): AsyncGenerator<string> {
    yield `body ${++made}`;
  };
  await (await clientOf({ policy: retry(quick()) }).request({ url: server.url, method: 'PUT', body })).discard();
  expect(bodies).toEqual(['body 1', 'body 2', 'body 3']);
});

test.each([
  ['small', 'x'.repeat(100)],
  ['large', 'x'.repeat(1_000_000)],
])('law H1, R6: the %s bodies that a retry refused leave nothing open', async (_, refused) => {
  const server = await serve(
    firstThen(
      3,
      (__, r) => void r.writeHead(500).end(refused),
      (__, r) => void r.end('ok'),
    ),
  );
  const client = clientOf({ connectionsPerOrigin: 1, policy: retry(quick()) });
  expect(await (await client.request({ url: server.url })).text()).toBe('ok');
  expect(client.statistics()).toMatchObject({ started: 4, awaitingHead: 0, openBodies: 0 });
  await eventually(() => server.sockets.size).toBeLessThanOrEqual(1);
  await client.close();
  await eventually(() => server.sockets.size).toBe(0);
});
