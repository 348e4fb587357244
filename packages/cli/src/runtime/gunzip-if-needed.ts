import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UsageError } from './usage-error.ts';

/** RFC 1952, section 2.3.1. */
const MAGIC = Buffer.of(0x1f, 0x8b);

/** Whether bytes begin as gzip does; undefined while they are too few. */
export function isGzip(start: Uint8Array): boolean | undefined {
  return start.length < MAGIC.length ? undefined : MAGIC.equals(start.subarray(0, MAGIC.length));
}

/** The bytes, decompressed if they are gzip. Throws a {@link UsageError} that names the `file` where they are broken off or corrupt. */
export async function* gunzipIfNeeded(chunks: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array, void, undefined> {
  const source = chunks[Symbol.asyncIterator]();
  const start: Uint8Array[] = [];
  let found: boolean | undefined;
  while (found === undefined) {
    const { done, value } = await source.next();
    if (done === true) break;
    start.push(value);
    found = isGzip(Buffer.concat(start));
  }
  const all = joined(start, source);
  if (found === true) yield* decompressed(all, file);
  else yield* all;
}

async function* joined(start: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* start;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

async function* decompressed(chunks: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array, void, undefined> {
  const gunzip = createGunzip();
  pipeline(chunks, gunzip, () => {}); // whatever fails, reading from it throws it
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code?.startsWith('Z_') === true ? new UsageError(`gzip that cannot be decompressed: ${message}`, { file }) : error;
  }
}
