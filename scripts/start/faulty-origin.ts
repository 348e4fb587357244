// An HTTP origin that serves the files of this repository and misbehaves on purpose, the same way for the same seed. On its own:
//   node scripts/start/faulty-origin.ts [seed]
import { once } from 'node:events';
import { globSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What may go wrong with a request, each with its share of all requests. */
export const FAULTS = {
  /** The connection is reset before an answer. */
  reset: 0.03,
  /** 429 with Retry-After. */
  throttled: 0.03,
  /** 503 with Retry-After. */
  unavailable: 0.03,
  /** The body ends half-way through what Content-Length promised. */
  truncated: 0.02,
  /** The answer takes a hundred times as long as most. */
  slow: 0.03,
} as const;

export type Fault = keyof typeof FAULTS;

/** How often each fault has fired; `outage` counts the requests that fell into the outage. */
export type FaultCounts = Readonly<Record<Fault | 'outage', number>>;

export interface FaultyOriginOptions {
  /** The folder whose files are served. */
  readonly root: string;
  /** Same seed, same path, same visit: same fault. */
  readonly seed?: number | undefined;
  /** Number of the request with which the outage begins; `Infinity` for none. */
  readonly outageAtRequest?: number | undefined;
  readonly outageMs?: number | undefined;
}

type Settings = { readonly [K in keyof FaultyOriginOptions]-?: NonNullable<FaultyOriginOptions[K]> };

/** An origin that is up. */
export interface FaultyOrigin {
  /** Without a slash at the end. */
  readonly url: string;
  /** The paths it serves, each with the file's bytes as they were at the start. */
  readonly files: ReadonlyMap<string, Buffer>;
  counts(): FaultCounts;
  /** Time from each request to the first byte of its answer, in milliseconds, sorted. */
  latenciesMs(): readonly number[];
  close(): Promise<void>;
}

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_CONNECTIONS = 1024;
const MOST_MS = { least: 1, most: 5 };
const SLOW_MS = { least: 400, most: 800 };
const OUTAGE_AT_REQUEST = 900;
const OUTAGE_MS = 5_000;
const IGNORED = ['node_modules', '.git', '.cache', '.stryker-tmp', 'dist', 'coverage', 'reports'];

/** The files below `root` that belong to the project, by URL path; found by walking, so that it works without git. */
export function projectFiles(root: string): Map<string, Buffer> {
  const paths = globSync('**/*', { cwd: root, exclude: (name) => IGNORED.includes(name) }).sort();
  const files = paths
    .map((path) => [path, statSync(join(root, path))] as const)
    .filter(([, stat]) => stat.isFile() && stat.size <= MAX_FILE_BYTES);
  return new Map(files.map(([path]) => [`/${path.split('/').map(encodeURIComponent).join('/')}`, readFileSync(join(root, path))]));
}

/** A number from 0 to below 1 that depends on nothing but the arguments: FNV-1a over the text, then one round of splitmix32. */
export function chance(seed: number, text: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}

/** The fault that a number from 0 to 1 stands for; undefined for most. */
export function faultOf(roll: number): Fault | undefined {
  let left = roll;
  return (Object.keys(FAULTS) as Fault[]).find((fault) => {
    left -= FAULTS[fault];
    return left < 0;
  });
}

class Origin implements FaultyOrigin {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly #options: Settings;
  readonly #server: Server;
  readonly #counts: Record<keyof FaultCounts, number> = { reset: 0, throttled: 0, unavailable: 0, truncated: 0, slow: 0, outage: 0 };
  readonly #visits = new Map<string, number>();
  readonly #latenciesMs: number[] = [];
  #requests = 0;
  #outageUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: Settings) {
    this.#options = options;
    this.files = projectFiles(options.root);
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  counts(): FaultCounts {
    return { ...this.#counts };
  }

  latenciesMs(): readonly number[] {
    return this.#latenciesMs.toSorted((a, b) => a - b);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sinceMs = performance.now();
    const target = request.url ?? '/';
    const body = this.files.get(target.replace(/\?.*$/, ''));
    if (body === undefined) {
      this.#answerWithoutFile(target, response);
      return;
    }
    const visit = (this.#visits.get(target) ?? 0) + 1;
    this.#visits.set(target, visit);
    const roll = chance(this.#options.seed, `${target} ${visit}`);
    if (this.#isOut()) {
      this.#counts.outage++;
      if (roll < 0.5) request.socket.resetAndDestroy();
      else response.writeHead(503).end();
      return;
    }
    const fault = faultOf(roll);
    if (fault !== undefined) this.#counts[fault]++;
    await sleep(between(fault === 'slow' ? SLOW_MS : MOST_MS, chance(this.#options.seed, `${target} ${visit} latency`)));
    this.#latenciesMs.push(performance.now() - sinceMs);
    respond(body, fault, roll, request, response);
  }

  /** The root lists the files, a URL a line: an input for `keelson run`. */
  #answerWithoutFile(target: string, response: ServerResponse): void {
    if (target === '/') response.end([...this.files.keys()].map((path) => `${this.url}${path}\n`).join(''));
    else response.writeHead(404).end();
  }

  /** Counts the request; the one numbered `outageAtRequest` starts the outage. */
  #isOut(): boolean {
    const nowMs = performance.now();
    if (++this.#requests === this.#options.outageAtRequest) this.#outageUntilMs = nowMs + this.#options.outageMs;
    return nowMs < this.#outageUntilMs;
  }
}

function respond(body: Buffer, fault: Fault | undefined, roll: number, request: IncomingMessage, response: ServerResponse): void {
  if (fault === 'reset') request.socket.resetAndDestroy();
  else if (fault === 'throttled') refuse(response, 429, roll);
  else if (fault === 'unavailable') refuse(response, 503, roll);
  else if (fault === 'truncated') truncate(response, body, request.socket);
  else response.writeHead(200, headersFor(body.length)).end(body);
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

/** Starts the origin on a free port of the loopback. */
export function startFaultyOrigin(options: FaultyOriginOptions): Promise<FaultyOrigin> {
  const { root, seed = 1, outageAtRequest = OUTAGE_AT_REQUEST, outageMs = OUTAGE_MS } = options;
  return new Origin({ root, seed, outageAtRequest, outageMs }).listen();
}

if (import.meta.main) {
  const origin = await startFaultyOrigin({ root: resolve(import.meta.dirname, '../..'), seed: Number(process.argv[2] ?? 1) });
  console.log(`${origin.url}/ lists ${origin.files.size} files, a URL a line; stop with Ctrl-C`);
  process.once('SIGINT', () => void origin.close().then(() => console.log(origin.counts())));
}
