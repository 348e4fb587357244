import { retry } from 'keelson';
import { describe, expect, test } from 'vitest';
import { clientOf, eventually, serve } from './loopback.test-support.ts';

const closed = { code: 'ERR_CLOSED' };

describe('law P5: closing settles everything', () => {
  test('waiting, in flight, in the body, in backoff; and closes the connections', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/body') response.write('start');
      if (request.url === '/fails') response.writeHead(500).end();
    });
    const client = clientOf({ connectionsPerOrigin: 2, policy: retry({ baseDelay: '1h', maxDelay: '1h', jitter: 'none' }) });
    const backingOff = client.request({ url: `${server.url}/fails` });
    await eventually(() => client.statistics().responses.transient).toBe(1);
    const body = (await client.request({ url: `${server.url}/body` })).text();
    const inFlight = client.request({ url: `${server.url}/silent` });
    await eventually(() => server.requests.length).toBe(3);
    const waiting = client.request({ url: `${server.url}/silent` });
    const withSignal = client.request({ url: `${server.url}/silent` }, { signal: new AbortController().signal });
    const all = [backingOff, body, inFlight, waiting, withSignal].map((one) => expect(one).rejects.toMatchObject(closed));
    await client.close();
    await Promise.all(all);
    expect(server.requests).toHaveLength(3);
    await eventually(() => server.sockets.size).toBe(0);
    expect(client.statistics()).toMatchObject({ isClosed: true, awaitingHead: 0, openBodies: 0 });
  });

  test('is the same twice, and refuses what comes after', async () => {
    const server = await serve((_, response) => void response.end('ok'));
    const client = clientOf();
    await (await client.request({ url: server.url })).text();
    await Promise.all([client.close(), client.close()]);
    await client[Symbol.asyncDispose]();
    await expect(client.request({ url: server.url })).rejects.toMatchObject(closed);
    await expect(client.request({ url: server.url }, { signal: new AbortController().signal })).rejects.toMatchObject(closed);
    expect(server.requests).toHaveLength(1);
  });
});

test('statistics are frozen and survive JSON', async () => {
  const server = await serve((_, response) => void response.end('ok'));
  const client = clientOf({ name: 'mine' });
  await (await client.request({ url: server.url })).text();
  const statistics = client.statistics();
  expect(JSON.parse(JSON.stringify(statistics))).toEqual({
    name: 'mine',
    isClosed: false,
    started: 1,
    awaitingHead: 0,
    openBodies: 0,
    failed: 0,
    abandoned: 0,
    receivedBytes: 2,
    responses: { ok: 1, transient: 0, throttled: 0, overloaded: 0, permanent: 0 },
    connections: { [server.url]: 1 },
  });
  expect(Object.isFrozen(statistics) && Object.isFrozen(statistics.responses) && Object.isFrozen(statistics.connections)).toBe(true);
});
