import { type Command, Option } from 'commander';
import { quoted } from '../runtime/inert-text.ts';
import { UsageError } from '../runtime/usage-error.ts';
import { ValueError } from '../runtime/values.ts';
import { type Flag, type FlagsOf, flagName, flagSyntax } from './flag.ts';

/** Gives a command its flags, and makes them checked one by one as they are read. */
export function addFlags<Values extends object>(command: Command, flags: FlagsOf<Values>): Command {
  for (const [key, flag] of Object.entries<Flag<unknown>>(flags)) command.addOption(optionOf(key, flag));
  return command;
}

/** What the command line gave its flags. */
export function flagValues<Values extends object>(command: Command, flags: FlagsOf<Values>): Partial<Values> {
  const given = Object.entries<readonly string[]>(command.opts());
  return Object.fromEntries(given.map(([key, texts]) => [key, flags[key as keyof Values].read(texts)])) as Partial<Values>;
}

/** A flag with an optional value takes it only behind `=`: commander would take the next word for it. */
export function withBareValues<Values extends object>(words: readonly string[], flags: FlagsOf<Values>): string[] {
  const bare = new Map(Object.entries<Flag<unknown>>(flags).map(([key, flag]) => [flagName(key), flag.bare]));
  const end = words.indexOf('--');
  return words.map((word, index) => {
    const value = end === -1 || index < end ? bare.get(word) : undefined;
    return value === undefined ? word : `${word}=${value}`;
  });
}

function optionOf(key: string, flag: Flag<unknown>): Option {
  const syntax = flagSyntax(key, flag).replace('[=', ' [');
  const help = flag.default === undefined ? flag.help : `${flag.help} (default: ${flag.default})`;
  const option = new Option(syntax, help).helpGroup(`${flag.group}:`);
  // A switch has no value of its own, but commander calls the parser only with one.
  if (flag.placeholder === undefined) option.preset('on');
  return option.argParser((text, earlier: readonly string[] | undefined) => {
    checkValue(key, flag, text);
    return [...(earlier ?? []), text];
  });
}

function checkValue(key: string, flag: Flag<unknown>, text: string): void {
  try {
    flag.read([text]);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const got = flag.isPrivate === true ? '' : `, got ${quoted(text)}`;
    throw new UsageError(`${flagName(key)} ${error.message}${got}`);
  }
}
