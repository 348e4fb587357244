import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitCommand } from './split-command.ts';

test.each([
  ['curl -s {url}', ['curl', '-s', '{url}']],
  ['  a   b ', ['a', 'b']],
  ['grep \'a b\' "c d"', ['grep', 'a b', 'c d']],
  ['a\'b\'"c"d', ['abcd']],
  ['x \'\' ""', ['x', '', '']],
  ['a\\ b', ['a b']],
  ['"a\\"b\\\\c\\n"', ['a"b\\c\\n']],
  ["'a\\'", ['a\\']],
  ['echo $HOME `id` ; rm *', ['echo', '$HOME', '`id`', ';', 'rm', '*']],
  ['', []],
])('%j', (text, words) => {
  expect(splitCommand(text)).toEqual(words);
});

test.each(["'open", '"open', 'end\\', '"a\\"'])('%j is refused', (text) => {
  expect(() => splitCommand(text)).toThrow('--exec: a quote is not closed, or a backslash ends the command');
});

test('what is quoted comes back as it was', () => {
  const quote = (word: string): string => `'${word.replaceAll("'", `'"'"'`)}'`;
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
      expect(splitCommand(words.map(quote).join(' '))).toEqual(words);
    }),
  );
});
