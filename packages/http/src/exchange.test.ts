import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { describe, expect, test } from 'vitest';
import { Exchange } from './exchange.ts';
import { HttpConnectionError } from './http-errors.ts';
import { Traffic } from './traffic.ts';

const REQUEST = { method: 'GET', url: new URL('http://a.example/') };

/** The other side of an exchange, in place of undici: an abort comes back as an error at once, as undici does it. */
class ScriptedController implements Dispatcher.DispatchController {
  readonly calls: string[] = [];
  readonly #exchange: Exchange;
  aborted = false;
  paused = false;
  reason: Error | null = null;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  abort(reason: Error): void {
    this.calls.push('abort');
    this.aborted = true;
    this.#exchange.onResponseError(this, reason);
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }
}

interface Scripted {
  readonly exchange: Exchange;
  readonly controller: ScriptedController;
  readonly traffic: Traffic;
}

function scripted(sentBody: Readable | null = null): Scripted {
  const traffic = new Traffic();
  const exchange = new Exchange(REQUEST, sentBody, traffic);
  return { exchange, traffic, controller: new ScriptedController(exchange) };
}

async function isDone(exchange: Exchange): Promise<boolean> {
  return await Promise.race([exchange.done.then(() => true), Promise.resolve().then(() => Promise.resolve(false))]);
}

test('a response, from the head to the last byte', async () => {
  const { exchange, controller, traffic } = scripted();
  exchange.onRequestStart(controller, null);
  expect(traffic).toMatchObject({ started: 1, awaitingHead: 1 });
  exchange.onResponseStart(controller, 100, {});
  exchange.onResponseStart(controller, 200, { a: 'b' });
  expect(await exchange.head).toEqual({ status: 200, headers: { a: 'b' }, url: REQUEST.url });
  expect(traffic).toMatchObject({ awaitingHead: 0, openBodies: 1 });
  exchange.onResponseData(controller, new Uint8Array(3));
  expect(await isDone(exchange)).toBe(false);
  exchange.onResponseEnd();
  await exchange.done;
  expect((await exchange.body.next()).value?.byteLength).toBe(3);
  expect(traffic).toMatchObject({ openBodies: 0, failed: 0, abandoned: 0, receivedBytes: 3, responses: { ok: 1 } });
});

test('after redirections the URL is that of the last request', async () => {
  const { exchange, controller } = scripted();
  const history: URL[] = [];
  exchange.onRequestStart(controller, { history });
  history.push(REQUEST.url, new URL('http://b.example/'));
  exchange.onResponseStart(controller, 200, {});
  expect((await exchange.head).url.href).toBe('http://b.example/');
});

test('law D4: the connection is paused and resumed', async () => {
  const { exchange, controller } = scripted();
  exchange.onRequestStart(controller, null);
  exchange.onResponseStart(controller, 200, {});
  exchange.onResponseData(controller, new Uint8Array(64 * 1024));
  await exchange.body.next();
  expect(controller.calls).toEqual(['pause', 'resume']);
});

describe('a failure', () => {
  const cause = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });

  test('before the head', async () => {
    const { exchange, controller, traffic } = scripted();
    exchange.onRequestStart(controller, null);
    exchange.onResponseError(controller, cause);
    await expect(exchange.head).rejects.toMatchObject({ code: 'UND_ERR_SOCKET', phase: 'head', cause });
    await exchange.done;
    expect(traffic).toMatchObject({ awaitingHead: 0, failed: 1 });
  });

  test('within the body reaches the reader', async () => {
    const { exchange, controller, traffic } = scripted();
    exchange.onRequestStart(controller, null);
    exchange.onResponseStart(controller, 200, {});
    exchange.onResponseData(controller, new Uint8Array(5));
    exchange.onResponseError(controller, cause);
    await exchange.body.next();
    await expect(exchange.body.next()).rejects.toMatchObject({ phase: 'body', receivedBytes: 5 });
    expect(traffic).toMatchObject({ openBodies: 0, failed: 1 });
  });

  test('a request that undici refuses is the caller’s fault', async () => {
    const { exchange } = scripted();
    exchange.onResponseError(null, Object.assign(new Error('invalid upgrade header'), { code: 'UND_ERR_INVALID_ARG' }));
    await expect(exchange.head).rejects.toMatchObject({ code: 'ERR_OPTION', message: 'request: invalid upgrade header' });
  });

  test('without a connection', async () => {
    const { exchange } = scripted();
    exchange.onResponseError(null, Object.assign(new Error('connect timeout'), { code: 'UND_ERR_CONNECT_TIMEOUT' }));
    await expect(exchange.head).rejects.toBeInstanceOf(HttpConnectionError);
  });

  test('ends the stream that was to be sent', async () => {
    const stream = new Readable({ read: () => {} });
    const { exchange } = scripted(stream);
    exchange.onResponseError(null, Object.assign(new Error('connect timeout'), { code: 'UND_ERR_CONNECT_TIMEOUT' }));
    await expect(exchange.head).rejects.toBeInstanceOf(HttpConnectionError);
    expect(stream.destroyed).toBe(true);
  });

  test('of the sent body comes through as it is, and the stream ends', async () => {
    const mine = new Error('mine');
    const stream = Readable.from([]);
    const { exchange, controller } = scripted(stream);
    exchange.onRequestStart(controller, null);
    stream.once('error', (error: Error) => exchange.onResponseError(controller, error)).destroy(mine);
    await expect(exchange.head).rejects.toBe(mine);
    expect(stream.destroyed).toBe(true);
  });
});

describe('law C1, C8: an abort', () => {
  const reason = { why: 'enough' };

  test('before undici has begun is felt at once; done only when undici lets go', async () => {
    const { exchange, controller, traffic } = scripted();
    exchange.abort(reason);
    await expect(exchange.head).rejects.toBe(reason);
    expect(await isDone(exchange)).toBe(false);
    exchange.onRequestStart(controller, null);
    await exchange.done;
    expect(controller.calls).toEqual(['abort']);
    expect(traffic).toMatchObject({ awaitingHead: 0, failed: 0, abandoned: 1 });
  });

  test('before the head closes the connection', async () => {
    const { exchange, controller } = scripted();
    exchange.onRequestStart(controller, null);
    exchange.abort(reason);
    await expect(exchange.head).rejects.toBe(reason);
    await exchange.done;
    expect(controller.calls).toEqual(['abort']);
  });

  test('within the body rejects the reader', async () => {
    const { exchange, controller, traffic } = scripted();
    exchange.onRequestStart(controller, null);
    exchange.onResponseStart(controller, 200, {});
    const read = exchange.body.next();
    exchange.abort(reason);
    await expect(read).rejects.toBe(reason);
    expect(traffic).toMatchObject({ openBodies: 0, failed: 0, abandoned: 1 });
  });

  test('twice, or after the end, is nothing', async () => {
    const { exchange, controller, traffic } = scripted();
    exchange.onRequestStart(controller, null);
    exchange.onResponseStart(controller, 200, {});
    exchange.onResponseEnd();
    exchange.abort(reason);
    exchange.abort(reason);
    await exchange.done;
    expect(controller.calls).toEqual([]);
    expect(traffic.abandoned).toBe(0);
  });

  test('a reader that leaves early closes the connection', async () => {
    const { exchange, controller } = scripted();
    exchange.onRequestStart(controller, null);
    exchange.onResponseStart(controller, 200, {});
    await exchange.body.return();
    await exchange.done;
    expect(controller.calls).toEqual(['abort']);
  });
});
