import { Command } from 'commander';
import { expect, test } from 'vitest';
import { parseCount, parseHeader, parseWord } from '../runtime/values.ts';
import { many, one, toggle } from './flag.ts';
import { addFlags, flagValues, withBareValues } from './flag-options.ts';

interface Values {
  readonly maxThings?: number;
  readonly header?: readonly (readonly [string, string])[];
  readonly resume?: 'same' | 'changed';
  readonly quiet?: true;
}
const FLAGS = {
  maxThings: one(parseCount, { placeholder: 'N', default: '5', group: 'Limits', help: 'how many' }),
  header: many(parseHeader, { placeholder: 'k: v', isPrivate: true, group: 'Other', help: 'a header' }),
  resume: one(parseWord('same', 'changed'), { placeholder: 'changed', bare: 'same', group: 'Other', help: 'go on' }),
  quiet: toggle({ group: 'Other', help: 'say nothing' }),
};

function parse(words: readonly string[]): { values: Partial<Values>; args: readonly string[] } {
  const command = addFlags<Values>(new Command('test').exitOverride().argument('[WORDS...]'), FLAGS).action(() => {});
  command.configureOutput({ outputError: () => {} });
  command.parse(withBareValues<Values>(words, FLAGS), { from: 'user' });
  return { values: flagValues<Values>(command, FLAGS), args: command.args };
}

test.each([
  [[], {}, []],
  [['--max-things', '3', 'a'], { maxThings: 3 }, ['a']],
  [['--max-things=3', '--max-things', '4'], { maxThings: 4 }, []],
  [
    ['--header', 'a: b', '--header', 'c: d'],
    {
      header: [
        ['a', 'b'],
        ['c', 'd'],
      ],
    },
    [],
  ],
  [['--resume', 'file', '--quiet'], { resume: 'same', quiet: true }, ['file']],
  [['--resume=changed', 'file'], { resume: 'changed' }, ['file']],
  [['--', '--resume'], {}, ['--resume']],
])('%j', (words, values, args) => {
  expect(parse(words)).toEqual({ values, args });
});

test.each([
  [['--max-things', '0'], '--max-things must be a whole number of at least 1, got "0"'],
  [['--max-things', '\u001b[31m'], '--max-things must be a whole number of at least 1, got "\\x1b[31m"'],
  [['--resume=x'], "--resume must be 'same' or 'changed', got \"x\""],
  [['--header', 's3cret'], "--header must be a name and a value, like 'accept: text/html'"],
  [['--max-thing', '1'], "unknown option '--max-thing'"],
])('%j is refused', (words, message) => {
  expect(() => parse(words)).toThrow(message);
});

test('help is made of the flags', () => {
  const help = addFlags<Values>(new Command('test'), FLAGS).helpInformation();
  expect(help).toMatch(/Limits:\n {2}--max-things <N> +how many \(default: 5\)/);
});
