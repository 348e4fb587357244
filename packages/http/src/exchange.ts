import type { Readable } from 'node:stream';
import { KeelsonError } from 'keelson';
import type { Dispatcher } from 'undici';
import { HttpConnectionError, type RequestFacts } from './http-errors.ts';
import { ResponseBody } from './response-body.ts';
import type { ResponseHeaders } from './response-headers.ts';
import { kindOfStatus } from './status-outcome.ts';
import type { Traffic } from './traffic.ts';

/** What comes before the body. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** Of the last request, after redirections. */
  readonly url: URL;
}

type Controller = Dispatcher.DispatchController;

const FIRST_FINAL_STATUS = 200;
/** What undici is told; the caller's own reason goes straight to the caller. */
const ABANDONED = new Error('abandoned');
const REFUSALS: ReadonlySet<unknown> = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH']);

/**
 * One request and its response on the wire: undici's handler on one side, a promised head and a body on the other.
 *
 * An abort is felt at once, also while undici still waits for a connection; `done` is fulfilled when undici has really let go: the
 * connection is free again, or gone.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly head: Promise<ResponseHead>;
  readonly body: ResponseBody;
  readonly done: Promise<void>;
  readonly #request: RequestFacts;
  readonly #sentBody: Readable | null;
  readonly #traffic: Traffic;
  #phase: 'head' | 'body' | 'over' = 'head';
  #isAbandoned = false;
  #receivedBytes = 0;
  #controller: Controller | null = null;
  /** Kept by undici: the requests made so far, the present one from its head on. */
  #redirections: readonly URL[] = [];
  #accept: (head: ResponseHead) => void = nothing;
  #refuse: (error: unknown) => void = nothing;
  #settle: () => void = nothing;

  /** `sentBody` is the stream that goes out with the request, if any; it ends with the exchange. */
  constructor(request: RequestFacts, sentBody: Readable | null, traffic: Traffic) {
    this.#request = request;
    this.#sentBody = sentBody;
    this.#traffic = traffic;
    this.body = new ResponseBody({ resume: () => this.#controller?.resume(), cancel: () => this.abort(ABANDONED) });
    this.head = new Promise((resolve, reject) => {
      this.#accept = resolve;
      this.#refuse = reject;
    });
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
    traffic.started++;
    traffic.awaitingHead++;
  }

  /** Ends the exchange and its connection: whoever waits for the head or reads the body gets `reason`. Idempotent. */
  abort(reason: unknown): void {
    if (this.#phase === 'over' || this.#isAbandoned) return;
    this.#isAbandoned = true;
    this.#traffic.abandoned++;
    this.#refuse(reason);
    this.body.cancel(reason);
    this.#controller?.abort(ABANDONED);
  }

  onRequestStart(controller: Controller, context: { readonly history?: readonly URL[] } | null): void {
    this.#controller = controller;
    this.#redirections = context?.history ?? this.#redirections;
    if (this.#isAbandoned) controller.abort(ABANDONED);
  }

  onResponseStart(_controller: Controller, status: number, headers: ResponseHeaders): void {
    if (status < FIRST_FINAL_STATUS) return;
    this.#phase = 'body';
    this.#traffic.awaitingHead--;
    this.#traffic.openBodies++;
    this.#traffic.responses[kindOfStatus(status)]++;
    this.#accept({ status, headers, url: this.#redirections.at(-1) ?? this.#request.url });
  }

  onResponseData(controller: Controller, chunk: Uint8Array): void {
    this.#receivedBytes += chunk.byteLength;
    this.#traffic.receivedBytes += chunk.byteLength;
    if (!this.body.push(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.body.end();
    this.#over();
  }

  onResponseError(_controller: Controller | null, cause: Error): void {
    if (!this.#isAbandoned) {
      this.#traffic.failed++;
      const error = this.#failure(cause);
      this.#refuse(error);
      this.body.fail(error);
    }
    this.#over();
  }

  /** The sender's own error stays what it is. What is wrong with the request itself, undici finds before it begins. */
  #failure(cause: Error & { readonly code?: unknown }): Error {
    if (cause === this.#sentBody?.errored) return cause;
    if (this.#controller === null && REFUSALS.has(cause.code)) return new KeelsonError('ERR_OPTION', `request: ${cause.message}`);
    return new HttpConnectionError(this.#request, cause, this.#phase === 'body' ? 'body' : 'head', this.#receivedBytes);
  }

  #over(): void {
    if (this.#phase === 'body') this.#traffic.openBodies--;
    else this.#traffic.awaitingHead--;
    this.#phase = 'over';
    this.#sentBody?.destroy();
    this.#settle();
  }
}

function nothing(): void {}
