import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryTree } from '../lib/temporary-tree.test-support.ts';
import { SERVICES } from './catalog.ts';
import { notProvided, provide, releaseOf } from './provide.ts';

test('what is on the PATH is taken from there, as it is', async () => {
  const bin = temporaryTree({ nginx: '#!/bin/sh\n' });
  chmodSync(join(bin, 'nginx'), 0o755);
  expect(await provide('nginx', { path: bin, cache: '/nonexistent' })).toEqual({ command: join(bin, 'nginx'), env: {}, from: 'PATH' });
});

describe('the release of a system', () => {
  test.each([
    ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n', 'debian-12'],
    ['ID=alpine\nVERSION_ID=3.20.1\n', 'alpine-3.20.1'],
    ['ID=arch\n', 'arch'],
    ['', process.platform],
  ])('%j is %s', (text, release) => {
    expect(releaseOf(text)).toBe(release);
  });
});

test('where nothing helps, the error says how to get it', () => {
  const cause = new Error('offline');
  const error = notProvided(SERVICES.redis, 'offline', cause);
  expect(error.cause).toBe(cause);
  expect(error.message).toBe(
    'redis-server is needed and could not be had (offline). Install it with "apt-get install redis-server" or "brew install redis", ' +
      'or put a redis-server on the PATH that starts the docker image redis.',
  );
});
