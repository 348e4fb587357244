// Each law’s tests fail when its mechanism is broken: each mutation is made in a copy of the core, and the tests of its law are run there.
import { afterAll, describe, expect, test } from 'vitest';
import { MutatedCopy } from '../mutants/mutated-copy.ts';
import { LAWS, MUTATIONS } from '../mutants/mutations.ts';

const copy = new MutatedCopy();
const table: string[] = [];

afterAll(() => {
  copy[Symbol.dispose]();
  process.stdout.write(`${table.join('\n')}\n`);
});

describe.each(LAWS)('%s', (law) => {
  test('holds as it is', async () => {
    const { passed, failed, firstFailure } = await copy.run(law);
    expect({ failed, firstFailure }).toEqual({ failed: 0, firstFailure: undefined });
    expect(passed).toBeGreaterThan(0);
    table.push(`${law}: ${passed} tests`);
  });

  test.each(MUTATIONS.filter((mutation) => mutation.law === law))('fails without: $file: $search', async (mutation) => {
    const { failed, firstFailure } = await copy.run(law, mutation);
    expect(failed).toBeGreaterThan(0);
    table.push(`${law}: ${mutation.file}: ${mutation.search.split('\n', 1)[0]}: ${failed} failed, e.g. ${firstFailure}`);
  });
});
