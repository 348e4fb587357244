// A client that stays useful while its server does not: node --conditions=@keelson/source examples/flaky-service.ts
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AsyncHttpClient } from '@keelson/http';
import { bulkhead, circuitBreaker, compose, ctx, listen, retry, timeout } from 'keelson';

const PRODUCTS = 20;
let requests = 0;

/** Every third answer is a 503 that asks to come back in a moment, and every seventh connection breaks. */
const server = createServer((request, response) => {
  requests++;
  if (requests % 7 === 0) request.socket.destroy();
  else if (requests % 3 === 0) response.writeHead(503, { 'retry-after': '0' }).end();
  else response.end(JSON.stringify({ path: request.url }));
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

let retries = 0;
using _listening = listen('retry', (event) => {
  if (event.type === 'retrying') retries++;
});

await using client = new AsyncHttpClient({
  policy: compose(
    timeout('10s'),
    retry({ maxAttempts: 6, baseDelay: '5ms' }),
    circuitBreaker({ window: { calls: 50 }, failureRate: 0.9 }),
    bulkhead({ maxConcurrency: 4 }),
    timeout('1s'),
  ),
});

const products = await ctx.scope('catalogue', { timeout: '20s' }, async (scope) => {
  const tasks = Array.from({ length: PRODUCTS }, (_, id) =>
    scope.spawn(() => client.use({ url: `${origin}/products/${id}` }, (response) => response.throwIfNotOk().json()), {
      name: `product ${id}`,
    }),
  );
  return await Promise.all(tasks);
});

console.log(`${products.length} products in ${requests} requests, of which ${retries} retries`);
server.close();
if (products.length !== PRODUCTS) process.exitCode = 1;
