import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request, as the origin saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

export type Answer = (seen: Seen, response: ServerResponse, nth: number) => void;

/** A local server that logs what it was asked. */
export interface Origin extends AsyncDisposable {
  readonly url: string;
  readonly log: Seen[];
  /** Requests for one path so far. */
  countOf(path: string): number;
  /** Resolves when so many requests have come in all. */
  requests(count: number): Promise<void>;
}

/** Starts an origin on a port of its own; `answer` gets each request with its number among those for the same path, from 1. */
export async function startOrigin(answer: Answer = echoPath): Promise<Origin> {
  const log: Seen[] = [];
  const counts = new Map<string, number>();
  const waiting = new Set<{ count: number; resolve: () => void }>();
  const server = createServer((request, response) => {
    const seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers };
    const nth = (counts.get(seen.path) ?? 0) + 1;
    counts.set(seen.path, nth);
    log.push(seen);
    for (const each of waiting) if (log.length >= each.count) each.resolve();
    answer(seen, response, nth);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    countOf: (path) => counts.get(path) ?? 0,
    requests: (count) =>
      new Promise((resolve) => {
        if (log.length >= count) resolve();
        else waiting.add({ count, resolve });
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Says the path, at once. */
export function echoPath({ path }: Seen, response: ServerResponse): void {
  response.end(path);
}

/** Says the path after a while that depends on it alone. */
export function echoPathLater({ path }: Seen, response: ServerResponse): void {
  const spread = path.length + path.charCodeAt(path.length - 1) * 5;
  setTimeout(() => response.end(path), (spread % 8) + 1);
}
