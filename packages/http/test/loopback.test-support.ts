import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AsyncHttpClient, type AsyncHttpClientOptions } from '@keelson/http';
import { expect, onTestFinished } from 'vitest';

/** A server on the loopback that lives until the test ends, and what it sees of its clients. */
export interface Loopback {
  /** Without a slash at the end. */
  readonly url: string;
  /** Requests that have come, oldest first. */
  readonly requests: readonly IncomingMessage[];
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** Connections there have been. */
  readonly connections: () => number;
  /** The most connections that were open at once. */
  readonly mostConnections: () => number;
}

export async function serve(listener: RequestListener): Promise<Loopback> {
  const requests: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let most = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request: IncomingMessage, response: ServerResponse) => {
    requests.push(request);
    listener(request, response);
  });
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    socket.once('close', () => sockets.delete(socket)).on('error', () => {}); // resets are what some tests are about
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, sockets, connections: () => connections, mostConnections: () => most };
}

/** A client that is closed when the test ends. */
export function clientOf<R = never>(options: AsyncHttpClientOptions<R> = {}): AsyncHttpClient<R> {
  const client = new AsyncHttpClient<R>(options);
  onTestFinished(() => client.close());
  return client;
}

/** The first `times` requests get the first answer, all later ones the second. */
export function firstThen(times: number, first: RequestListener, then: RequestListener): RequestListener {
  let n = 0;
  return (request, response) => (n++ < times ? first : then)(request, response);
}

const WITHIN_MS = 10_000;

/** Expects of a value, sooner or later, what follows: other processes and the system's sockets take the time they take. */
export function eventually<T>(read: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(read, { timeout: WITHIN_MS, interval: 5 });
}
