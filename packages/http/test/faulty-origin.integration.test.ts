import { resolve } from 'node:path';
import { retry } from 'keelson';
import { expect, onTestFinished, test } from 'vitest';
import { startFaultyOrigin } from '../../../scripts/start/faulty-origin.ts';
import { clientOf } from './loopback.test-support.ts';

const CALLS = 800;

test('every file comes whole from an origin that misbehaves in every way it knows', async () => {
  const root = resolve(import.meta.dirname, '..');
  const { server, files } = await startFaultyOrigin({ root, outageAtRequest: CALLS / 2, outageMs: 500 });
  onTestFinished(() => server.close());
  const client = clientOf({ connectionsPerOrigin: 16, policy: retry({ maxAttempts: 12, baseDelay: '50ms', maxDelay: '2s' }) });
  const paths = [...files.keys()];
  const calls = Array.from({ length: CALLS }, async (_, i) => {
    const path = paths[i % paths.length] as string;
    const bytes = await client.use({ url: `${server.url}${path}?${i}` }, (response) => response.throwIfNotOk().bytes());
    expect(Buffer.from(bytes).equals(files.get(path) as Buffer)).toBe(true);
  });
  await Promise.all(calls);
  for (const [fault, count] of Object.entries(server.counts())) expect(count, fault).toBeGreaterThan(0);
  expect(client.statistics()).toMatchObject({ awaitingHead: 0, openBodies: 0 });
});
