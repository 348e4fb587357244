import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { chance, type Fault, type FaultCounts, faultOf } from './faults.ts';

/** What a request would get if nothing went wrong. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  /** Whether nothing goes wrong with it. */
  readonly isSpared?: boolean | undefined;
}

/** Where the answers come from: `target` is the path with its query. */
export type Source = (target: string) => Answer | Promise<Answer>;

/** How a server misbehaves. */
export interface FaultOptions {
  /** Same seed, same target, same visit: same fault. */
  readonly seed?: number | undefined;
  /** Number of the request with which the outage begins; `Infinity` for none. */
  readonly outageAtRequest?: number | undefined;
  readonly outageMs?: number | undefined;
}

type Settings = { readonly [K in keyof FaultOptions]-?: NonNullable<FaultOptions[K]> };

const MAX_CONNECTIONS = 1024;
const MOST_MS = { least: 1, most: 5 };
const SLOW_MS = { least: 400, most: 800 };
const OUTAGE_AT_REQUEST = 900;
const OUTAGE_MS = 5_000;

/** A server on a free port of the loopback that passes on what its source says, and misbehaves on purpose: the same way for the same seed. */
export class FaultyServer implements AsyncDisposable {
  readonly #source: Source;
  readonly #settings: Settings;
  readonly #server: Server;
  readonly #counts: Record<keyof FaultCounts, number> = { reset: 0, throttled: 0, unavailable: 0, truncated: 0, slow: 0, outage: 0 };
  readonly #visits = new Map<string, number>();
  readonly #latenciesMs: number[] = [];
  #requests = 0;
  #wholeAnswers = 0;
  #outageUntilMs = Number.NEGATIVE_INFINITY;

  private constructor(source: Source, settings: Settings) {
    this.#source = source;
    this.#settings = settings;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  static async start(source: Source, options: FaultOptions = {}): Promise<FaultyServer> {
    const { seed = 1, outageAtRequest = OUTAGE_AT_REQUEST, outageMs = OUTAGE_MS } = options;
    const server = new FaultyServer(source, { seed, outageAtRequest, outageMs });
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  /** Without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  counts(): FaultCounts {
    return { ...this.#counts };
  }

  /** How many requests were answered in full, with what their source said. */
  get wholeAnswers(): number {
    return this.#wholeAnswers;
  }

  /** Time from each request to the first byte of its answer, in milliseconds, sorted; without those of an outage. */
  latenciesMs(): readonly number[] {
    return this.#latenciesMs.toSorted((a, b) => a - b);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sinceMs = performance.now();
    const target = request.url ?? '/';
    const answer = await this.#source(target);
    if (answer.isSpared) {
      response.writeHead(answer.status).end(answer.body);
      return;
    }
    const visit = (this.#visits.get(target) ?? 0) + 1;
    this.#visits.set(target, visit);
    const roll = chance(this.#settings.seed, `${target} ${visit}`);
    if (this.#isOut()) {
      this.#counts.outage++;
      if (roll < 0.5) request.socket.resetAndDestroy();
      else response.writeHead(503).end();
      return;
    }
    const fault = faultOf(roll);
    if (fault !== undefined) this.#counts[fault]++;
    await sleep(between(fault === 'slow' ? SLOW_MS : MOST_MS, chance(this.#settings.seed, `${target} ${visit} latency`)));
    this.#latenciesMs.push(performance.now() - sinceMs);
    response.once('finish', () => (this.#wholeAnswers += fault === undefined || fault === 'slow' ? 1 : 0));
    respond(answer, fault, roll, request, response);
  }

  /** Counts the request; the one numbered `outageAtRequest` starts the outage. */
  #isOut(): boolean {
    const nowMs = performance.now();
    if (++this.#requests === this.#settings.outageAtRequest) this.#outageUntilMs = nowMs + this.#settings.outageMs;
    return nowMs < this.#outageUntilMs;
  }
}

function respond(answer: Answer, fault: Fault | undefined, roll: number, request: IncomingMessage, response: ServerResponse): void {
  const { status, body } = answer;
  if (fault === 'reset') request.socket.resetAndDestroy();
  else if (fault === 'throttled') refuse(response, 429, roll);
  else if (fault === 'unavailable') refuse(response, 503, roll);
  else if (fault === 'truncated') truncate(response, body, request.socket);
  else response.writeHead(status, headersFor(body.length)).end(body);
}

/** Half of the body; of one that has no half, a byte of two. */
function truncate(response: ServerResponse, body: Buffer, socket: Socket): void {
  const half = body.length < 2 ? Buffer.from('x') : body.subarray(0, Math.floor(body.length / 2));
  response.writeHead(200, headersFor(Math.max(2, body.length))).write(half, () => socket.destroy());
}

function headersFor(length: number): Record<string, string | number> {
  return { 'content-type': 'application/octet-stream', 'content-length': length };
}

/** Retry-After in each of its forms: no wait, a second, and the same as a date. */
function refuse(response: ServerResponse, status: number, roll: number): void {
  const forms = ['0', '1', new Date(Date.now() + 1000).toUTCString()];
  response.writeHead(status, { 'retry-after': forms[Math.floor(roll * 1e6) % forms.length] }).end('later\n');
}

function between({ least, most }: { readonly least: number; readonly most: number }, share: number): number {
  return least + share * (most - least);
}
