import { STATUS_CODES } from 'node:http';
import { OUTCOME, type Outcome } from 'keelson';
import { redactUrl } from './redact-url.ts';

/** Which request an error is about. */
export interface RequestFacts {
  readonly method: string;
  readonly url: URL;
}

/** Declared apart, since isolated declarations cannot name a member by an imported symbol within a class. */
export interface HttpError {
  readonly [OUTCOME]: Outcome;
}

/**
 * What can go wrong between a request and the last byte of its response, as far as the other side or the network decides it. A refusal, a
 * timeout or a cancellation by Keelson is a `KeelsonError`; a caller's own reason comes through as it is.
 *
 * Says through `OUTCOME` what it is to policies. No error carries a header, a body, credentials or the values of a query.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { AsyncHttpClient, HttpError } from '@keelson/http';
 *
 * await using client = new AsyncHttpClient();
 * const error = await client.request({ url: 'http://user:password@127.0.0.1:1/?token=secret' }).catch((e: unknown) => e);
 * assert(error instanceof HttpError);
 * assert.equal(error.url, 'http://127.0.0.1:1/?token=***');
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface declares what the constructor defines
export abstract class HttpError extends Error {
  declare readonly code: string;
  readonly method: string;
  /** Without credentials and the values of the query. */
  readonly url: string;

  constructor(facts: RequestFacts, message: string, outcome: Outcome, cause?: unknown) {
    const url = redactUrl(facts.url);
    super(`${facts.method} ${url} ${message}`, cause === undefined ? undefined : { cause });
    this.method = facts.method;
    this.url = url;
    // Not enumerable: a printed error need not show what its kind and code say already.
    Object.defineProperty(this, OUTCOME, { value: outcome });
  }
}

/**
 * A response whose status is not a success, thrown by `response.throwIfNotOk()`.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { createServer } from 'node:http';
 * import { AsyncHttpClient, HttpStatusError } from '@keelson/http';
 *
 * const server = createServer((_, response) => void response.writeHead(404).end()).listen(0, '127.0.0.1');
 * await new Promise((resolve) => server.once('listening', resolve));
 * const { port } = server.address() as { port: number };
 *
 * await using client = new AsyncHttpClient();
 * const response = await client.request({ url: `http://127.0.0.1:${port}/missing` });
 * assert.throws(() => response.throwIfNotOk(), (error) => error instanceof HttpStatusError && error.status === 404);
 * server.close();
 */
export class HttpStatusError extends HttpError {
  declare readonly code: 'ERR_HTTP_STATUS';
  readonly status: number;
  /** In how many milliseconds the server said another try may succeed. */
  readonly retryAfterMs: number | undefined;

  constructor(facts: RequestFacts, status: number, outcome: Outcome) {
    super(facts, `answered ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd(), outcome);
    this.code = 'ERR_HTTP_STATUS';
    this.status = status;
    this.retryAfterMs = outcome.retryAfterMs;
  }
}

/** Where an exchange was when it failed. */
export type ExchangePhase = 'head' | 'body';

/**
 * No response, or not all of one: the name was not found, the connection was refused, reset or closed early, the body was shorter than
 * announced, the other side was silent for longer than `headersTimeout` or `bodyTimeout`.
 *
 * `code` is the system's or undici's own (`'ECONNRESET'`, `'UND_ERR_SOCKET'`), `cause` its error. `transient` to policies, except for a
 * certificate that cannot be trusted.
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { AsyncHttpClient, HttpConnectionError } from '@keelson/http';
 *
 * await using client = new AsyncHttpClient();
 * const error = await client.request({ url: 'http://127.0.0.1:1/' }).catch((e: unknown) => e);
 * assert(error instanceof HttpConnectionError);
 * assert.deepEqual([error.code, error.phase], ['ECONNREFUSED', 'head']);
 */
export class HttpConnectionError extends HttpError {
  declare readonly code: string;
  /** Before the status and headers had come, or after. */
  readonly phase: ExchangePhase;
  /** Bytes of the body that had come. */
  readonly receivedBytes: number;

  constructor(facts: RequestFacts, cause: Error & { readonly code?: unknown }, phase: ExchangePhase, receivedBytes: number) {
    const code = typeof cause.code === 'string' ? cause.code : 'ERR_HTTP_CONNECTION';
    const where = phase === 'head' ? 'got no response' : `lost its body after ${receivedBytes} bytes`;
    // A parser error carries the bytes it failed on, which may hold a cookie (law F3).
    super(facts, `${where}: ${cause.message || code}`, outcomeOfConnection(code), 'data' in cause ? undefined : cause);
    this.code = code;
    this.phase = phase;
    this.receivedBytes = receivedBytes;
  }
}

/**
 * A body that is larger than its reader allowed (`permanent` to policies), or is not the JSON its reader asked for (`transient`).
 *
 * @example
 * import assert from 'node:assert/strict';
 * import { createServer } from 'node:http';
 * import { AsyncHttpClient, HttpBodyError } from '@keelson/http';
 *
 * const server = createServer((_, response) => void response.end('<html>')).listen(0, '127.0.0.1');
 * await new Promise((resolve) => server.once('listening', resolve));
 * const { port } = server.address() as { port: number };
 *
 * await using client = new AsyncHttpClient();
 * const error = await client.use({ url: `http://127.0.0.1:${port}/` }, (response) => response.json()).catch((e: unknown) => e);
 * assert(error instanceof HttpBodyError && error.code === 'ERR_HTTP_BODY_INVALID');
 * server.close();
 */
export class HttpBodyError extends HttpError {
  declare readonly code: 'ERR_HTTP_BODY_TOO_LARGE' | 'ERR_HTTP_BODY_INVALID';

  constructor(facts: RequestFacts, code: HttpBodyError['code'], message: string) {
    super(facts, message, code === 'ERR_HTTP_BODY_TOO_LARGE' ? PERMANENT : TRANSIENT);
    this.code = code;
  }
}

for (const type of [HttpError, HttpStatusError, HttpConnectionError, HttpBodyError]) {
  Object.defineProperty(type.prototype, 'name', { value: type.name, writable: true, configurable: true });
}

const TRANSIENT: Outcome = Object.freeze({ kind: 'transient', origin: 'remote' });
const PERMANENT: Outcome = Object.freeze({ kind: 'permanent', origin: 'remote' });
const UNTRUSTED = /^(ERR_TLS_CERT|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)_)/;

function outcomeOfConnection(code: string): Outcome {
  return UNTRUSTED.test(code) ? PERMANENT : TRANSIENT;
}
