/** Where the chunks come from. */
export interface BodySource {
  /** Room again, after a push that returned false. */
  resume(): void;
  /** Nobody wants the rest. */
  cancel(): void;
}

interface ParkedRead {
  resolve(result: IteratorResult<Uint8Array, undefined>): void;
  reject(error: unknown): void;
}

type End = { readonly kind: 'ended' } | { readonly kind: 'failed'; readonly error: unknown };

const HIGH_WATER_BYTES = 64 * 1024;
const DONE: IteratorResult<Uint8Array, undefined> = Object.freeze({ done: true, value: undefined });

/**
 * A body on its way from the connection to one reader. Holds back the connection while more than 64 KiB wait to be read (law D4).
 * What had come before a failure can still be read before it is thrown; a cancellation is thrown at once.
 */
export class ResponseBody implements AsyncIterator<Uint8Array, undefined> {
  readonly #source: BodySource;
  readonly #chunks: Uint8Array[] = [];
  readonly #parked: ParkedRead[] = [];
  #waitingBytes = 0;
  #isHeldBack = false;
  #isDrained = false;
  #end: End | null = null;

  constructor(source: BodySource) {
    this.#source = source;
  }

  /** Whether no more chunks will come. */
  get isOver(): boolean {
    return this.#end !== null;
  }

  /** Takes a chunk in; false asks to be left alone until `resume`. */
  push(chunk: Uint8Array): boolean {
    if (this.#end !== null || this.#isDrained) return true;
    const reader = this.#parked.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: chunk });
      return true;
    }
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.byteLength;
    this.#isHeldBack = this.#waitingBytes >= HIGH_WATER_BYTES;
    return !this.#isHeldBack;
  }

  /** The last byte has come. */
  end(): void {
    if (this.#end !== null) return;
    this.#end = { kind: 'ended' };
    for (const reader of this.#parked.splice(0)) reader.resolve(DONE);
  }

  /** The rest will not come; what has come can be read first. */
  fail(error: unknown): void {
    if (this.#end !== null) return;
    this.#end = { kind: 'failed', error };
    for (const reader of this.#parked.splice(0)) reader.reject(error);
  }

  /** Nothing more may be read; `error` is what the reader gets. Without effect on a body that has come whole. */
  cancel(error: unknown): void {
    if (this.#end !== null) return;
    this.#drop();
    this.fail(error);
  }

  /** Nobody will read; what comes is dropped. */
  drain(): void {
    this.#isDrained = true;
    this.#drop();
    this.#letGo();
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#waitingBytes -= chunk.byteLength;
      this.#letGo();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#end === null) return new Promise((resolve, reject) => this.#parked.push({ resolve, reject }));
    return this.#end.kind === 'ended' ? Promise.resolve(DONE) : Promise.reject(this.#end.error);
  }

  /** The reader has had enough (law D1). */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#drop();
    if (this.#end === null) {
      this.end();
      this.#source.cancel();
    }
    return Promise.resolve(DONE);
  }

  #drop(): void {
    this.#chunks.length = 0;
    this.#waitingBytes = 0;
  }

  #letGo(): void {
    if (!this.#isHeldBack || this.#waitingBytes >= HIGH_WATER_BYTES) return;
    this.#isHeldBack = false;
    if (this.#end === null) this.#source.resume();
  }
}
