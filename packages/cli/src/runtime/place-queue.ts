import type { JobPlace } from './input.ts';

/** The place of a job, and since when it stands in the queue. */
export interface QueuedPlace extends JobPlace {
  readonly sinceMs: number;
}

const FIELDS = 3;
/** A queue of few is small, one of many has few chunks. */
const FIRST_CHUNK = 16;
const MAX_CHUNK = 1024;

/** A queue of places that takes 24 bytes for each, whatever a job would take. */
export class PlaceQueue {
  readonly #chunks: Float64Array[] = [];
  /** Of the first chunk and of the last. */
  #read = 0;
  #written = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Since when the first stands here; Infinity if there is none. */
  get firstSinceMs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#chunks[0]?.[this.#read + FIELDS - 1] ?? 0);
  }

  push({ offset, line, sinceMs }: QueuedPlace): void {
    const last = this.#chunks.at(-1);
    if (last === undefined || this.#written === last.length) this.#addChunk(last);
    this.#chunks.at(-1)?.set([offset, line, sinceMs], this.#written);
    this.#written += FIELDS;
    this.#size++;
  }

  shift(): QueuedPlace | undefined {
    const [first] = this.#chunks;
    if (first === undefined || this.#size === 0) return undefined;
    const [offset = 0, line = 0, sinceMs = 0] = first.subarray(this.#read, this.#read + FIELDS);
    this.#read += FIELDS;
    this.#size--;
    if (this.#read === first.length) {
      this.#chunks.shift();
      this.#read = 0;
    }
    return { offset, line, sinceMs };
  }

  #addChunk(last: Float64Array | undefined): void {
    const places = last === undefined ? FIRST_CHUNK : Math.min(MAX_CHUNK, (last.length / FIELDS) * 2);
    this.#chunks.push(new Float64Array(places * FIELDS));
    this.#written = 0;
  }
}
