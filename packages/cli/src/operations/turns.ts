/** One place in a row of {@link Turns}. */
export interface OrderedTurn {
  /** Resolves when those before have passed; to false if one of them never will. */
  readonly comes: Promise<boolean>;
  /** Lets the next come, or says that none will. */
  pass(goesOn: boolean): void;
}

/** Lets things happen in the order in which they were begun. */
export class Turns {
  #last: Promise<boolean> = Promise.resolve(true);

  take(): OrderedTurn {
    const comes = this.#last;
    let pass: (goesOn: boolean) => void = () => {};
    this.#last = new Promise((resolve) => {
      pass = resolve;
    });
    return { comes, pass };
  }
}
