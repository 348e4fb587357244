import { compose, rateLimit, retry } from 'keelson';
import { expect, test } from 'vitest';
import { clientOf, serve } from './loopback.test-support.ts';

test('an adaptive limiter heeds a server’s quota: none of many calls is refused', async () => {
  const windowMs = 400;
  const limit = 5;
  let windowEndsMs = 0;
  let used = 0;
  const server = await serve((_, response) => {
    const nowMs = performance.now();
    if (nowMs >= windowEndsMs) [windowEndsMs, used] = [nowMs + windowMs, 0];
    used++;
    response.statusCode = used <= limit ? 200 : 429;
    response.setHeader('ratelimit', `"requests";r=${Math.max(0, limit - used)};t=1`);
    response.end();
  });
  const limiter = rateLimit({ limit: 1000, period: '1s', burst: 2, adaptive: true });
  const client = clientOf({ policy: limiter });
  const get = async (): Promise<number> => {
    const response = await client.request({ url: server.url });
    await response.discard();
    return response.status;
  };
  const statuses = [await get(), ...(await Promise.all(Array.from({ length: 8 }, get)))];
  expect(statuses).toEqual(Array.from({ length: 9 }, () => 200));
});

test('an adaptive limiter and a retry outside wait out a Retry-After once, for all', async () => {
  let untilMs = 0;
  const server = await serve((_, response) => {
    const nowMs = performance.now();
    if (untilMs === 0) untilMs = nowMs + 1000;
    if (nowMs < untilMs) response.writeHead(429, { 'retry-after': '1' });
    response.end();
  });
  const limiter = rateLimit({ limit: 1000, period: '1s', burst: 10, adaptive: true });
  const client = clientOf({ policy: compose(retry({ maxAttempts: 2, maxDelay: '10s' }), limiter) });
  const get = async (): Promise<number> => {
    const response = await client.request({ url: server.url });
    await response.discard();
    return response.status;
  };
  const first = get();
  while (limiter.statistics().pausedMs === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(await Promise.all([first, get(), get(), get()])).toEqual([200, 200, 200, 200]);
  expect(server.requests).toHaveLength(5);
});
