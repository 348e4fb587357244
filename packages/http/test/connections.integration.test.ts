import { describe, expect, test } from 'vitest';
import { clientOf, eventually, serve } from './loopback.test-support.ts';

/** Undici lets a connection rest for one turn of the event loop, so that one request after another takes turns on two. */
const TAKING_TURNS = 2;

test('a connection is used again', async () => {
  const server = await serve((_, response) => void response.end('ok'));
  const client = clientOf();
  for (let i = 0; i < 20; i++) await (await client.request({ url: server.url })).text();
  expect(server.connections()).toBeLessThanOrEqual(TAKING_TURNS);
  expect(client.statistics().connections).toEqual({ [server.url]: server.connections() });
});

test('also after small bodies that nobody wanted', async () => {
  const server = await serve((_, response) => void response.writeHead(404, { 'content-length': 4 }).end('none'));
  const client = clientOf();
  for (let i = 0; i < 20; i++) await (await client.request({ url: server.url })).discard();
  expect(server.connections()).toBeLessThanOrEqual(TAKING_TURNS);
});

test('not more than the limit are opened, and all requests are served', async () => {
  const server = await serve((_, response) => void setTimeout(() => response.end('ok'), 5));
  const client = clientOf({ connectionsPerOrigin: 4 });
  const texts = await Promise.all(Array.from({ length: 60 }, async () => await (await client.request({ url: server.url })).text()));
  expect(texts).toHaveLength(60);
  expect(server.mostConnections()).toBe(4);
});

test('each origin has its own', async () => {
  const slow = await serve(() => {});
  const quick = await serve((_, response) => void response.end('ok'));
  const client = clientOf({ connectionsPerOrigin: 1 });
  const waiting = client.request({ url: slow.url }).catch(() => undefined);
  expect(await (await client.request({ url: quick.url })).text()).toBe('ok');
  await client.close();
  await waiting;
});

test('law L3: those that wait are bounded', async () => {
  const server = await serve(() => {});
  const client = clientOf({ connectionsPerOrigin: 1, maxQueuePerOrigin: 1 });
  const waiting = [client.request({ url: server.url }), client.request({ url: server.url })].map((one) => one.catch(() => undefined));
  await expect(client.request({ url: server.url })).rejects.toMatchObject({ code: 'ERR_BULKHEAD_FULL' });
  await client.close();
  await Promise.all(waiting);
});

describe('law C8: a connection belongs to its body', () => {
  test('until it is read', async () => {
    const server = await serve((_, response) => void response.end('x'.repeat(1_000_000)));
    const client = clientOf({ connectionsPerOrigin: 1 });
    const first = await client.request({ url: server.url });
    const second = client.request({ url: server.url });
    await eventually(() => server.requests.length).toBe(1);
    expect((await first.bytes()).byteLength).toBe(1_000_000);
    expect((await (await second).bytes()).byteLength).toBe(1_000_000);
    expect(server.connections()).toBe(1);
  });

  test('until it is discarded', async () => {
    const server = await serve((_, response) => void response.end('x'.repeat(1_000_000)));
    const client = clientOf({ connectionsPerOrigin: 1 });
    const first = await client.request({ url: server.url });
    const second = client.request({ url: server.url });
    await first.discard();
    await (await second).discard();
    await eventually(() => server.sockets.size).toBe(0);
  });
});

test('law D4: a body that is read slowly holds back its server', async () => {
  const CHUNK = 'x'.repeat(64 * 1024);
  let written = 0;
  const server = await serve((_, response) => {
    const write = (): void => {
      while (written < 4000) {
        written++;
        if (!response.write(CHUNK)) return void response.once('drain', write);
      }
      response.end();
    };
    write();
  });
  const response = await clientOf().request({ url: server.url });
  const reader = response.body[Symbol.asyncIterator]();
  await reader.next();
  let before = -1;
  await eventually(() => {
    const stands = written === before;
    before = written;
    return stands;
  }).toBe(true);
  expect(written).toBeLessThan(4000);
  await reader.return?.();
  await eventually(() => server.sockets.size).toBe(0);
});
