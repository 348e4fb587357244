/** Where a fault in a user's file stands. */
export interface Place {
  readonly file: string;
  /** 1-based. */
  readonly line?: number | undefined;
  /** 1-based. */
  readonly column?: number | undefined;
}

/** Something the user has to mend before anything can be called: one line, exit code 2. */
export class UsageError extends Error {
  constructor(message: string, place?: Place) {
    super(
      place === undefined
        ? message
        : `${[place.file, place.line, place.column].filter((part) => part !== undefined).join(':')}: ${message}`,
    );
    this.name = 'UsageError';
  }
}
