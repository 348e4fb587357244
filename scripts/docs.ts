// Puts what the code knows into the docs: npm run docs. With --check it only says what is not true: node scripts/docs.ts --check
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as keelson from 'keelson';
import { type OptionFacts, withDefaults } from './docs/defaults-tables.ts';
import { optionNames } from './docs/option-names.ts';
import { listFiles } from './lib/files.ts';

const ROOT = join(import.meta.dirname, '..');

/** The defaults of `retry` are `retryDefaults`, its options `RetryOptions`. */
function factsIn(root: string): (name: string) => OptionFacts | undefined {
  const names = optionNames(root);
  const exported: Readonly<Record<string, unknown>> = keelson;
  return (name) => {
    const options = names.get(`${name.charAt(0).toUpperCase()}${name.slice(1)}Options`);
    const defaults = exported[`${name}Defaults`];
    return options === undefined || typeof defaults !== 'object' ? undefined : { names: options, defaults: { ...defaults } };
  };
}

function main(): void {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const factsOf = factsIn(ROOT);
  const files = listFiles(ROOT, ['docs/**/*.md']);
  let broken = 0;
  for (const file of files) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const page = withDefaults(text, factsOf);
    const stale = values.check && page.text !== text ? ['a table differs from the code; npm run docs writes it'] : [];
    for (const problem of [...page.problems, ...stale]) console.error(`${file}: ${problem}`);
    broken += page.problems.length + stale.length;
    if (!values.check && page.text !== text) writeFileSync(join(ROOT, file), page.text);
  }
  console.log(`docs: ${files.length} pages, ${broken} problems`);
  if (broken > 0) process.exitCode = 1;
}

main();
