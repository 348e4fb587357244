/** How many jobs may be under way at the same time. */
export class Slots {
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  get areFree(): boolean {
    return this.#free > 0;
  }

  take(): void {
    this.#free--;
  }

  giveBack(): void {
    this.#free++;
  }
}
