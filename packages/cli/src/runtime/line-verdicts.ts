const FIRST_CAPACITY = 1024;

/** What the check of an input has settled about a line. */
export type LineVerdict = 'no job' | 'call' | 'leave out';

const VERDICTS: readonly LineVerdict[] = ['no job', 'call', 'leave out'];

/** The verdict on each line of an input, in one byte. */
export class LineVerdicts {
  #verdicts = new Uint8Array(FIRST_CAPACITY);

  set(line: number, verdict: LineVerdict): void {
    if (line >= this.#verdicts.length) this.#grow(line + 1);
    this.#verdicts[line] = VERDICTS.indexOf(verdict);
  }

  /** `no job` for a line that was not there. */
  of(line: number): LineVerdict {
    return VERDICTS[this.#verdicts[line] ?? 0] ?? 'no job';
  }

  #grow(capacity: number): void {
    const grown = new Uint8Array(Math.max(capacity, this.#verdicts.length * 2));
    grown.set(this.#verdicts);
    this.#verdicts = grown;
  }
}
