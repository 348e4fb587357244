const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** Finds the line of a place in bytes that come in chunks. Holds the chunks from that place on. */
export class LineCounter {
  readonly #chunks: Uint8Array[] = [];
  /** The place, and where it lies in the first chunk. */
  #at = 0;
  #inChunk = 0;
  #line = 1;

  /** The line of the place, from 1. */
  get line(): number {
    return this.#line;
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
  }

  /** Moves the place on to `at`, counted from the beginning. */
  moveTo(at: number): void {
    this.#move((_byte, place) => place < at);
  }

  /** Moves the place on to the next byte that is no line break. */
  skipBreaks(): void {
    this.#move((byte) => byte === LINE_FEED || byte === CARRIAGE_RETURN);
  }

  /** Moves the place beyond each byte that `passes`, as far as bytes have come. */
  #move(passes: (byte: number, place: number) => boolean): void {
    for (let [chunk] = this.#chunks; chunk !== undefined; [chunk] = this.#chunks) {
      for (; this.#inChunk < chunk.length; this.#inChunk++, this.#at++) {
        const byte = chunk[this.#inChunk] as number;
        if (!passes(byte, this.#at)) return;
        if (byte === LINE_FEED) this.#line++;
      }
      this.#chunks.shift();
      this.#inChunk = 0;
    }
  }
}
