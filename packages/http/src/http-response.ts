import { KeelsonError, OUTCOME, type Outcome } from 'keelson';
import type { Exchange, ResponseHead } from './exchange.ts';
import { HttpBodyError, HttpStatusError, type RequestFacts } from './http-errors.ts';
import { redactUrl } from './redact-url.ts';
import type { ResponseHeaders } from './response-headers.ts';
import { outcomeOf } from './status-outcome.ts';

/** How much of a body may be read at once. */
export interface ReadOptions {
  /** Beyond this many bytes the reading fails and the connection is closed; `Infinity` by default. */
  readonly maxBytes?: number | undefined;
}

/** A body of at most this size is read to its end when nobody wants it: cheaper than a new connection. */
const DRAINED_BYTES = 64 * 1024;
const UTF8 = new TextDecoder();

/** Declared apart, since isolated declarations cannot name a member by an imported symbol within a class. */
export interface HttpResponse {
  readonly [OUTCOME]: Outcome;
}

/**
 * What a server answered. The body is still on its way: read it, or `discard()` it, or let `await using` do so, since until its last byte
 * has come it keeps a connection, and the permits, the deadline and the cancellation of the call that asked for it (law C8).
 *
 * A cancellation or a deadline that ends the call ends the body, too: the connection is closed, and whoever reads rejects with the
 * caller's reason. A body that breaks off rejects with an {@link HttpConnectionError}, after what had come of it.
 *
 * To policies it is, through `OUTCOME`, what its status says: 2xx and 3xx `ok`, 429 `throttled`, 503 `overloaded`, 408, 425 and other 5xx
 * `transient`, other 4xx `permanent`, with the wait of a Retry-After header, and with the quotas that RateLimit or X-RateLimit headers tell of, which
 * a `rateLimit` that is `adaptive` heeds. A response that a retry refuses is discarded.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { createServer } from 'node:http';
 * import { AsyncHttpClient } from '@keelson/http';
 *
 * const server = createServer((_, response) => void response.end('{"id":7}')).listen(0, '127.0.0.1');
 * await new Promise((resolve) => server.once('listening', resolve));
 * const { port } = server.address() as { port: number };
 *
 * await using client = new AsyncHttpClient();
 * const response = await client.request({ url: `http://127.0.0.1:${port}/user` });
 * assert.equal(response.status, 200);
 * assert.deepEqual(await response.json(), { id: 7 });
 * server.close();
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface declares what the static block defines
export class HttpResponse implements AsyncDisposable {
  readonly #request: RequestFacts;
  readonly #head: ResponseHead;
  readonly #exchange: Exchange;
  readonly #outcome: Outcome;
  #isClaimed = false;

  static {
    Object.defineProperty(HttpResponse.prototype, OUTCOME, {
      get(this: HttpResponse): Outcome {
        return this.#outcome;
      },
    });
  }

  /** @internal Made by the client. */
  constructor(request: RequestFacts, head: ResponseHead, exchange: Exchange) {
    this.#request = request;
    this.#head = head;
    this.#exchange = exchange;
    this.#outcome = outcomeOf(head.status, head.headers);
  }

  get status(): number {
    return this.#head.status;
  }

  /** Whether the status is 2xx or 3xx. */
  get ok(): boolean {
    return this.#outcome.kind === 'ok';
  }

  /** Of the request that was answered, after redirections; whole, so take care where you show it. */
  get url(): string {
    return this.#head.url.href;
  }

  /** By lower-case name; a name that came more than once has a list. */
  get headers(): ResponseHeaders {
    return this.#head.headers;
  }

  /** One header by name, in any case; more than one value joined by commas. */
  header(name: string): string | undefined {
    const value = this.#head.headers[name.toLowerCase()];
    return typeof value === 'object' ? value.join(', ') : value;
  }

  /** The bytes as they come, once. The connection is held back while more than 64 KiB wait; leaving the loop early closes it. */
  get body(): AsyncIterable<Uint8Array> {
    return { [Symbol.asyncIterator]: () => this.#claim() };
  }

  /** The whole body. Throws ERR_OPTION for a `maxBytes` that is no number of at least 0. */
  async bytes(options?: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
    return joined(await this.#chunks(options));
  }

  /** The whole body as UTF-8 text, without a byte order mark. */
  async text(options?: ReadOptions): Promise<string> {
    const chunks = await this.#chunks(options);
    return UTF8.decode(chunks.length === 1 ? chunks[0] : joined(chunks));
  }

  /** The whole body as JSON. What is no JSON rejects with an {@link HttpBodyError} that shows nothing of it (law F3). */
  async json<T = unknown>(options?: ReadOptions): Promise<T> {
    const text = await this.text(options);
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new HttpBodyError(this.#request, 'ERR_HTTP_BODY_INVALID', `has a body of ${text.length} characters that is not JSON`);
    }
  }

  /** This response, or throws an {@link HttpStatusError} if its status is neither 2xx nor 3xx; the body is then discarded. */
  throwIfNotOk(): this {
    if (this.ok) return this;
    void this.discard();
    throw new HttpStatusError(this.#request, this.status, this.#outcome);
  }

  /**
   * Gives the connection back: reads a small rest to its end, closes the connection on a large one. Resolves when that is done; never
   * rejects. Whoever is reading the body rejects with ERR_CLOSED.
   */
  discard(): Promise<void> {
    const { body, done } = this.#exchange;
    const isRead = this.#isClaimed;
    this.#isClaimed = true;
    if (body.isOver) return done;
    if (!isRead && this.#isSmall()) body.drain();
    else this.#exchange.abort(new KeelsonError('ERR_CLOSED', `${this.#what()} was discarded`));
    return done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }

  async #chunks({ maxBytes = Number.POSITIVE_INFINITY }: ReadOptions = {}): Promise<Uint8Array[]> {
    if (!(maxBytes >= 0)) throw new KeelsonError('ERR_OPTION', `maxBytes must be a number of at least 0, got ${maxBytes}`);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.body) {
      size += chunk.byteLength;
      if (size > maxBytes) throw new HttpBodyError(this.#request, 'ERR_HTTP_BODY_TOO_LARGE', `has a body of more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return chunks;
  }

  #isSmall(): boolean {
    return Number(this.header('content-length')) <= DRAINED_BYTES;
  }

  #claim(): AsyncIterator<Uint8Array, undefined> {
    if (this.#isClaimed) throw new KeelsonError('ERR_UNSUPPORTED', `${this.#what()} can be read only once`);
    this.#isClaimed = true;
    return this.#exchange.body;
  }

  #what(): string {
    return `the body of ${this.#request.method} ${redactUrl(this.#request.url)}`;
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.byteLength, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
