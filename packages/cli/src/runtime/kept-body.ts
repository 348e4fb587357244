import { isUtf8 } from 'node:buffer';
import { createHash, type Hash } from 'node:crypto';
import type { Secrets } from './secrets.ts';

/** What is done with the bytes of a body. */
export interface BodyLimits {
  /** Bytes kept; what comes after is counted and hashed, too. */
  readonly maxBytes: number;
  readonly hash: boolean;
}

/** What the journal says of a body. */
export interface KeptBody {
  readonly bytes: number;
  readonly hash?: string | undefined;
  readonly body?: string | undefined;
  readonly bodyEncoding?: 'base64' | undefined;
  readonly truncated?: true | undefined;
}

/** Takes a body as it comes. Exactly one of `keep` and `drop` ends it. */
export interface BodySink {
  write(chunk: Uint8Array): void | Promise<void>;
  keep(): KeptBody | Promise<KeptBody>;
  drop(): void | Promise<void>;
}

/** Counts and hashes a whole body and hands on so much of it as may be kept. */
export class BodyMeter {
  readonly #maxBytes: number;
  readonly #hash: Hash | undefined;
  #bytes = 0;

  constructor({ maxBytes, hash }: BodyLimits) {
    this.#maxBytes = maxBytes;
    this.#hash = hash ? createHash('sha256') : undefined;
  }

  /** The part of `chunk` that may be kept. */
  take(chunk: Uint8Array): Uint8Array {
    this.#hash?.update(chunk);
    const room = Math.max(0, this.#maxBytes - this.#bytes);
    this.#bytes += chunk.byteLength;
    return chunk.byteLength <= room ? chunk : chunk.subarray(0, room);
  }

  /** Of the whole body; to be asked once. */
  result(): Pick<KeptBody, 'bytes' | 'hash' | 'truncated'> {
    return { bytes: this.#bytes, hash: this.#hash?.digest('hex'), truncated: this.#bytes > this.#maxBytes ? true : undefined };
  }
}

/** Keeps a body for the journal: as text if it is UTF-8, else in base64, and without secrets. */
export class BodyInMemory implements BodySink {
  readonly #meter: BodyMeter;
  readonly #maxBytes: number;
  readonly #secrets: Secrets;
  readonly #chunks: Uint8Array[] = [];

  constructor(limits: BodyLimits, secrets: Secrets) {
    this.#maxBytes = limits.maxBytes;
    this.#meter = new BodyMeter(limits);
    this.#secrets = secrets;
  }

  write(chunk: Uint8Array): void {
    const kept = this.#meter.take(chunk);
    if (kept.byteLength > 0) this.#chunks.push(kept);
  }

  keep(): KeptBody {
    const result = this.#meter.result();
    if (this.#maxBytes === 0) return result;
    const bytes = this.#secrets.hideInBytes(Buffer.concat(this.#chunks));
    const text = result.truncated === true ? withoutCutCharacter(bytes) : bytes;
    return isUtf8(text) ? { ...result, body: text.toString() } : { ...result, body: bytes.toString('base64'), bodyEncoding: 'base64' };
  }

  drop(): void {
    this.#chunks.length = 0;
  }
}

/** Without the first bytes of a character whose rest was cut off; all of `bytes` where they are no UTF-8 anyway. */
function withoutCutCharacter(bytes: Buffer): Buffer {
  const MAX_CHARACTER_BYTES = 4;
  for (let cut = 0; cut < Math.min(MAX_CHARACTER_BYTES, bytes.length); cut++) {
    const whole = bytes.subarray(0, bytes.length - cut);
    if (isUtf8(whole)) return whole;
  }
  return bytes;
}
