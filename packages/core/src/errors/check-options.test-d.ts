import { expectTypeOf, test } from 'vitest';
import { any, type Checks, checkOptions, func } from './check-options.ts';

interface Options {
  readonly a?: number | undefined;
  readonly b?: (() => void) | undefined;
}

test('an option without a check, or a check without an option, does not compile', () => {
  checkOptions<Options>('x', {}, { a: any, b: func });
  // @ts-expect-error b has no check
  checkOptions<Options>('x', {}, { a: any });
  // @ts-expect-error there is no c
  checkOptions<Options>('x', {}, { a: any, b: func, c: any });
});

test('optional options need a check all the same', () => {
  expectTypeOf<Checks<Options>>().toHaveProperty('a').not.toBeUndefined();
});
