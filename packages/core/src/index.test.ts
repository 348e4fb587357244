import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as keelson from './index.ts';

test('the guide lists every error code there is, in their order', () => {
  const guide = readFileSync(new URL('../../../docs/guide/composing.md', import.meta.url), 'utf8');
  const listed = [...guide.matchAll(/^\| `(ERR_\w+)` \| `(\w+)` \|/gm)].map(([, code, className]) => ({ code, className }));
  expect(listed.map(({ code }) => code)).toEqual(keelson.ERROR_CODES);
  expect(new Set(keelson.ERROR_CODES).size).toBe(keelson.ERROR_CODES.length);
  for (const { className } of listed) expect(Object.keys(keelson)).toContain(className);
});

describe('two copies of the package in one process', () => {
  let folder = '';
  let other: typeof keelson;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keelson-copy-'));
    cpSync(fileURLToPath(new URL('.', import.meta.url)), folder, { recursive: true });
    other = (await import(pathToFileURL(join(folder, 'index.ts')).href)) as typeof keelson;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('are really two', () => {
    expect(other.KeelsonError).not.toBe(keelson.KeelsonError);
    expect(other.compose).not.toBe(keelson.compose);
  });

  test('know each other’s errors by their brand', () => {
    const error = new other.KeelsonError('ERR_CIRCUIT_OPEN', 'open', { retryAfterMs: 5 });
    expect(error).not.toBeInstanceOf(keelson.KeelsonError);
    expect(keelson.isKeelsonError(error)).toBe(true);
    expect(keelson.isKeelsonError(error, 'ERR_CIRCUIT_OPEN')).toBe(true);
    expect(keelson.isKeelsonError(error, 'ERR_TIMEOUT')).toBe(false);
    expect(keelson.classify({ ok: false, error })).toEqual({ kind: 'overloaded', origin: 'local', retryAfterMs: 5 });
  });

  test('have one OUTCOME', () => {
    expect(other.OUTCOME).toBe(keelson.OUTCOME);
    const error = Object.assign(new Error('gone'), { [other.OUTCOME]: { kind: 'permanent' } });
    expect(keelson.classify({ ok: false, error }).kind).toBe('permanent');
  });

  test('compose each other’s policies, in both orders', async () => {
    const options = { maxAttempts: 2, baseDelay: 1 };
    for (const policy of [
      keelson.compose(keelson.fallback('none'), other.retry(options), keelson.timeout('1m')),
      other.compose(other.fallback('none'), keelson.retry(options), other.timeout('1m')),
    ]) {
      const attempts: number[] = [];
      const value = await policy.execute(
        (call) => {
          attempts.push(call.attempt);
          throw new Error(`${call.name} is down`);
        },
        { name: 'load' },
      );
      expect(value).toBe('none');
      expect(attempts).toEqual([1, 2]);
    }
  });

  test('cancel each other’s calls', async () => {
    const controller = new AbortController();
    const policy = keelson.compose(keelson.retry({ maxAttempts: 2 }), other.bulkhead({ maxConcurrency: 1 }));
    const hangs = ({ signal }: keelson.Call): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const result = policy.attempt(hangs, { signal: controller.signal });
    controller.abort('stop');
    expect(await result).toEqual({ ok: false, by: 'caller', error: 'stop' });
  });

  test('share their scopes', async () => {
    const seen: unknown[] = [];
    const result = keelson.ctx.scope('app', async (scope) => {
      const task = other.ctx.spawn(
        async ({ path }) => {
          seen.push(path, other.ctx.signal === keelson.ctx.signal);
          await other.ctx.sleep('1h');
        },
        { name: 'row' },
      );
      expect(scope.statistics().inFlight).toBe(1);
      void other.ctx.scope('inner', ({ path }) => seen.push(path));
      scope.cancel('stop');
      seen.push(await other.timeout('1s').attempt(() => 'never'));
      await task;
    });
    await expect(result).rejects.toBe('stop');
    expect(seen).toEqual(['app/row', true, 'app/inner', { ok: false, by: 'caller', error: 'stop' }]);
  });
});
