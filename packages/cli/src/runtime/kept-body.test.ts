import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BodyInMemory, type KeptBody } from './kept-body.ts';
import { Secrets } from './secrets.ts';

function kept(chunks: readonly Uint8Array[], maxBytes: number, secrets: readonly string[] = []): KeptBody {
  const sink = new BodyInMemory({ maxBytes, hash: true }, new Secrets(secrets));
  for (const chunk of chunks) sink.write(chunk);
  return sink.keep();
}

const bytesOf = ({ body = '', bodyEncoding }: KeptBody): Buffer => Buffer.from(body, bodyEncoding ?? 'utf8');

test('any body comes back, with size and hash', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (chunks) => {
      const whole = Buffer.concat(chunks);
      const body = kept(chunks, 1e6);
      expect(bytesOf(body)).toEqual(whole);
      expect(body).toMatchObject({ bytes: whole.length, hash: createHash('sha256').update(whole).digest('hex') });
      expect(body.truncated).toBeUndefined();
    }),
  );
});

test('a long body is cut, but counted and hashed whole', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), fc.integer({ min: 1, max: 100 }), (chunks, maxBytes) => {
      const whole = Buffer.concat(chunks);
      fc.pre(whole.length > maxBytes);
      const body = kept(chunks, maxBytes);
      expect(body).toMatchObject({ bytes: whole.length, hash: createHash('sha256').update(whole).digest('hex'), truncated: true });
      const part = bytesOf(body);
      expect(part).toEqual(whole.subarray(0, part.length));
      expect(maxBytes - part.length).toBeLessThan(body.bodyEncoding === 'base64' ? 1 : 4);
    }),
  );
});

describe('text', () => {
  test('is not cut within a character', () => {
    expect(kept([Buffer.from('a🙂b')], 3)).toMatchObject({ body: 'a', truncated: true });
    expect(kept([Buffer.from('a🙂b')], 5)).toMatchObject({ body: 'a🙂', truncated: true });
  });

  test('may come in pieces of characters', () => {
    const bytes = Buffer.from('a🙂b');
    const body = kept(
      [...bytes].map((byte) => Uint8Array.of(byte)),
      100,
    );
    expect(body).toMatchObject({ body: 'a🙂b' });
    expect(body.bodyEncoding).toBeUndefined();
  });

  test('F3: has no secrets', () => {
    expect(kept([Buffer.from('you sent s3c'), Buffer.from('ret!')], 100, ['s3cret'])).toMatchObject({ body: 'you sent ***!', bytes: 16 });
  });
});

test('with a limit of 0 nothing is kept', () => {
  const body = kept([Buffer.from('x')], 0);
  expect(body).toMatchObject({ bytes: 1, truncated: true });
  expect(body.body).toBeUndefined();
});
