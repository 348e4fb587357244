import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gunzipIfNeeded } from './gunzip-if-needed.ts';

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const chunk of gunzipIfNeeded(chunks, 'a.gz')) read.push(chunk);
  return Buffer.concat(read);
}

test('gives the bytes as they were before they were compressed, and others as they are, in whatever chunks they come', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 1, max: 100 }), async (bytes, size) => {
      const plain = Buffer.from(bytes);
      fc.pre(plain[0] !== 0x1f);
      expect(await read(chunked(plain, size))).toEqual(plain);
      expect(await read(chunked(gzipSync(plain), size))).toEqual(plain);
    }),
  );
});

test('a single byte is no gzip', async () => {
  expect(await read(chunked(Buffer.of(0x1f), 1))).toEqual(Buffer.of(0x1f));
});

test('one that is broken off names the file', async () => {
  await expect(read(chunked(gzipSync('hello').subarray(0, -4), 3))).rejects.toThrow(
    expect.objectContaining({ name: 'UsageError', message: 'a.gz: gzip that cannot be decompressed: unexpected end of file' }),
  );
});

test('a source that fails is its own failure, and one that is left is closed', async () => {
  const failure = new Error('broken off');
  let isClosed = false;
  async function* source(fails: boolean): AsyncGenerator<Uint8Array> {
    try {
      yield gzipSync('x'.repeat(100)).subarray(0, 20);
      if (fails) throw failure;
      yield Buffer.alloc(10);
    } finally {
      isClosed = true;
    }
  }
  await expect(read(source(true))).rejects.toBe(failure);
  isClosed = false;
  for await (const _ of gunzipIfNeeded(chunked(Buffer.from('plain text'), 4), 'a')) break;
  const plain = gunzipIfNeeded(source(false), 'a');
  await plain.next().catch(() => {});
  await plain.return();
  expect(isClosed).toBe(true);
});
