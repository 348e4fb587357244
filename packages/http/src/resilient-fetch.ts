import type { AsyncHttpClient } from './async-http-client.ts';
import type { HttpResponse } from './http-response.ts';

/** Statuses whose responses have no body: the constructor of `Response` refuses one. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * A `fetch` that sends through `client`: under its policy and its connection limits, for libraries that take a `fetch` of yours.
 *
 * Differs from the global one in this: a connection that fails rejects with an `HttpConnectionError`, not a `TypeError`; redirections are
 * followed as often as the client says; a body to be sent is read whole first, so that it can be sent again; nothing is decompressed. The
 * body of the response keeps the call's connection, deadline and cancellation until it is read or cancelled.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { createServer } from 'node:http';
 * import { AsyncHttpClient, resilientFetch } from '@keelson/http';
 * import { retry } from 'keelson';
 *
 * let requests = 0;
 * const server = createServer((_, response) => void response.writeHead(++requests < 3 ? 503 : 200).end('{"id":7}')).listen(0, '127.0.0.1');
 * await new Promise((resolve) => server.once('listening', resolve));
 * const { port } = server.address() as { port: number };
 *
 * await using client = new AsyncHttpClient({ policy: retry({ maxAttempts: 3, baseDelay: '1ms' }) });
 * const fetch = resilientFetch(client);
 * const response = await fetch(`http://127.0.0.1:${port}/`);
 * assert.deepEqual(await response.json(), { id: 7 });
 * server.close();
 */
export function resilientFetch(client: AsyncHttpClient): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, { ...init, signal: null });
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    const { url, method } = request;
    const headers = Object.fromEntries(request.headers);
    const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
    return asFetched(await client.request({ url, method, headers, body }, { signal }), method);
  };
}

function asFetched(response: HttpResponse, method: string): Response {
  const { status, url } = response;
  const headers = new Headers();
  for (const [name, value = []] of Object.entries(response.headers)) {
    for (const one of typeof value === 'string' ? [value] : value) headers.append(name, one);
  }
  const hasBody = method !== 'HEAD' && !BODILESS.has(status);
  const fetched = new Response(hasBody ? ReadableStream.from(response.body) : null, { status, headers });
  return Object.defineProperty(fetched, 'url', { value: url });
}
