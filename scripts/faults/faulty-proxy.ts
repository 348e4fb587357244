import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type FaultOptions, FaultyServer } from './faulty-server.ts';

/** Starts a proxy in front of the server at `url` that lets through most of what it answers, and spoils the rest. */
export async function startFaultyProxy(url: string, options?: FaultOptions): Promise<FaultyServer> {
  const agent = new Agent({ keepAlive: true });
  return await FaultyServer.start(async (target) => {
    const [response] = (await once(get(url + target, { agent }), 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, body: await buffer(response) };
  }, options);
}
