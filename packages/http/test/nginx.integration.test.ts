import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { classify, retry } from 'keelson';
import { describe, expect, inject, test } from 'vitest';
import { clientOf } from './loopback.test-support.ts';

const nginx = inject('nginxUrl');

describe('against nginx', () => {
  test('a file comes over as it is, over one connection', async () => {
    const client = clientOf({ connectionsPerOrigin: 1 });
    const file = readFileSync(resolve(import.meta.dirname, '../package.json'));
    for (let i = 0; i < 10; i++) {
      const response = await client.request({ url: `${nginx}/http/package.json` });
      expect(response.header('server')).toMatch(/^nginx/);
      expect(Buffer.from(await response.bytes())).toEqual(file);
    }
    expect(client.statistics()).toMatchObject({ connections: { [nginx]: 1 }, responses: { ok: 10 } });
  });

  test.each([
    ['/busy', 'overloaded'],
    ['/throttled', 'throttled'],
  ])('%s is %s, for the second that Retry-After names', async (path, kind) => {
    const response = await clientOf().request({ url: nginx + path });
    expect(classify({ ok: true, value: response })).toEqual({ kind, origin: 'remote', retryAfterMs: 1000 });
  });

  test('a connection that it closes without an answer is tried again', async () => {
    const client = clientOf({ policy: retry({ maxAttempts: 3, baseDelay: 1 }) });
    await expect(client.request({ url: `${nginx}/reset` })).rejects.toMatchObject({ name: 'HttpConnectionError', phase: 'head' });
    expect(client.statistics()).toMatchObject({ started: 3, failed: 3 });
  });

  test('a deadline ends a slow body', async () => {
    const response = await clientOf().request({ url: `${nginx}/slow/core/src/policy/machine.ts` }, { timeout: '500ms' });
    await expect(response.bytes()).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
  });
});
