import { describe, expect, test } from 'vitest';
import { type OptionFacts, withDefaults } from './docs/defaults-tables.ts';
import { optionNames } from './docs/option-names.ts';
import { temporaryTree } from './lib/temporary-tree.test-support.ts';

const retry: OptionFacts = { names: ['maxAttempts', 'baseDelay', 'handles'], defaults: { maxAttempts: 3, baseDelay: '200ms' } };
const factsOf = (name: string): OptionFacts | undefined => (name === 'retry' ? retry : undefined);

const page = (...rows: readonly string[]): string =>
  ['# retry', '', '<!-- options: retry -->', '', '| option | default | |', '|---|---|---|', ...rows, '', 'Text.', ''].join('\n');

describe('a table of options', () => {
  test('gets the defaults of the code; the words stay', () => {
    const before = page('| `maxAttempts` | 5 | calls in all |', '| `baseDelay` | | a `|` apart |', '| `handles` | by kind | classes |');
    const after = page(
      '| `maxAttempts` | 3 | calls in all |',
      "| `baseDelay` | `'200ms'` | a `|` apart |",
      '| `handles` | by kind | classes |',
    );
    expect(withDefaults(before, factsOf)).toEqual({ text: after, problems: [] });
    expect(withDefaults(after, factsOf).text).toBe(after);
  });

  test('has every option, and no other', () => {
    const { problems } = withDefaults(page('| `maxAttempts` | 3 | |', '| `handles` | | |', '| `retries` | 3 | |'), factsOf);
    expect(problems).toEqual(['retry has the option baseDelay, too', 'retry has no option retries']);
  });

  test('is of something that has options', () => {
    expect(withDefaults(page().replace('options: retry', 'options: hope'), factsOf).problems).toEqual(['there are no options of hope']);
  });

  test('without a mark is left alone', () => {
    const text = '| option | default |\n|---|---|\n| `maxAttempts` | 9 |\n';
    expect(withDefaults(text, factsOf)).toEqual({ text, problems: [] });
  });
});

test('the options of an interface are its own and those it extends, in the order of the code', () => {
  const root = temporaryTree({
    'packages/core/src/a.ts':
      'export interface RetryOptions extends BackoffOptions { readonly maxAttempts?: number; readonly name?: string }',
    'packages/core/src/b.ts': 'export interface BackoffOptions { readonly baseDelay?: number }\ninterface Other { readonly x: 1 }',
    'packages/core/src/c.test.ts': 'interface TestOptions { readonly y: 1 }',
  });
  expect([...optionNames(root)]).toEqual([
    ['RetryOptions', ['maxAttempts', 'name', 'baseDelay']],
    ['BackoffOptions', ['baseDelay']],
  ]);
});
