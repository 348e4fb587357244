import { FINGERPRINT_WORDS, fingerprint } from './fingerprint.ts';

/** What the journal says of a job; `none`: nothing yet. */
export type Recorded = 'none' | 'done' | 'failed';

const RECORDED: readonly Recorded[] = ['none', 'done', 'failed'];
const RECORDED_BITS = 3;
/** The bit that says: not to be called in this run. */
const SKIPPED = 4;
const FIRST_CAPACITY = 1024;

/** Place of one id in a {@link JobIndex}. */
export type JobKey = number & { readonly jobKey: never };

/**
 * What a run remembers of each job, by its id, in 41 bytes and a slot: no id and no job is kept. Ids are told apart by 128 bits of their
 * SHA-256, which no two of them share.
 */
export class JobIndex {
  #size = 0;
  #ids = new Uint32Array(FIRST_CAPACITY * FINGERPRINT_WORDS);
  #jobs = new Uint32Array(FIRST_CAPACITY * FINGERPRINT_WORDS);
  #lines = new Uint32Array(FIRST_CAPACITY);
  #states = new Uint8Array(FIRST_CAPACITY);
  /** Numbers of failure codes, which are few; 0 for none. */
  #failures = new Uint32Array(FIRST_CAPACITY);
  readonly #codes: (string | undefined)[] = [undefined];
  readonly #numberOfCode = new Map<string | undefined, number>([[undefined, 0]]);
  /** Open addressing with linear probing, at most half full: key + 1, or 0. */
  #slots = new Uint32Array(FIRST_CAPACITY * 2);

  get size(): number {
    return this.#size;
  }

  /** The key of `id`, which is new if nothing was known of it. */
  keyOf(id: string): JobKey {
    const words = fingerprint(id);
    const known = this.#slots[this.#slotOf(words)] ?? 0;
    return (known === 0 ? this.#add(words) : known - 1) as JobKey;
  }

  /** The line of the input that has the job; 0 while none was seen. */
  lineOf(key: JobKey): number {
    return this.#lines[key] ?? 0;
  }

  setLine(key: JobKey, line: number): void {
    this.#lines[key] = line;
  }

  recordedOf(key: JobKey): Recorded {
    return RECORDED[(this.#states[key] ?? 0) & RECORDED_BITS] ?? 'none';
  }

  /** Records a success, or a failure with its code. The last record of an id wins. */
  setRecorded(key: JobKey, job: Uint32Array, failure: string | undefined): void {
    this.#states[key] = RECORDED.indexOf(failure === undefined ? 'done' : 'failed');
    this.#failures[key] = this.#numberOf(failure);
    this.#jobs.set(job, key * FINGERPRINT_WORDS);
  }

  /** The code of the recorded failure; undefined where there is none. */
  failureOf(key: JobKey): string | undefined {
    return this.#codes[this.#failures[key] ?? 0];
  }

  /** Whether the recorded job is the one with this fingerprint. */
  isRecordedJob(key: JobKey, job: Uint32Array): boolean {
    return holds(this.#jobs, key, job);
  }

  isSkipped(key: JobKey): boolean {
    return ((this.#states[key] ?? 0) & SKIPPED) !== 0;
  }

  skip(key: JobKey): void {
    this.#states[key] = (this.#states[key] ?? 0) | SKIPPED;
  }

  /** How many jobs have a record but no line. */
  countWithoutLine(): number {
    let count = 0;
    for (let key = 0; key < this.#size; key++) if (this.#lines[key] === 0) count++;
    return count;
  }

  /** The slot that has the key of `words`, or the free one where it belongs. */
  #slotOf(words: Uint32Array): number {
    const last = this.#slots.length - 1;
    let slot = (words[0] ?? 0) & last;
    for (;;) {
      const key = (this.#slots[slot] ?? 0) - 1;
      if (key < 0 || holds(this.#ids, key, words)) return slot;
      slot = (slot + 1) & last;
    }
  }

  #numberOf(code: string | undefined): number {
    const known = this.#numberOfCode.get(code);
    if (known !== undefined) return known;
    this.#numberOfCode.set(code, this.#codes.length);
    return this.#codes.push(code) - 1;
  }

  #add(words: Uint32Array): number {
    if (this.#size === this.#lines.length) this.#grow(this.#size * 2);
    const key = this.#size++;
    this.#ids.set(words, key * FINGERPRINT_WORDS);
    this.#slots[this.#slotOf(words)] = key + 1;
    return key;
  }

  #grow(capacity: number): void {
    this.#ids = copied(this.#ids, new Uint32Array(capacity * FINGERPRINT_WORDS));
    this.#jobs = copied(this.#jobs, new Uint32Array(capacity * FINGERPRINT_WORDS));
    this.#lines = copied(this.#lines, new Uint32Array(capacity));
    this.#states = copied(this.#states, new Uint8Array(capacity));
    this.#failures = copied(this.#failures, new Uint32Array(capacity));
    this.#slots = new Uint32Array(capacity * 2);
    for (let key = 0; key < this.#size; key++) {
      const words = this.#ids.subarray(key * FINGERPRINT_WORDS, (key + 1) * FINGERPRINT_WORDS);
      this.#slots[this.#slotOf(words)] = key + 1;
    }
  }
}

function holds(table: Uint32Array, key: number, words: Uint32Array): boolean {
  const at = key * FINGERPRINT_WORDS;
  for (let word = 0; word < FINGERPRINT_WORDS; word++) if (table[at + word] !== words[word]) return false;
  return true;
}

function copied<Table extends Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(from: Table, to: Table): Table {
  to.set(from);
  return to;
}
