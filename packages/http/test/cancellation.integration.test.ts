import { getEventListeners } from 'node:events';
import { bulkhead, retry } from 'keelson';
import { describe, expect, test } from 'vitest';
import { clientOf, eventually, serve } from './loopback.test-support.ts';

const reason = { why: 'enough' };

/** Sends a head and the start of a body, and nothing more. */
const startsOnly = (_: unknown, response: { write(text: string): boolean }): void => void response.write('start');

describe('law C1: the caller’s own reason comes back, and the connection is closed', () => {
  test('before the head', async () => {
    const server = await serve(() => {});
    const controller = new AbortController();
    const sent = clientOf().request({ url: server.url }, { signal: controller.signal });
    await eventually(() => server.requests.length).toBe(1);
    controller.abort(reason);
    await expect(sent).rejects.toBe(reason);
    await eventually(() => server.sockets.size).toBe(0);
  });

  test('within the body', async () => {
    const server = await serve(startsOnly);
    const controller = new AbortController();
    const response = await clientOf().request({ url: server.url }, { signal: controller.signal });
    const text = response.text();
    controller.abort(reason);
    await expect(text).rejects.toBe(reason);
    await eventually(() => server.sockets.size).toBe(0);
  });

  test('before anything: nothing is sent', async () => {
    const server = await serve(() => {});
    await expect(clientOf().request({ url: server.url }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server.connections()).toBe(0);
  });

  test('law C2: while it waits for a connection, at once', async () => {
    const server = await serve(() => {});
    const client = clientOf({ connectionsPerOrigin: 1 });
    const first = client.request({ url: server.url }).catch(() => undefined);
    await eventually(() => server.requests.length).toBe(1);
    const controller = new AbortController();
    const second = client.request({ url: server.url }, { signal: controller.signal });
    controller.abort(reason);
    await expect(second).rejects.toBe(reason);
    await client.close();
    await first;
    expect(server.requests).toHaveLength(1);
  });

  test('of the operation around it', async () => {
    const server = await serve(startsOnly);
    const client = clientOf();
    const controller = new AbortController();
    const sent = retry({ maxAttempts: 3 }).execute(
      async (call) => await (await client.request({ url: server.url }, { parent: call })).text(),
      {
        signal: controller.signal,
      },
    );
    await eventually(() => client.statistics().openBodies).toBe(1);
    controller.abort(reason);
    await expect(sent).rejects.toBe(reason);
    await eventually(() => server.sockets.size).toBe(0);
    expect(server.requests).toHaveLength(1);
  });
});

describe('law C8: a deadline lasts until the last byte', () => {
  test('the call’s own', async () => {
    const server = await serve(startsOnly);
    const response = await clientOf().request({ url: server.url }, { timeout: '300ms' });
    await expect(response.text()).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    await eventually(() => server.sockets.size).toBe(0);
  });

  test('that of the operation around it, although the operation is done', async () => {
    const server = await serve(startsOnly);
    const client = clientOf();
    const response = await retry().execute((call) => client.request({ url: server.url }, { parent: call }), { timeout: '300ms' });
    await expect(response.text()).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
  });

  test('and so do permits around it', async () => {
    const server = await serve((_, response) => void response.end('x'.repeat(1_000_000)));
    const client = clientOf();
    const one = bulkhead({ maxConcurrency: 1, maxQueue: 1 });
    const first = await one.execute((call) => client.request({ url: server.url }, { parent: call }));
    const second = one.execute(() => 'second');
    await eventually(() => server.requests.length).toBe(1);
    expect(one.statistics()).toMatchObject({ inFlight: 1 });
    await first.bytes();
    expect(await second).toBe('second');
  });
});

test('law C7: success aborts nothing', async () => {
  const server = await serve((_, response) => void response.end('ok'));
  const client = clientOf();
  let aborted = false;
  const text = await client.use({ url: server.url }, (response, call) => {
    call.signal.addEventListener('abort', () => {
      aborted = true;
    });
    return response.text();
  });
  expect(text).toBe('ok');
  expect(aborted).toBe(false);
});

test('law C5: 10,000 requests leave no listener on a signal that lives on', async () => {
  const server = await serve((_, response) => void response.end('ok'));
  const client = clientOf({ connectionsPerOrigin: 32 });
  const { signal } = new AbortController();
  let most = 0;
  let left = 10_000;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      await (await client.request({ url: server.url }, { signal })).text();
      most = Math.max(most, getEventListeners(signal, 'abort').length);
    }
  };
  await Promise.all(Array.from({ length: 64 }, worker));
  await new Promise((resolve) => setImmediate(resolve));
  expect(most).toBe(1);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  expect(client.statistics()).toMatchObject({ started: 10_000, awaitingHead: 0, openBodies: 0, failed: 0, responses: { ok: 10_000 } });
});
