import { Readable } from 'node:stream';
import { bulkhead, type Call, compose, type ExecuteOptions, enlist, KeelsonError, keyed, type Operation, type Policy } from 'keelson';
import { Agent, type Dispatcher, interceptors } from 'undici';
import { type AsyncHttpClientOptions, agentOptions, checkClientOptions } from './client-options.ts';
import { Exchange } from './exchange.ts';
import { type CheckedRequest, checkRequest, type HttpRequest } from './http-request.ts';
import { HttpResponse } from './http-response.ts';
import type { StatusKind } from './status-outcome.ts';
import { Traffic } from './traffic.ts';

/** What an {@link AsyncHttpClient} has done so far and is doing now: a frozen snapshot. */
export interface HttpClientStatistics {
  readonly name: string;
  readonly isClosed: boolean;
  /** Requests sent or about to be, retries included. */
  readonly started: number;
  /** Of these, waiting for the head of their response. */
  readonly awaitingHead: number;
  /** Of these, with a head, and a body that is still coming. */
  readonly openBodies: number;
  /** That failed on the network. */
  readonly failed: number;
  /** That were cancelled, timed out or discarded before their last byte. */
  readonly abandoned: number;
  readonly receivedBytes: number;
  /** Responses by what their status says. */
  readonly responses: Readonly<Record<StatusKind, number>>;
  /** Open connections by origin; empty with a dispatcher of your own. */
  readonly connections: Readonly<Record<string, number>>;
}

/** Takes a response, whose body lives no longer than what is returned. */
export type ResponseUse<T> = (response: HttpResponse, call: Call) => T | PromiseLike<T>;

/** Has no rule of its own: it joins what a caller says about a call to the client's own life. */
const PASS: Policy<never, unknown> = compose();

/**
 * An HTTP client that keeps the laws of calls on the wire: connection limits, cancellation and deadlines that last until the last byte of
 * the body, Retry-After and status classes for policies, nothing secret in errors.
 *
 * Sends each request under the client's `policy`, if it has one; a request that HTTP does not define as repeatable (POST, PATCH) is not
 * retried unless it says so (law R5). Connections speak HTTP/1.1, are kept alive, and are closed by a cancellation in their exchange. A
 * body is not decompressed, and none is asked for. A name has to be resolved and a connection made within 10 s.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { createServer } from 'node:http';
 * import { AsyncHttpClient } from '@keelson/http';
 * import { compose, retry, timeout } from 'keelson';
 *
 * let requests = 0;
 * const server = createServer((_, response) => void response.writeHead(++requests < 3 ? 503 : 200).end('hello')).listen(0, '127.0.0.1');
 * await new Promise((resolve) => server.once('listening', resolve));
 * const { port } = server.address() as { port: number };
 *
 * await using client = new AsyncHttpClient({ policy: compose(retry({ maxAttempts: 5, baseDelay: '1ms' }), timeout('2s')) });
 * const text = await client.use({ url: `http://127.0.0.1:${port}/` }, (response) => response.throwIfNotOk().text());
 * assert.equal(text, 'hello');
 * assert.equal(requests, 3);
 * server.close();
 */
export class AsyncHttpClient<R = never> implements AsyncDisposable {
  readonly name: string;
  readonly #userAgent: string;
  readonly #policy: Policy<R, unknown>;
  /** Null with a dispatcher of the user's own. */
  readonly #agent: Agent | null;
  readonly #dispatcher: Dispatcher;
  readonly #traffic: Traffic = new Traffic();
  readonly #closing: AbortController = new AbortController();
  #closed: Promise<void> | null = null;

  /** Throws ERR_OPTION for an option that is unknown or wrong. */
  constructor(options: AsyncHttpClientOptions<R> = {}) {
    const settings = checkClientOptions(options);
    const { name, connectionsPerOrigin: maxConcurrency, maxQueuePerOrigin: maxQueue, maxRedirections } = settings;
    const connections = keyed('origin', () => bulkhead({ maxConcurrency, maxQueue, name: 'connections' }), { name });
    this.name = name;
    this.#userAgent = settings.userAgent;
    this.#policy = settings.policy === undefined ? connections : compose(settings.policy, connections);
    this.#agent = settings.dispatcher === undefined ? new Agent(agentOptions(settings)) : null;
    const dispatcher = settings.dispatcher ?? (this.#agent as Agent);
    this.#dispatcher = maxRedirections === 0 ? dispatcher : dispatcher.compose(interceptors.redirect({ maxRedirections }));
    enlist(this);
  }

  /**
   * Sends a request, and resolves when the head of its response has come, whatever its status. The body is yours: read it or discard it,
   * and read {@link HttpResponse} on what happens to it.
   *
   * `{ parent: call }` joins the call of a policy around it. Rejects with ERR_OPTION for a request that is not in order, before anything is
   * sent; with an {@link HttpConnectionError} if no response comes; with ERR_CLOSED once the client is closed; with what the policy and
   * the options decide; with the caller's own reason.
   */
  request(request: HttpRequest, options: ExecuteOptions = {}): Promise<HttpResponse | R> {
    return this.#run(request, options, (checked, call) => this.#send(checked, call));
  }

  /**
   * Like `request`, but passes the response to `use` under the policy, so that a body that breaks off is asked for again; what `use` leaves
   * of the body is discarded. Resolves to what `use` returns.
   */
  use<T>(request: HttpRequest, use: ResponseUse<T>, options: ExecuteOptions = {}): Promise<T | R> {
    return this.#run(request, options, async (checked, call) => {
      await using response = await this.#send(checked, call);
      return await use(response, call);
    });
  }

  /** How it stands now: a frozen, JSON-safe snapshot. */
  statistics(): HttpClientStatistics {
    const { responses, ...counts } = this.#traffic;
    return Object.freeze({
      name: this.name,
      isClosed: this.#closed !== null,
      ...counts,
      responses: Object.freeze({ ...responses }),
      connections: Object.freeze(connectionsOf(this.#agent)),
    });
  }

  /**
   * Ends everything: requests that wait or run, and bodies that are being read, reject with ERR_CLOSED (law P5). Resolves when the
   * connections are gone. Idempotent.
   */
  close(): Promise<void> {
    if (this.#closed === null) {
      this.#closing.abort(new KeelsonError('ERR_CLOSED', `${this.name}: the client is closed`));
      this.#closed = this.#agent === null ? Promise.resolve() : this.#agent.destroy();
    }
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run<T>(request: HttpRequest, options: ExecuteOptions, send: (checked: CheckedRequest, call: Call) => Promise<T>): Promise<T | R> {
    let checked: CheckedRequest;
    try {
      checked = checkRequest(request, this.#userAgent);
    } catch (error) {
      return Promise.reject(error);
    }
    const { method, origin, url } = checked;
    const { host } = url;
    const operation: Operation<T> = (call) => send(checked, call);
    const own: ExecuteOptions = {
      ...options,
      name: options.name ?? `${method} ${host}`,
      keys: { ...options.keys, origin, host },
      idempotent: options.idempotent ?? checked.isIdempotent,
      signal: this.#closing.signal,
    };
    if (options.signal === undefined) return this.#policy.execute(operation, own);
    const inner = { ...own, timeout: undefined, deadline: undefined };
    return PASS.execute((call) => this.#policy.execute(operation, { ...inner, parent: call }), { ...own, signal: options.signal });
  }

  async #send(request: CheckedRequest, call: Call): Promise<HttpResponse> {
    const { origin, url, method, headers } = request;
    const stream = typeof request.body === 'function' ? Readable.from(request.body(), { objectMode: false }) : null;
    const exchange = new Exchange(request, stream, this.#traffic);
    const { signal } = call;
    const onAbort = (): void => exchange.abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    call.hold(exchange.done.then(() => signal.removeEventListener('abort', onAbort)));
    const body = stream ?? (request.body as string | Uint8Array | undefined) ?? null;
    this.#dispatcher.dispatch({ origin, path: url.pathname + url.search, method, headers, body }, exchange);
    return new HttpResponse(request, await exchange.head, exchange);
  }
}

function connectionsOf(agent: Agent | null): Record<string, number> {
  return Object.fromEntries(Object.entries(agent?.stats ?? {}).map(([origin, { connected }]) => [origin, Number(connected)]));
}
