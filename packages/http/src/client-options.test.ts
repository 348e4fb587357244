import { describe, expect, test } from 'vitest';
import { type AsyncHttpClientOptions, agentOptions, asyncHttpClientDefaults, checkClientOptions } from './client-options.ts';

test('defaults', () => {
  const settings = checkClientOptions({});
  expect(settings).toMatchObject({
    name: 'http',
    connectionsPerOrigin: 64,
    maxQueuePerOrigin: 10_000,
    maxRedirections: 0,
    userAgent: 'keelson',
  });
  expect(agentOptions(settings)).toEqual({
    connections: 64,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 4_000,
    headersTimeout: 300_000,
    bodyTimeout: 300_000,
  });
});

test('undefined means the default, so that options can be forwarded', () => {
  const forwarded = Object.fromEntries(Object.keys(asyncHttpClientDefaults).map((key) => [key, undefined])) as AsyncHttpClientOptions;
  expect(agentOptions(checkClientOptions(forwarded))).toEqual(agentOptions(checkClientOptions({})));
});

test('law T2: Infinity means no limit', () => {
  expect(checkClientOptions({ maxQueuePerOrigin: Number.POSITIVE_INFINITY })).toMatchObject({
    maxQueuePerOrigin: Number.POSITIVE_INFINITY,
  });
  const settings = checkClientOptions({ headersTimeout: Number.POSITIVE_INFINITY, bodyTimeout: Number.POSITIVE_INFINITY });
  expect(agentOptions(settings)).toMatchObject({ headersTimeout: 0, bodyTimeout: 0 });
});

describe('law F2: a wrong option is named with its value', () => {
  test.each<[unknown, string]>([
    [{ connectionsPerOrigin: 0 }, 'connectionsPerOrigin must be a whole number of at least 1, got 0'],
    [{ connectionsPerOrigin: 1.5 }, 'connectionsPerOrigin must be a whole number of at least 1, got 1.5'],
    [{ connectionsPerOrigin: Number.NaN }, 'connectionsPerOrigin must be a whole number of at least 1, got NaN'],
    [{ maxQueuePerOrigin: -1 }, 'maxQueuePerOrigin must be a whole number of at least 0 or Infinity, got -1'],
    [{ maxRedirections: '3' }, 'maxRedirections must be a whole number of at least 0, got "3"'],
    [{ keepAliveTimeout: 0 }, 'keepAliveTimeout must be a duration above 0 and finite'],
    [{ keepAliveTimeout: Number.POSITIVE_INFINITY }, 'keepAliveTimeout must be a duration above 0 and finite'],
    [{ headersTimeout: '0s' }, 'headersTimeout must be a duration above 0 (milliseconds'],
    [{ bodyTimeout: 'soon' }, 'bodyTimeout must be a duration above 0 (milliseconds'],
    [{ bodyTimeout: -1 }, 'got -1'],
    [{ userAgent: 'a\r\nb: c' }, 'userAgent must be a text for one header line, got "a\\r\\nb: c"'],
    [{ name: '' }, 'name must be a text that is not empty, got ""'],
    [{ policy: {} }, 'policy must be an object with the method execute, got an object'],
    [{ policy: null }, 'policy must be an object with the method execute, got null'],
    [{ dispatcher: {} }, 'dispatcher must be an object with the method dispatch, got an object'],
    [{ timeout: 5 }, 'unknown option timeout; there are name, policy'],
    [{ dispatcher: { dispatch: () => true }, bodyTimeout: 5 }, 'bodyTimeout has no meaning beside dispatcher'],
  ])('%j', (options, message) => {
    expect(() => checkClientOptions(options as AsyncHttpClientOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) }),
    );
  });
});
