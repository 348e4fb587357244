import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { type Provided, provide } from './provide.ts';

/** What an nginx of ours serves. */
export interface NginxOptions {
  /** The folder it serves. */
  readonly root: string;
  /** Directives to add to its one `server` block. */
  readonly conf?: string | undefined;
}

/** An nginx that is up. */
export interface Nginx {
  /** Without a slash at the end. */
  readonly url: string;
  readonly pid: number;
  /** Ends it, and waits until it has ended. Idempotent. */
  stop(): Promise<void>;
}

const PORT_TRIES = 5;
const READY_WITHIN_MS = 10_000;
const STOP_WITHIN_MS = 2_000;
const POLL_MS = 10;

/** One process in the foreground that writes nowhere but below `folder`, so that it needs no root and leaves nothing behind. */
export function nginxConf(options: NginxOptions, folder: string, port: number, isRoot: boolean): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${quoted(join(folder, kind))};`);
  return [
    ...(isRoot ? ['user root root;'] : []), // else it looks for an account of its own
    'daemon off;',
    'master_process off;',
    `pid ${quoted(join(folder, 'nginx.pid'))};`,
    'error_log stderr warn;',
    'events { worker_connections 1024; }',
    'http {',
    ...temporary,
    'access_log off;',
    'default_type application/octet-stream;',
    'keepalive_requests 100000;',
    'server {',
    `listen 127.0.0.1:${port};`,
    `root ${quoted(options.root)};`,
    options.conf ?? '',
    '}',
    '}',
    '',
  ].join('\n');
}

function quoted(path: string): string {
  return `"${path.replace(/[\\"$]/g, '\\$&')}"`;
}

/** Starts an nginx on a free port of the loopback, and resolves when it answers. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const provided = await provide('nginx');
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(provided, options, await freePort());
    } catch (error) {
      // Somebody else may have taken the port since.
      if (attempt === PORT_TRIES || !/Address already in use/.test(String(error))) throw error;
    }
  }
}

async function startOn(provided: Provided, options: NginxOptions, port: number): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-nginx-'));
  const conf = join(folder, 'nginx.conf');
  writeFileSync(conf, nginxConf(options, folder, port, process.getuid?.() === 0));
  const child = spawn(provided.command, ['-e', 'stderr', '-p', folder, '-c', conf], {
    env: { ...process.env, ...provided.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const killWithUs = (): boolean => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = once(child, 'close').finally(() => {
    process.off('exit', killWithUs);
    rmSync(folder, { recursive: true, force: true });
  });
  try {
    await Promise.race([answering(port), ended.then(() => Promise.reject(new Error('it ended')))]);
  } catch (cause) {
    await end(child, ended);
    throw new Error(`nginx did not start: ${log.trim() || String(cause)}`, { cause });
  }
  return { url: `http://127.0.0.1:${port}`, pid: child.pid as number, stop: () => end(child, ended) };
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await ended.catch(() => undefined); // never started
  clearTimeout(impatience);
}

async function answering(port: number): Promise<void> {
  const untilMs = performance.now() + READY_WITHIN_MS;
  while (!(await accepts(port))) {
    if (performance.now() > untilMs) throw new Error(`it did not answer within ${READY_WITHIN_MS} ms`);
    await sleep(POLL_MS);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
