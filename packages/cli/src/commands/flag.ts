/** One flag of a command: parser, help and documentation are made of it. */
export interface Flag<T> {
  /** What its value is called; absent for a switch. */
  readonly placeholder?: string | undefined;
  /** The value where the flag stands without one, which it may if this is given. */
  readonly bare?: string | undefined;
  /** Reads the texts that were given, at least one. Throws a `ValueError`. */
  readonly read: (texts: readonly string[]) => T;
  /** What holds where the flag does not stand; only shown from here. */
  readonly default?: string | undefined;
  /** Whether its value may be a secret, which no message shows (law F3). */
  readonly isPrivate?: boolean | undefined;
  readonly group: string;
  readonly help: string;
}

/** The flags of a command, by name in camelCase, whose values are those of `Values`. */
export type FlagsOf<Values extends object> = { readonly [K in keyof Values]-?: Flag<NonNullable<Values[K]>> };

/** What a flag is beside its value. */
export type FlagText = Omit<Flag<unknown>, 'read'>;

/** A flag with one value; of several, the last counts. */
export function one<T>(parse: (text: string) => T, text: FlagText): Flag<T> {
  return { ...text, read: (texts) => parse(texts.at(-1) ?? '') };
}

/** A flag that may stand several times. */
export function many<T>(parse: (text: string) => T, text: FlagText): Flag<readonly T[]> {
  return { ...text, read: (texts) => texts.map(parse) };
}

/** A flag without a value. */
export function toggle(text: FlagText): Flag<true> {
  return { ...text, read: () => true };
}

/** The name as it is written: `ratePerOrigin` is `--rate-per-origin`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The flag as help shows it: `--concurrency <N>`, `--resume[=changed]`. */
export function flagSyntax(key: string, { placeholder, bare }: Flag<unknown>): string {
  if (placeholder === undefined) return flagName(key);
  return bare === undefined ? `${flagName(key)} <${placeholder}>` : `${flagName(key)}[=${placeholder}]`;
}
