import { expect, test } from 'vitest';
import { mutate, sourceOf } from './mutated-copy.ts';
import { LAWS, MUTATIONS } from './mutations.ts';

test('there is a mutation for each law', () => {
  const covered = new Set(MUTATIONS.map(({ law }) => law));
  expect(LAWS.filter((law) => !covered.has(law))).toEqual([]);
});

test.each(MUTATIONS)('$law: $file still has what the mutation breaks: $search', (mutation) => {
  const source = sourceOf(mutation.file);
  expect(mutate(source, mutation)).not.toBe(source);
});
